"""Histograms of gradient orientations (HOG, Dalal and Triggs 2005) of lightness.

They change little with grain, blur and exposure. They are not learned: photographs contain few of the
changes between a keyframe and another frame of its shot.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .feature_maps import pool_to, shifted_views

# A constant component: cells without gradients then resemble one another instead of having no direction.
OFFSET = 1e-3


def orientation_histograms(lightness: Tensor, like: Tensor) -> Tensor:
    """Orientation histograms of every cell and its eight neighbours.

    Args:
        lightness: ``[N, 1, H, W]`` in [-1, 1].
        like: Features ``[N, C, h, w]`` whose cells are described.

    Returns:
        fp32 ``[N, 37, h, w]``, not normalised: strengths in four directions for nine cells, minus the
        picture's mean (without which all cells are similar), and a constant.
    """
    wider = F.pad(lightness.float(), (1, 1, 1, 1), mode="replicate")
    across = wider[..., 1:-1, 2:] - wider[..., 1:-1, :-2]
    down = wider[..., 2:, 1:-1] - wider[..., :-2, 1:-1]
    strength = (across.square() + down.square()).clamp_min(1e-12)
    directed = torch.cat((across, down, across + down, across - down), dim=1).square()
    directed[:, 2:] /= 2
    # cos^4 separates the directions. The root of the strength reduces the influence of contrast.
    seen = pool_to((directed / strength).square() * strength.pow(0.25), like)
    seen = seen - seen.mean((2, 3), keepdim=True)
    return torch.cat(
        (*shifted_views(seen, (-1, 0, 1)), torch.full_like(seen[:, :1], OFFSET)), dim=1
    )
