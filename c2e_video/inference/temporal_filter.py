"""The temporal filter: a prediction is averaged with those of the frames around, along motion.

The network predicts each frame by itself, and its errors differ from frame to frame. Averaging along motion
reduces them, and with them flicker. Only a few frames count, so the result is the same in any part of the
film.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise
from typing import Generic, NamedTuple, TypeVar

from .motion import Motion, MotionPlane, Source, followed, mean_along_motion
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
    """A prediction and those around it that count, nearest first, without their items: these may be large."""

    center: Predicted[T]
    before: Sequence[Predicted[None]]
    after: Sequence[Predicted[None]]


def filter_windows(frames: Iterable[Predicted[T]], reach: int) -> Iterator[Window[T]]:
    """The window of each prediction, in order, as soon as it is known.

    Args:
        frames: Predictions with rising numbers.
        reach: A window spans so many frames each way, and at most :data:`NEIGHBORS` predictions.

    Yields:
        One window a prediction.
    """
    past: deque[Predicted[None]] = deque(maxlen=NEIGHBORS)
    waiting: deque[Predicted[T]] = deque()
    for frame in frames:
        waiting.append(frame)
        while frame.number - waiting[0].number >= reach or len(waiting) > NEIGHBORS:
            yield _next_window(past, waiting, reach)
    while waiting:
        yield _next_window(past, waiting, reach)


def _next_window(
    past: deque[Predicted[None]], waiting: deque[Predicted[T]], reach: int
) -> Window[T]:
    """The window of the first that waits, which is past then."""
    center = waiting.popleft()
    coming = map(_without_item, islice(waiting, NEIGHBORS))
    before, after = (
        [p for p in side if abs(p.number - center.number) <= reach]
        for side in (reversed(past), coming)
    )
    past.append(_without_item(center))
    return Window(center, before, after)


def _without_item(predicted: Predicted[T]) -> Predicted[None]:
    return Predicted(None, predicted.number, predicted.motion, predicted.prediction)


def filter_window(window: Window[T]) -> Predicted[T]:
    """The prediction of a window, averaged with its neighbors along motion.

    Each neighbor counts by its :class:`~.motion.Match` confidence, the prediction itself counts 1.
    Neighbors with a value that is no number do not count.
    """
    center = window.center
    if not center.motion.is_usable:
        return center
    for side in (window.before, window.after):
        _match_along([center.motion, *(other.motion for other in side)])
    sources = [
        Source(other.motion, other.prediction.ab)
        for other in (*window.before, *window.after)
        if other.prediction.is_finite
    ]
    ab = mean_along_motion(center.motion, sources, center.prediction.ab)
    return center._replace(prediction=LabPrediction(center.prediction.lightness, ab))


def _match_along(planes: Sequence[MotionPlane]) -> None:
    """Match the first of some frames with the others; each is already matched with the one beside it."""
    steps = [Motion(a.match(b).flow, b.match(a).flow) for a, b in pairwise(planes)]
    for plane, motion in zip(planes[1:], followed(planes, steps), strict=True):
        planes[0].match_by(plane, motion)
