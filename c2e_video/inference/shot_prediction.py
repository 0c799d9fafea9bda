"""From the luma of a film's frames to their colours: the stages that every frame passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Generic, NamedTuple, TypeVar

from ..utils.arrays import Floats
from ..utils.devices import processors
from ..utils.parallel import parallel_map
from .batching import BatchRunner
from .embedding import ColorEmbedding
from .interpolation import Gap, Moment, Span, filter_reach, gaps, interpolate, intervals, spans
from .luma_planes import LumaPlane, lightness_plane, reduced
from .motion import MotionPlane
from .prediction import LabPrediction
from .temporal_filter import Predicted, filter_window, filter_windows

T = TypeVar("T")

# ab at the network's output size, fp32 [N, 2, h, w], of some frames with their embeddings.
Network = Callable[[Sequence[LumaPlane], Sequence[ColorEmbedding]], Floats]


class ShotFrame(NamedTuple, Generic[T]):
    """A frame of a shot.

    Args:
        item: Whatever the caller keeps with it.
        luma: Its luma, of the same size throughout.
        is_anchor: Whether the network must predict it.
        starts_shot: Whether the frame before it, if there is one, belongs to another shot.
    """

    item: T
    luma: LumaPlane
    is_anchor: bool
    starts_shot: bool = False


class ShotPredictor:
    """Predicts shots: anchors by the network and the temporal filter, the frames between by interpolation.

    The stages run in the threads of one pool, so that they use the cores without more threads than cores.

    Args:
        network: Predicts some frames.
        runner: Runs the network; its pool runs the other stages.
        interval: Frames from anchor to anchor, at most.
    """

    def __init__(self, network: Network, runner: BatchRunner, interval: int) -> None:
        self.network, self.runner, self.interval = network, runner, interval

    def predict(
        self,
        frames: Iterable[ShotFrame[T]],
        embedding_of: Callable[[T], ColorEmbedding],
        size: tuple[int, int],
    ) -> Iterator[tuple[T, LabPrediction]]:
        """Predict the frames of one or several shots.

        The next shot's frames are begun before those of the last one are done: no core waits at a cut.

        Args:
            frames: In order. The first and the last of a shot are anchors in any case.
            embedding_of: Gives the embedding of an anchor. It is called in the caller's thread.
            size: Height and width of the predictions, at most those of the network's output.

        Yields:
            What was kept with each frame, and its colours; up to
            :func:`~.interpolation.context_frames` later.

        Raises:
            OutOfMemory: A single frame does not fit into the device's memory.
        """
        pool, cores = self.runner.pool, processors()
        # An interval is many frames in memory, and its motion takes a tenth of the network's time.
        few = cores // 8
        reach = filter_reach(self.interval)

        def moment(numbered: tuple[int, ShotFrame[T]]) -> Moment[T]:
            number, (item, luma, is_anchor, starts_shot) = numbered
            lightness = lightness_plane(luma, size)
            motion = MotionPlane(lightness)
            return Moment(item, number, is_anchor, starts_shot, luma, lightness, motion)

        def predicted(
            lot: Sequence[tuple[Span[T], ColorEmbedding]],
        ) -> list[Predicted[Span[T]]]:
            anchors = [span.anchor for span, _ in lot]
            ab = self.network(
                [anchor.luma for anchor in anchors], [embedding for _, embedding in lot]
            )
            return [
                Predicted(
                    *(span, span.anchor.number, span.anchor.motion),
                    LabPrediction(span.anchor.lightness, reduced(planes, size)),
                )
                for (span, _), planes in zip(lot, ab, strict=True)
            ]

        moments = parallel_map(pool, moment, _numbered(frames, reach), 2 * cores)
        found = chain.from_iterable(parallel_map(pool, spans, intervals(moments), few))
        with_embeddings = ((span, embedding_of(span.anchor.item)) for span in found)
        anchors = self.runner.stream(predicted, with_embeddings, size)
        windows = filter_windows(anchors, reach)
        filtered = parallel_map(pool, filter_window, windows, few)
        return parallel_map(pool, _colored, gaps(filtered), 2 * cores)


def _numbered(frames: Iterable[ShotFrame[T]], reach: int) -> Iterator[tuple[int, ShotFrame[T]]]:
    """Frames with rising numbers. Those of two shots are farther apart than the temporal filter reaches."""
    number = 0
    for frame in frames:
        number += reach if frame.starts_shot else 0
        yield number, frame
        number += 1


def _colored(gap: Gap[T]) -> tuple[T, LabPrediction]:
    return gap.moment.item, interpolate(gap)
