"""The quality presets: each a point on the curve that ``benchmarks/quality_curve.py`` measures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..utils.choices import Quality


class Preset(NamedTuple):
    """A quality.

    Args:
        size: Short side of what the network sees, in pixels.
        anchor_interval: Frames from one that the network predicts to the next, at most, on a CPU.
    """

    size: int
    anchor_interval: int


QUALITIES: Mapping[Quality, Preset] = {
    "draft": Preset(224, 12),
    "standard": Preset(272, 12),
    "best": Preset(352, 12),
}

STANDARD = QUALITIES["standard"]
