"""When each picture is shown: by its own timestamp wherever that makes sense."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from av.video.frame import VideoFrame

from ..frames import VideoInfo

T = TypeVar("T")


def timed(pictures: Iterable[VideoFrame], info: VideoInfo) -> Iterator[tuple[VideoFrame, int, int]]:
    """Each picture with its pts and its duration, in ``info.time_base``.

    pts are strictly increasing: a picture without one, or out of order, is placed after the one
    before. The duration is the picture's own, but not past the next; else the gap to the next; else
    that of the frame rate.
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
    """Whether ``pts`` is not after the one before, or a stray that leaps over what is to come."""
    if previous is None:
        return False
    return pts <= previous or (ahead is not None and previous < ahead < pts)


def _placed(previous: int | None, step: int, ahead: int | None) -> int:
    """A pts for a picture that has none: a step on, or less where the next one is near."""
    if previous is None:
        return 0 if ahead is None else ahead - step
    if ahead is not None and ahead > previous:
        step = min(step, max(1, (ahead - previous) // 2))
    return previous + step


def _with_next(items: Iterable[T]) -> Iterator[tuple[T, T | None]]:
    """Each item and the one after it."""
    rest = iter(items)
    for current in islice(rest, 1):
        for following in rest:
            yield current, following
            current = following
        yield current, None
