"""Moving what was painted to the colours that were found.

Nothing here is learned; the numbers are measured in docs/results.md.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .feature_maps import pool_to, shifted_views
from .memory import MemoryReadout
from .memory_readout import match_weight

# A guess is evened out over so many quarters each way.
REACH = 3
# Those count that are about as light, in [-1, 1] (the sigma of a Gaussian): colours end where things do.
LIGHTNESS_SIGMA = 0.3
# What a guess counts by, to what was found is 1 added.
MIN_WEIGHT = 0.3


def refine_chroma(ab: Tensor, found: MemoryReadout, lightness: Tensor) -> Tensor:
    """The painted ``ab`` moved to the colours that were found, as far as the memory is believed.

    ``lightness`` ``[N, 1, 2h, 2w]`` in [-1, 1] is that of the frames' quarters. Only what is coarser than a
    quarter of a place moves; the detail in it is the painter's. The painter, made for what it has to guess,
    would also change the colours that are known.
    """
    fine = found.fine
    residual = fine - pool_to(ab, fine)
    residual = found.confidence * _smoothed(residual, found.similarity, lightness)
    return ab + F.interpolate(residual, size=ab.shape[2:], mode="bilinear", align_corners=False)


def _smoothed(residual: Tensor, similarity: Tensor, lightness: Tensor) -> Tensor:
    """What is ``residual``, the more evened out, the less alike the likeliest place is.

    Such a place is not in the reference: it came out of hiding or into the picture. What is found for it is
    what lies where it is expected, for one quarter this and for the next that.
    """
    # Colours are not to teach keys how alike to be: the bounds are of keys as they are.
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
    """``[N, C, h, w]`` as every place sees those around it: ``[N, C, coarse, h, w]``."""
    return torch.stack(shifted_views(planes, range(-REACH, REACH + 1)), dim=2)
