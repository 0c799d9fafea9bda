"""Depth and range of luma samples, and the conversion between them."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, cast

import numpy as np

from ..utils.arrays import Plane


class LumaRange(NamedTuple):
    """What luma samples mean.

    Args:
        bit_depth: 8 to 16.
        full_range: Whether black and white are the ends of all values; else 16 and 235 of 8 bits.
    """

    bit_depth: int
    full_range: bool

    @property
    def ends(self) -> tuple[int, int]:
        """The samples that mean black and white."""
        if self.full_range:
            return 0, (1 << self.bit_depth) - 1
        return 16 << (self.bit_depth - 8), 235 << (self.bit_depth - 8)

    @property
    def to_unit(self) -> tuple[float, float]:
        """``(scale, offset)``: ``(luma - offset) * scale`` is 0 for black and 1 for white."""
        black, white = self.ends
        return 1 / (white - black), float(black)


def convert(luma: Plane, before: LumaRange, after: LumaRange) -> Plane:
    """Luma of one depth and range in another, each sample to the nearest step.

    Black stays black and white white. What lies below or above is kept where there is room.

    Args:
        luma: uint8 or uint16, of any shape.
        before: What its samples mean.
        after: What they are to mean.

    Returns:
        uint8 for 8 bits, uint16 above, of the same shape.
    """
    return cast(Plane, np.take(_steps(before, after), luma, mode="clip"))


@lru_cache(maxsize=8)
def _steps(before: LumaRange, after: LumaRange) -> Plane:
    (black, white), (low, high) = before.ends, after.ends
    samples = np.arange(1 << before.bit_depth, dtype=np.float64)
    steps = np.rint((samples - black) * ((high - low) / (white - black)) + low)
    steps = steps.clip(0, (1 << after.bit_depth) - 1)
    return steps.astype(np.uint8) if after.bit_depth == 8 else steps.astype(np.uint16)
