"""Times of display: each picture's own timestamp, repaired where it is missing or out of order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from av.video.frame import VideoFrame

from ..frames import VideoInfo

T = TypeVar("T")


def timed(pictures: Iterable[VideoFrame], info: VideoInfo) -> Iterator[tuple[VideoFrame, int, int]]:
    """Give each picture a pts and a duration.

    A picture without a pts, or with one out of order, is placed one step after the picture before it.
    Its duration is the stated one, but at most the gap to the next picture; without a stated one, that
    gap; for the last picture, the inverse of the frame rate.

    Args:
        pictures: Pictures in order of display.
        info: The film; its ``frame_rate`` gives the usual step.

    Yields:
        Each picture, its pts and its duration, in ticks of ``info.time_base``. pts grow strictly.
    """
    usual = max(1, round(1 / ((info.frame_rate or 25) * info.time_base)))
    previous, step = None, usual
    for picture, following in _with_next(pictures):
        own = max(0, picture.duration)
        ahead = following.pts if following is not None else None
        pts = picture.pts
        if pts is None or _is_out_of_order(previous, pts, ahead):
            pts = _placed(previous, step if previous is not None else own or usual, ahead)
        gap = ahead - pts if ahead is not None and ahead > pts else None
        step = min(own, gap or own) or gap or usual
        previous = pts
        yield picture, pts, step


def _is_out_of_order(previous: int | None, pts: int, ahead: int | None) -> bool:
    """Whether ``pts`` is not after the previous one, or beyond the next one by an error."""
    if previous is None:
        return False
    return pts <= previous or (ahead is not None and previous < ahead < pts)


def _placed(previous: int | None, step: int, ahead: int | None) -> int:
    """A pts for a picture without one: ``previous + step``, or less if the next pts is near."""
    if previous is None:
        return 0 if ahead is None else ahead - step
    if ahead is not None and ahead > previous:
        step = min(step, max(1, (ahead - previous) // 2))
    return previous + step


def _with_next(items: Iterable[T]) -> Iterator[tuple[T, T | None]]:
    """Each item with its successor; the last one with None."""
    rest = iter(items)
    for current in islice(rest, 1):
        for following in rest:
            yield current, following
            current = following
        yield current, None
