"""Frames without times of their own: numbered pictures, and MXF, whose frames have one rate."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from ...errors import MediaError
from ..decode import numbered
from .plan import MuxPlan

_LISTED = 8  # so many stretches of missing numbers, or fields, are named
# Frames a second that MXF knows (SMPTE ST 385, content package rates).
_MXF_RATES = frozenset(
    Fraction(whole * 1000, part)
    for whole in (24, 30, 48, 60, 72, 90, 96, 120)
    for part in (1000, 1001)
) | {Fraction(25), Fraction(50), Fraction(75), Fraction(100)}


def check_rate(plan: MuxPlan) -> None:
    """Raise :class:`MediaError` if the container, MXF, has not the film's frame rate."""
    rate = plan.info.frame_rate
    if plan.container.muxer == "mxf" and rate not in _MXF_RATES:
        shown = f"{float(rate):.5g}" if rate else "an unknown number of"
        raise MediaError(
            f"{plan.source.name} has {shown} frames a second, which mxf cannot hold (23.976, 24, 25, 29.97, "
            "30, 48, 50, 59.94, 60 and some above); write to .mov"
        )


def check_times(plan: MuxPlan, pts: Sequence[int]) -> list[str]:
    """Lines on what a container without times of its own makes of the film's times.

    Args:
        plan: What goes into the output.
        pts: Those of all its frames, in order.

    Raises:
        MediaError: The container has one rate (mxf), and the film has not.
    """
    if plan.container.muxer not in ("image2", "mxf"):
        return []
    numbers = frame_numbers(plan, pts)
    varies = numbers is None
    if plan.container.muxer == "mxf":
        if varies or any(after != before + 1 for before, after in pairwise(numbers or ())):
            raise MediaError(
                f"the times of {plan.source.name} are not those of one frame rate, which mxf needs; "
                "write to .mov"
            )
        return []
    if numbers is None:
        return [
            "the film's frame rate varies: its pictures are numbered one after another, and do not "
            "follow the sound"
        ]
    holes = [(a + 1, b - 1) for a, b in pairwise(numbers) if b > a + 1]
    if not holes:
        return []
    named = listed([f"{a}" if a == b else f"{a} to {b}" for a, b in holes])
    return [f"numbers {named} are missing, for the film has no frame there"]


def frame_numbers(plan: MuxPlan, pts: Sequence[int]) -> list[int] | None:
    """The numbers of frames by their times; None where two would have one number.

    Numbered pictures keep theirs. A film's first frame is 1, and a number is a frame's time by the film's
    rate: where the film has no frame, a number is missing.
    """
    if plan.info.frame_rate is None:
        return None
    run = numbered(plan.source)
    zero, first = (0, run.numbers[0]) if run else (pts[0], 1)
    step = plan.info.time_base * plan.info.frame_rate
    numbers = [first + round((t - zero) * step) for t in pts]
    return numbers if all(a < b for a, b in pairwise(numbers)) else None


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = [f"and {len(names) - _LISTED} more"] if len(names) > _LISTED else []
    return ", ".join([*names[:_LISTED], *more])
