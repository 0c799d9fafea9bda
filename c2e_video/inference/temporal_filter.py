"""The temporal filter: a prediction is averaged with those of the frames around, along motion.

The network predicts each frame by itself, and its errors differ from frame to frame. Averaging along motion
reduces them, and with them flicker. Only a few frames count, so the result is the same in any part of the
film.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from .motion import MotionPlane, Source, mean_along_motion
from .prediction import LabPrediction

T = TypeVar("T")

NEIGHBORS = 3  # predictions each way that count
REACH = 3  # frames each way, at least


class Predicted(NamedTuple, Generic[T]):
    """A frame that the network predicted.

    Args:
        item: Whatever the caller keeps with it.
        number: Of the frame, in order.
        motion: The frame's motion plane.
        prediction: Its colours.
    """

    item: T
    number: int
    motion: MotionPlane
    prediction: LabPrediction


class Window(NamedTuple, Generic[T]):
    """A prediction and those around it that count."""

    center: Predicted[T]
    neighbors: Sequence[Predicted[T]]


def filter_windows(frames: Iterable[Predicted[T]], reach: int) -> Iterator[Window[T]]:
    """The window of each prediction, in order, as soon as it is known.

    Args:
        frames: Predictions with rising numbers.
        reach: A window spans so many frames each way, and at most :data:`NEIGHBORS` predictions.

    Yields:
        One window a prediction.
    """
    known: list[Predicted[T]] = []
    done = 0  # predictions in ``known`` whose windows were given
    for frame in frames:
        known.append(frame)
        while frame.number - known[done].number >= reach or len(known) - 1 - done >= NEIGHBORS:
            yield _window(known, done, reach)
            done += 1
        unused = max(0, done - NEIGHBORS)
        del known[:unused]
        done -= unused
    for index in range(done, len(known)):
        yield _window(known, index, reach)


def _window(known: Sequence[Predicted[T]], index: int, reach: int) -> Window[T]:
    center = known[index]
    around = (*known[max(0, index - NEIGHBORS) : index], *known[index + 1 : index + 1 + NEIGHBORS])
    return Window(center, [p for p in around if abs(p.number - center.number) <= reach])


def filter_window(window: Window[T]) -> Predicted[T]:
    """The prediction of a window, averaged with its neighbors along motion.

    Each neighbor counts by its :class:`~.motion.Match` confidence, the prediction itself counts 1.
    Neighbors with a value that is no number do not count.
    """
    center = window.center
    if not center.motion.is_usable:
        return center
    sources = [
        Source(other.motion, other.prediction.ab)
        for other in window.neighbors
        if other.prediction.is_finite
    ]
    ab = mean_along_motion(center.motion, sources, center.prediction.ab)
    return center._replace(prediction=LabPrediction(center.prediction.lightness, ab))
