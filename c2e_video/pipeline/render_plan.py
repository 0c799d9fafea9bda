"""What rendering a film's segments needs, decided once: the same for every segment and every machine."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import MediaError
from ..inference.interpolation import context_frames
from ..planning.analysis import VideoAnalysis
from ..references.reference_map import ReferenceMap
from ..utils.choices import LONGEST_INTERVAL
from ..video.decode import DecodeReport
from ..video.decode.decoder import decode
from ..video.frames import Frame, PictureFormat, VideoInfo
from .options import Options
from .segments import Segment


@dataclass(frozen=True, eq=False)
class RenderPlan:
    """All that a segment's part depends on, but for the network. It can be pickled.

    Args:
        source: The film.
        info: What its picture track holds.
        options: What was asked for.
        picture: The pictures of the output.
        reference_map: The shots, and the references of each.
        analysis: The pts of all frames, and the letterbox.
    """

    source: Path
    info: VideoInfo
    options: Options
    picture: PictureFormat
    reference_map: ReferenceMap
    analysis: VideoAnalysis

    def decode(
        self, start: int, stop: int, report: DecodeReport | None = None
    ) -> Generator[Frame, None, None]:
        """The frames with ``start <= pts < stop``, and those around that count for their colours."""
        return self.decode_alone(*self.with_context(start, stop), report)

    def decode_alone(
        self, start: int, stop: int, report: DecodeReport | None = None
    ) -> Generator[Frame, None, None]:
        """The frames with ``start <= pts < stop`` and no others."""
        return decode(
            self.source,
            self.info,
            start=start,
            stop=stop,
            deinterlace=self.options.deinterlace,
            report=report,
        )

    def with_context(self, start: int, stop: int) -> tuple[int, int]:
        """The span ``[start, stop)`` widened by the frames of the same shots that its colours depend on."""
        context = context_frames(self.options.anchor_interval or LONGEST_INTERVAL)
        shots, moved = self.reference_map.shots, self.analysis.moved
        begun = max(shot.start for shot in shots if shot.start <= start)
        ended = min(shot.stop for shot in shots if shot.stop >= stop)
        return max(begun, moved(start, -context)), max(stop, min(ended, moved(stop, context)))

    def pts_in(self, segment: Segment) -> Sequence[int]:
        """The pts of a segment's frames, in order."""
        return self.analysis.pts_between(segment.start, segment.stop)

    def pts_after(self, segment: Segment, count: int) -> int:
        """The pts of the frame after a segment's first ``count``; the segment's stop where those are all."""
        pts = self.pts_in(segment)
        return pts[count] if count < len(pts) else segment.stop

    def frames_in(self, segment: Segment) -> int:
        """How many frames the planning pass found in a segment."""
        return self.analysis.count(segment.start, segment.stop)

    def check_count(self, segment: Segment, count: int) -> None:
        """Raise :class:`MediaError` unless a segment gave as many frames as the planning pass found."""
        expected = self.frames_in(segment)
        if count != expected:
            raise MediaError(
                f"the film gave {count} frames between {self.info.seconds(segment.start):.3f} s "
                f"and {self.info.seconds(segment.stop):.3f} s where it gave {expected} before; "
                "it was changed while it was being read, or its disk is failing: run again"
            )
