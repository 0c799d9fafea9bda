"""From a plan and a film's frames to the parts of its segments: the same work on any machine."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path

from ..inference.letterbox import neutralize_black
from ..inference.video_colorizer import VideoColorizer
from ..utils.prefetch import Sink, prefetch
from ..video.encode import Encoder, Part
from ..video.frames import ColorBatch, Frame, batched
from .render_plan import RenderPlan
from .segments import Segment

# Frames between two stages: enough to even out their pace, little enough for any memory.
DECODED_AHEAD, COLORIZED_AHEAD = 24, 3


@dataclass(frozen=True, eq=False)
class SegmentRenderer:
    """Colorizes and encodes the segments of a film.

    Args:
        plan: The film.
        video_colorizer: The network, with the film's embeddings.
        advance: Is called with the number of frames each time some are handed to the encoder. An
            exception that it raises ends the rendering.
    """

    plan: RenderPlan
    video_colorizer: VideoColorizer
    advance: Callable[[int], None]

    def render(
        self,
        run: Sequence[Segment],
        frames: Iterable[Frame],
        path_of: Callable[[Segment], Path],
    ) -> Iterator[tuple[Segment, Part]]:
        """Render segments that follow one another, in one go.

        Args:
            run: The segments, in order.
            frames: Those of :meth:`RenderPlan.decode` from the first segment's start to the last's stop.
            path_of: Where the part of a segment is written.

        Yields:
            Each segment with its closed part. A segment for which no frame comes is left out.

        Raises:
            MediaError: The frames are not as many as planned, or a part cannot be written.
        """
        plan, borders = self.plan, [*(segment.start for segment in run), run[-1].stop]
        ahead = prefetch(frames, depth=DECODED_AHEAD)
        try:
            batches = batched(ahead, plan.reference_map.shots, plan.options.batch)
            colorized = self.video_colorizer.colorize(batches, plan.reference_map, plan.picture)
            pieces = chain.from_iterable(
                batch.runs(lambda pts: bisect_right(borders, pts) - 1) for batch in colorized
            )
            for owner, own in groupby(pieces, key=itemgetter(0)):
                if 0 <= owner < len(run):
                    part = self._encode(path_of(run[owner]), map(itemgetter(1), own))
                    plan.check_count(run[owner], len(part.pts))
                    yield run[owner], part
        finally:
            ahead.close()

    def _encode(self, path: Path, colorized: Iterator[ColorBatch]) -> Part:
        plan = self.plan
        with Encoder(path, plan.info, plan.options.encode) as encoder:
            with Sink(encoder.write, depth=COLORIZED_AHEAD) as sink:
                for batch in colorized:
                    letterbox = plan.analysis.letterbox
                    sink.put(neutralize_black(batch, letterbox, plan.info, plan.picture))
                    self.advance(len(batch.gray))
            return encoder.close()
