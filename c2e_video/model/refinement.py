"""The PFFN's prediction is moved toward the colours read from the memory, as far as these are certain.

Nothing here is learned; the constants were chosen by measurement (docs/how-it-works.md).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .feature_maps import pool_to, shifted_views
from .memory import MemoryReadout
from .memory_readout import match_weight

# Radius of the bilateral smoothing, in fine cells.
REACH = 3
# Sigma of its lightness kernel; lightness is in [-1, 1]. Colours stop at edges of lightness.
LIGHTNESS_SIGMA = 0.3
# Weight of a cell without a match; a cell with a certain match has 1 more.
MIN_WEIGHT = 0.3


def refine_chroma(ab: Tensor, found: MemoryReadout, lightness: Tensor) -> Tensor:
    """Add to the prediction the difference between the memory's colours and the prediction at 1/4.

    Only frequencies below 1/4 of the size are changed; detail is the PFFN's. ab + up(confidence *
    smooth(memory's ab - mean of ab)).

    Args:
        ab: The prediction, ab / 110, ``[N, 2, H, W]``.
        found: The memory's readout.
        lightness: Lightness of the frames' fine cells in [-1, 1], ``[N, 1, 2h, 2w]``.

    Returns:
        The refined ab / 110, ``[N, 2, H, W]``.
    """
    fine = found.fine
    residual = fine - pool_to(ab, fine)
    residual = found.confidence * _smoothed(residual, found.similarity, lightness)
    return ab + F.interpolate(residual, size=ab.shape[2:], mode="bilinear", align_corners=False)


def _smoothed(residual: Tensor, similarity: Tensor, lightness: Tensor) -> Tensor:
    """Bilateral mean of ``residual`` where matches are weak, ``residual`` itself where they are strong.

    A cell with a weak match is not visible in the reference. Its colour is that of whatever the
    displacement prior points to, and differs from cell to cell without the smoothing.
    """
    # No gradient to the keys: the bounds of match_weight hold for keys as they are.
    similarity = similarity.detach()
    match = match_weight(
        F.interpolate(similarity, size=residual.shape[2:], mode="bilinear", align_corners=False)
    )
    as_light = torch.exp(
        -((_neighborhood(lightness) - lightness[:, :, None]) ** 2) / (2 * LIGHTNESS_SIGMA**2)
    )
    weights = as_light * (_neighborhood(match) + MIN_WEIGHT)
    even = (_neighborhood(residual) * weights).sum(2) / weights.sum(2)
    return torch.lerp(even, residual, match)


def _neighborhood(planes: Tensor) -> Tensor:
    """The cells around every cell: ``[N, C, h, w]`` to ``[N, C, (2 * REACH + 1)^2, h, w]``."""
    return torch.stack(shifted_views(planes, range(-REACH, REACH + 1)), dim=2)
