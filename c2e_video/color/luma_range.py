"""What luma samples mean, and luma between depths and ranges: only where a film or a profile asks for it."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, cast

import numpy as np

from ..utils.arrays import Plane


class LumaRange(NamedTuple):
    """What luma samples mean: their depth in bits, and whether their range is full."""

    bit_depth: int
    full_range: bool

    @property
    def ends(self) -> tuple[int, int]:
        """The samples that mean black and white."""
        if self.full_range:
            return 0, (1 << self.bit_depth) - 1
        return 16 << (self.bit_depth - 8), 235 << (self.bit_depth - 8)


def convert(luma: Plane, before: LumaRange, after: LumaRange) -> Plane:
    """The samples of one scale on another, each to the nearest step: black stays black, white white.

    uint8 for 8 bits, uint16 above. What lies below black or above white is kept where there is room.
    """
    return cast(Plane, np.take(_steps(before, after), luma, mode="clip"))


@lru_cache(maxsize=8)
def _steps(before: LumaRange, after: LumaRange) -> Plane:
    (black, white), (low, high) = before.ends, after.ends
    samples = np.arange(1 << before.bit_depth, dtype=np.float64)
    steps = np.rint((samples - black) * ((high - low) / (white - black)) + low)
    steps = steps.clip(0, (1 << after.bit_depth) - 1)
    return steps.astype(np.uint8) if after.bit_depth == 8 else steps.astype(np.uint16)
