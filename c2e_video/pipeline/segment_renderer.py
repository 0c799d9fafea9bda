"""Segments of a film are decoded, colorized and encoded into parts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path

from ..errors import MediaError
from ..inference.letterbox import neutralize_black
from ..inference.temporal_filter import REACH
from ..inference.video_colorizer import VideoColorizer
from ..planning.analysis import VideoAnalysis
from ..references.reference_map import ReferenceMap
from ..utils.prefetch import Sink, prefetch
from ..utils.progress import Progress
from ..video.decode import DecodeReport
from ..video.decode.decoder import decode
from ..video.encode import Encoder, Part, part_suffix
from ..video.frames import ColorBatch, PictureFormat, VideoInfo, batched
from .job import Job
from .options import Options
from .segments import Segment

# Frames between two stages: enough to even out their pace, little enough for any memory.
DECODED_AHEAD, COLORIZED_AHEAD = 24, 3


@dataclass(frozen=True, eq=False)
class SegmentRenderer:
    """The painting of a film's segments into parts."""

    source: Path
    info: VideoInfo
    options: Options
    picture: PictureFormat
    reference_map: ReferenceMap
    analysis: VideoAnalysis
    video_colorizer: VideoColorizer
    job: Job
    progress: Progress

    def render(self, segments: Sequence[Segment]) -> tuple[list[Part], list[str]]:
        """The parts of all segments, those of an earlier run included; and what went wrong on the way."""
        done = {segment: self.job.part(segment) for segment in segments}
        problems: list[str] = []
        for segment, part in done.items():
            if part is not None:
                self.progress.advance(self._frames_in(segment))
        # Segments that follow one another are decoded in one go.
        for missing, run in groupby(segments, key=lambda segment: done[segment] is None):
            if missing:
                for segment, part in self._render_run(list(run), problems):
                    done[segment] = part
        for segment, part in done.items():
            if part is None:
                self._check_count(segment, 0)  # a segment may be empty, but not become so
        problems = [line for line in problems if line not in self.analysis.problems]  # told before
        for line in problems:
            self.progress.note(line)
        return [part for part in done.values() if part is not None], problems

    def _render_run(
        self, run: list[Segment], problems: list[str]
    ) -> Iterator[tuple[Segment, Part]]:
        report = DecodeReport()
        start, stop = self._with_context(run[0].start, run[-1].stop)
        frames = prefetch(
            decode(
                self.source,
                self.info,
                start=start,
                stop=stop,
                deinterlace=self.options.deinterlace,
                report=report,
            ),
            depth=DECODED_AHEAD,
        )
        borders = [run[0].start, *(segment.stop for segment in run)]
        try:
            batches = batched(frames, self.reference_map.shots, self.options.batch)
            colorized = self.video_colorizer.colorize(batches, self.reference_map, self.picture)
            pieces = chain.from_iterable(
                batch.runs(lambda pts: bisect_right(borders, pts) - 1) for batch in colorized
            )
            for owner, own in groupby(pieces, key=itemgetter(0)):
                if 0 <= owner < len(run):
                    yield run[owner], self._encode(run[owner], map(itemgetter(1), own))
        finally:
            frames.close()
        problems += report.problems()

    def _with_context(self, start: int, stop: int) -> tuple[int, int]:
        """The times of these frames and of those of the same shots that steady them."""
        shots, moved = self.reference_map.shots, self.analysis.moved
        begun = max(shot.start for shot in shots if shot.start <= start)
        ended = min(shot.stop for shot in shots if shot.stop >= stop)
        return max(begun, moved(start, -REACH)), max(stop, min(ended, moved(stop, REACH)))

    def _encode(self, segment: Segment, colorized: Iterator[ColorBatch]) -> Part:
        path = self.job.partial_path(segment, part_suffix(self.options.encode))
        encoder = Encoder(path, self.info, self.options.encode)
        with encoder:
            with Sink(encoder.write, depth=COLORIZED_AHEAD) as sink:
                for batch in colorized:
                    sink.put(
                        neutralize_black(batch, self.analysis.letterbox, self.info, self.picture)
                    )
                    self.progress.advance(len(batch.gray))
            part = encoder.close()
        self._check_count(segment, len(part.pts))
        return self.job.finish(segment, part)

    def _check_count(self, segment: Segment, count: int) -> None:
        expected = self._frames_in(segment)
        if count != expected:
            raise MediaError(
                f"the film gave {count} frames between {self.info.seconds(segment.start):.3f} s "
                f"and {self.info.seconds(segment.stop):.3f} s where it gave {expected} before; "
                "it was changed while it was being read, or its disk is failing: run again"
            )

    def _frames_in(self, segment: Segment) -> int:
        return self.analysis.count(segment.start, segment.stop)
