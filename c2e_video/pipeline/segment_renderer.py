"""From a plan and a film's frames to the colorized batches of its segments: the same work on any machine."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from ..inference.letterbox import neutralize_black
from ..inference.video_colorizer import VideoColorizer
from ..utils.prefetch import prefetch
from ..video.frames import ColorBatch, Frame, batched
from .part_writer import PartWriter
from .render_plan import RenderPlan
from .segments import Segment

DECODED_AHEAD = 8  # frames that wait for the network: enough to even out the decoder's pace


@dataclass(frozen=True, eq=False)
class SegmentRenderer:
    """Colorizes the segments of a film.

    Args:
        plan: The film.
        video_colorizer: The network, with the film's embeddings.
        advance: Is called with the number of frames each time some are colorized. An exception that it
            raises ends the rendering.
    """

    plan: RenderPlan
    video_colorizer: VideoColorizer
    advance: Callable[[int], None]

    def render(
        self,
        run: Sequence[Segment],
        frames: Generator[Frame, None, None],
        writer: PartWriter,
        start: int | None = None,
    ) -> None:
        """Render segments that follow one another, in one go. One for which no frame comes is left out.

        Args:
            run: The segments, in order.
            frames: Those of :meth:`RenderPlan.decode` from ``start`` to the last segment's stop.
            writer: Takes the colorized batches.
            start: The pts from which on frames are colorized; by default the first segment's start.

        Raises:
            MediaError: The frames are not as many as planned, or a part cannot be written.
        """
        borders = [run[0].start if start is None else start, *(segment.stop for segment in run)]
        ahead = prefetch(_detached(frames), depth=DECODED_AHEAD)
        try:
            for owner, own in groupby(self._pieces(ahead, borders), key=itemgetter(0)):
                if 0 <= owner < len(run):  # the frames around count for the colours of these
                    self._write(run[owner], map(itemgetter(1), own), writer)
        finally:
            ahead.close()

    def _pieces(
        self, frames: Iterator[Frame], borders: Sequence[int]
    ) -> Iterator[tuple[int, ColorBatch]]:
        """The colorized batches, split at the borders, each with the number of the border before it."""
        plan = self.plan
        batches = batched(frames, plan.reference_map.shots, plan.options.batch)
        for batch in self.video_colorizer.colorize(
            batches, plan.reference_map, plan.picture, plan.analysis.pts
        ):
            yield from batch.runs(lambda pts: bisect_right(borders, pts) - 1)

    def _write(self, segment: Segment, batches: Iterator[ColorBatch], writer: PartWriter) -> None:
        plan = self.plan
        for batch in batches:
            letterbox = plan.analysis.letterbox
            writer.write(segment, neutralize_black(batch, letterbox, plan.info, plan.picture))
            self.advance(len(batch.gray))
        writer.end(segment)


def _detached(frames: Generator[Frame, None, None]) -> Iterator[Frame]:
    """Frames without the decoder's pictures: some wait for the network."""
    with closing(frames):
        yield from map(Frame.detached, frames)
