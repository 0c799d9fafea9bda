"""The network predicts anchor frames; frames between two anchors are interpolated along motion.

Which frames are anchors depends on the shot alone: every ``interval``-th frame from the shot's first, frames
that the caller names (keyframes), and, between two of these, a frame of which too much is found in neither;
that is repeated on both sides of it. So any part of a film, read with :func:`context_frames`
more at each end, gets the same colours as in the whole film.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from ..utils.arrays import Floats
from .luma_planes import LumaPlane
from .motion import Motion, MotionPlane, Source, followed, mean_along_motion
from .prediction import LabPrediction
from .temporal_filter import REACH, Predicted

T = TypeVar("T")

# A pixel is lost where its confidence is lower than this in both anchors.
LOST_CONFIDENCE = 0.1
# The lost shares of the frames between two anchors may add up to so much. Otherwise the middle frame becomes
# an anchor.
LOST_TOTAL = 1.6
# A frame of which more is lost becomes an anchor, as in a flash.
LOST_SHARE = 0.5


def filter_reach(interval: int) -> int:
    """Frames each way within which other anchors count for the temporal filter."""
    return max(REACH, interval)


def context_frames(interval: int) -> int:
    """Frames before and after a part of a shot on which its colours depend, at most.

    A frame depends on the anchors beside it, fewer than ``interval`` frames away; these on anchors within
    :func:`filter_reach`; and which frames those are, on the end of the interval they lie in.
    """
    return 2 * interval + REACH


class Moment(NamedTuple, Generic[T]):
    """A frame before it has colours.

    Args:
        item: Whatever the caller keeps with it.
        number: Of the frame, in order.
        is_anchor: Whether the network must predict it.
        starts_shot: Whether it is the first that comes of its shot.
        luma: The frame itself.
        lightness: L* in [0, 100], fp32 ``[h, w]``, at the size of the predictions.
        motion: Its motion plane.
    """

    item: T
    number: int
    is_anchor: bool
    starts_shot: bool
    luma: LumaPlane
    lightness: Floats
    motion: MotionPlane


class Span(NamedTuple, Generic[T]):
    """An anchor, and the frames between the anchor before it and itself."""

    between: Sequence[Moment[T]]
    anchor: Moment[T]


def intervals(moments: Iterable[Moment[T]]) -> Iterator[list[Moment[T]]]:
    """The frames from each named anchor to the next, both included.

    The first and the last frame of a shot count as named. Its first interval holds its first frame alone.
    """
    current: list[Moment[T]] = []
    for moment in moments:
        if moment.starts_shot or not current:
            if len(current) > 1:
                yield current
            yield [moment]
            current = [moment]
            continue
        current.append(moment)
        if moment.is_anchor:
            yield current
            current = [moment]
    if len(current) > 1:
        yield current


def spans(interval: Sequence[Moment[T]]) -> list[Span[T]]:
    """One of :func:`intervals` cut at the anchors that it needs. Its frames are matched with these."""
    if len(interval) < 3:
        return [Span((), interval[-1])]
    planes = [moment.motion for moment in interval]
    if not planes[0].is_usable:
        return [Span((), moment) for moment in interval[1:]]
    steps = [Motion.between(*pair) for pair in pairwise(planes)]
    for end in (0, len(planes) - 1):
        _match_with(end, planes, steps)
    return _cut(interval, steps)


def _match_with(number: int, planes: Sequence[MotionPlane], steps: Sequence[Motion]) -> None:
    """Match all frames of an interval with one of them."""
    before, after = planes[number::-1], planes[number:]
    steps_back = [step.reversed for step in steps[:number][::-1]]
    for way, own_steps in ((before, steps_back), (after, steps[number:])):
        for plane, motion in zip(way[1:], followed(way, own_steps), strict=True):
            plane.match_by(way[0], motion.reversed)


def _cut(interval: Sequence[Moment[T]], steps: Sequence[Motion]) -> list[Span[T]]:
    """The spans of an interval whose frames are matched with its first and with its last."""
    cut = _needed_anchor(interval) if len(interval) > 2 else None
    if cut is None:
        return [Span(interval[1:-1], interval[-1])]
    _match_with(cut, [moment.motion for moment in interval], steps)
    return [*_cut(interval[: cut + 1], steps[:cut]), *_cut(interval[cut:], steps[cut:])]


def _needed_anchor(interval: Sequence[Moment[T]]) -> int | None:
    """The middle frame if too much of the interval is lost, else the frame of which too much is lost."""
    before, *between, after = interval
    lost = [lost_share(moment, before, after) for moment in between]
    if sum(lost) > LOST_TOTAL:
        return len(lost) // 2 + 1
    return lost.index(max(lost)) + 1 if max(lost) > LOST_SHARE else None


def lost_share(moment: Moment[T], before: Moment[T], after: Moment[T]) -> float:
    """The share of a frame that is found in neither of two others, 0 to 1."""
    found = np.maximum(*(moment.motion.match(end.motion).confidence for end in (before, after)))
    return float(np.mean(found < LOST_CONFIDENCE))


class Gap(NamedTuple, Generic[T]):
    """A frame with the anchors around it; the frame of an anchor has that one on both sides."""

    moment: Moment[T]
    before: Predicted[Span[T]]
    after: Predicted[Span[T]]


def gaps(anchors: Iterable[Predicted[Span[T]]]) -> Iterator[Gap[T]]:
    """All frames in order, each with its anchors, which come in order."""
    before: Predicted[Span[T]] | None = None
    for after in anchors:
        yield from (Gap(moment, before or after, after) for moment in after.item.between)
        yield Gap(after.item.anchor, after, after)
        before = after


def interpolate(gap: Gap[T]) -> LabPrediction:
    """The colours of a frame, from the anchors around it along motion.

    An anchor's weight falls linearly to 0 at the other anchor; see :func:`~.motion.mean_along_motion`. The
    frame of an anchor has the anchor's colours.
    """
    moment, before, after = gap
    if before is after:
        return after.prediction
    share = (moment.number - before.number) / (after.number - before.number)
    weighted = [(before, 1 - share), (after, share)]
    finite = [pair for pair in weighted if pair[0].prediction.is_finite]
    sources = [
        Source(anchor.motion, anchor.prediction.ab, weight) for anchor, weight in finite or weighted
    ]
    return LabPrediction(moment.lightness, mean_along_motion(moment.motion, sources))
