"""Which way the edges of lightness run: what grain, blur and another exposure leave nearly as it was.

Not learned. What is learned of photographs knows little of what changes from a keyframe to a frame of film;
measured in docs/results.md. Histograms of gradients by direction, as Dalal and Triggs (2005) have them.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .feature_maps import pool_to, shifted_views

# So much is the same everywhere: places of a picture without edges are like one another, not like nothing.
OFFSET = 1e-3


def orientation_histograms(lightness: Tensor, like: Tensor) -> Tensor:
    """Edges around every place of ``like`` ``[N, C, h, w]``: fp32 ``[N, 37, h, w]``, of any length.

    Of ``lightness`` ``[N, 1, H, W]`` in [-1, 1]: how strong those are that run in each of four directions, at
    the place and the eight around it, less the picture's mean (without that, all places are alike).
    """
    wider = F.pad(lightness.float(), (1, 1, 1, 1), mode="replicate")
    across = wider[..., 1:-1, 2:] - wider[..., 1:-1, :-2]
    down = wider[..., 2:, 1:-1] - wider[..., :-2, 1:-1]
    strength = (across.square() + down.square()).clamp_min(1e-12)
    directed = torch.cat((across, down, across + down, across - down), dim=1).square()
    directed[:, 2:] /= 2
    # The fourth power of the cosine parts the directions; by the strength's root a faint edge tells as
    # much as one of high contrast.
    seen = pool_to((directed / strength).square() * strength.pow(0.25), like)
    seen = seen - seen.mean((2, 3), keepdim=True)
    return torch.cat(
        (*shifted_views(seen, (-1, 0, 1)), torch.full_like(seen[:, :1], OFFSET)), dim=1
    )
