"""How near the colors of one picture are to another's, wherever they lie."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .metrics import Picture, lab_of

STEP, SIDE = 10.0, 110.0  # of the histogram's bins, in ab units


def palette_similarity(picture: Picture, reference: Picture) -> float:
    """Intersection of the pictures' ab histograms, in [0, 1]; 1: the same colors in the same shares.

    Args:
        picture: R'G'B' uint8 ``[H, W, 3]``.
        reference: The same, of any size.
    """
    return float(np.minimum(_histogram(picture), _histogram(reference)).sum())


def _histogram(picture: Picture) -> npt.NDArray[np.float64]:
    ab = lab_of(picture)[..., 1:].reshape(-1, 2)
    bins = np.arange(-SIDE, SIDE + STEP, STEP) - STEP / 2
    counts, _, _ = np.histogram2d(ab[:, 0], ab[:, 1], bins=(bins, bins))
    return np.asarray(counts / max(1.0, counts.sum()), np.float64)
