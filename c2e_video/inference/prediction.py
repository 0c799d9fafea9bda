"""What the network, or interpolation, gives for a frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..utils.arrays import Floats


@dataclass(frozen=True, eq=False)
class LabPrediction:
    """Colours of a frame at the size of the network's output, or of the chroma planes if that is smaller.

    Args:
        lightness: L* in [0, 100], fp32 ``[h, w]``.
        ab: a* and b*, fp32 ``[2, h, w]``.
    """

    lightness: Floats
    ab: Floats

    def scaled(self, factor: float) -> LabPrediction:
        """The same with a* and b* multiplied."""
        return self if factor == 1 else LabPrediction(self.lightness, self.ab * np.float32(factor))

    @property
    def is_finite(self) -> bool:
        """Whether every a* and b* is a number. One NaN would spread to the frames around."""
        return bool(np.isfinite(self.ab).all())
