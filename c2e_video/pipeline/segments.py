"""The unit of work: consecutive whole shots, or a piece of a long one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..video.frames import Shot

SEGMENT_SECONDS = 10.0  # of film; shorter ones cost bits, for each begins with a whole picture


@dataclass(frozen=True)
class Segment:
    """The unit of work: frames with ``start <= pts < stop``, whole shots or a piece of a long one."""

    index: int
    start: int
    stop: int


def cut_segments(shots: Sequence[Shot], length: int) -> list[Segment]:
    """Consecutive shots gathered into segments of about ``length`` pts; longer shots are split.

    A split shows nowhere: the embedding, not the segment, carries a shot's look.
    """
    borders = [shots[0].start]
    for shot in shots:
        if shot.stop - borders[-1] > length and shot.start > borders[-1]:
            borders.append(shot.start)
        while shot.stop - borders[-1] > length:
            borders.append(borders[-1] + length)
    borders.append(shots[-1].stop)
    return [Segment(i, start, stop) for i, (start, stop) in enumerate(pairwise(borders))]
