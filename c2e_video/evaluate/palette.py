"""How near the colors of one picture are to another's, wherever they lie."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..utils.arrays import Picture
from .metrics import lab_of

STEP, SIDE = 10.0, 110.0  # of the histogram's bins, in ab units

Palette = npt.NDArray[np.float64]


def palette_of(picture: Picture) -> Palette:
    """Shares of the colors of a picture, R'G'B' uint8 ``[H, W, 3]``: a histogram of ab, of sum 1."""
    ab = lab_of(picture)[..., 1:].reshape(-1, 2)
    bins = np.arange(-SIDE, SIDE + STEP, STEP) - STEP / 2
    counts, _, _ = np.histogram2d(ab[:, 0], ab[:, 1], bins=(bins, bins))
    return np.asarray(counts / max(1.0, counts.sum()), np.float64)


def palette_similarity(first: Palette, second: Palette) -> float:
    """The intersection of two palettes, in [0, 1]; 1: the same colors in the same shares."""
    return float(np.minimum(first, second).sum())
