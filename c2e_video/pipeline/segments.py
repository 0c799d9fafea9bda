"""Segments: the film cut into units of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..video.frames import Shot

SEGMENT_SECONDS = 10.0  # of film; shorter ones cost bits, for each begins with a whole picture


@dataclass(frozen=True)
class Segment:
    """The frames with ``start <= pts < stop``: consecutive whole shots, or a piece of a long one.

    ``index`` counts the film's segments from 0.
    """

    index: int
    start: int
    stop: int


def cut_segments(shots: Sequence[Shot], length: int) -> list[Segment]:
    """Cut a film into segments.

    A frame's colours depend on its shot, never on its segment: a cut within a shot is not visible.

    Args:
        shots: All shots, in order and without holes.
        length: At most so many pts go into a segment. A longer shot is split.

    Returns:
        The segments, in order and without holes.
    """
    borders = [shots[0].start]
    for shot in shots:
        if shot.stop - borders[-1] > length and shot.start > borders[-1]:
            borders.append(shot.start)
        while shot.stop - borders[-1] > length:
            borders.append(borders[-1] + length)
    borders.append(shots[-1].stop)
    return [Segment(i, start, stop) for i, (start, stop) in enumerate(pairwise(borders))]
