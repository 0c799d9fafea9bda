"""When the frames of the output are shown.

mp4 and mov say times exactly. A film of constant rate, whose container rounded its times to a clock
of milliseconds as Matroska does, has its constant rate there again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor

from ..encode import Part
from .plan import MuxPlan

_ROUNDING = Fraction(1, 2000)  # seconds: as far as a clock of milliseconds moves a frame


@dataclass(frozen=True)
class FrameTimes:
    """pts and durations of all frames in order of display, in ticks of ``time_base``."""

    time_base: Fraction
    pts: Sequence[int]
    durations: Sequence[int]

    @property
    def is_constant(self) -> bool:
        """Whether all steps are equal, but for the rounding of the clock."""
        steps = [after - before for before, after in pairwise(self.pts)]
        return not steps or max(steps) - min(steps) <= 1


def frame_times(plan: MuxPlan, parts: Sequence[Part]) -> FrameTimes:
    """The times of the parts' frames in the output of ``plan``.

    They are the film's own, less the origin. In mp4 and mov, frames that are all within half a
    millisecond (or half a tick of a clock that rounds the steps) of ``t0 + n / frame_rate`` are shown at
    just that.

    Args:
        plan: What goes into the output.
        parts: The colorized picture, in order.
    """
    times = FrameTimes(
        plan.info.time_base,
        [pts - plan.origin for part in parts for pts in part.pts],
        [duration for part in parts for duration in part.durations],
    )
    if not plan.container.quicktime or not plan.info.frame_rate:
        return times
    return constant_times(times, plan.info.frame_rate) or times


def constant_times(times: FrameTimes, rate: Fraction) -> FrameTimes | None:
    """Make the steps between frames exactly equal.

    Args:
        times: Of all frames.
        rate: Frames a second.

    Returns:
        The times with a clock of ``rate.numerator`` ticks a second; None if they are not of this rate,
        or exactly so already.
    """
    base, step = times.time_base, 1 / rate
    off = [pts * base - number * step for number, pts in enumerate(times.pts)]
    rounds = (
        step / base
    ).denominator > 1  # else a step of one tick, as in avi, would be a rounding
    room = max(_ROUNDING, base / 2) if rounds else _ROUNDING
    low, high = max(off) - room, min(off) + room
    if low > high or max(off) == min(off):
        return None
    new_base = Fraction(1, rate.numerator)
    first = _start(off[0] / new_base, low / new_base, high / new_base)
    if first is None:
        return None
    count, duration = len(times.pts), rate.denominator
    last = round(times.durations[-1] * base / new_base)
    held = abs(times.durations[-1] * base - step) > 2 * room
    durations = [duration] * (count - 1) + [last if held else duration]
    return FrameTimes(new_base, [first + n * duration for n in range(count)], durations)


def _start(wanted: Fraction, low: Fraction, high: Fraction) -> int | None:
    """The whole number in an interval that is nearest to ``wanted``."""
    inside = min(max(round(wanted), ceil(low)), floor(high))
    return inside if low <= inside <= high else None
