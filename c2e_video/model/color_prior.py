"""The prior: the colours that things usually have, kept in the weights as a codebook of semantic cells.

A cell is a key (a cluster of semantic features), a lightness and a histogram of ab over photographs. The
distribution of a place's color is the mean of the histograms of the cells it is like. It is averaged over
places that are alike in the picture itself, and multiplied by the reference's palette if there is one. Its
annealed mean (Zhang, Isola and Efros 2016) is the color: near the mode, without jumps between places.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .feature_maps import grid_positions

AB_SCALE = 110.0
# Bins of ab: STEP units wide, from -SIDE to SIDE.
STEP, SIDE = 10.0, 10
BINS = (2 * SIDE + 1) ** 2
# Softmax over cells: SHARPNESS * cosine - LIGHTNESS * (difference of lightness)^2.
SHARPNESS, LIGHTNESS = 32.0, 2.0
# The same over places of the picture itself, less NEAR * (distance in short sides)^2.
OWN_SHARPNESS, OWN_LIGHTNESS, NEAR = 30.0, 8.0, 12.0
TEMPERATURE = 0.42
# The palette's part: the distribution is multiplied by (palette + FLOOR) ^ PULL.
PULL, FLOOR = 0.5, 0.02
PALETTE_SIGMA = 1.0  # of the palette's histogram, in bins


class ColorPrior(nn.Module):
    """``cells`` cells of ``dim`` features: keys of unit length, lightness in [-1, 1], histograms, rare colors raised."""

    keys: Tensor
    lightness: Tensor
    histograms: Tensor

    def __init__(self, cells: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("keys", torch.zeros(dim, cells))
        self.register_buffer("lightness", torch.zeros(cells))
        self.register_buffer("histograms", torch.full((cells, BINS), 1 / BINS))

    def forward(
        self, keys: Tensor, lightness: Tensor, palette: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """ab / 110 ``[N, 2, h, w]`` and its certainty ``[N, 1, h, w]`` in [0, 1].

        Args:
            keys: Semantic keys ``[N, C, h, w]`` at 1/8; the prior is read at 1/16.
            lightness: ``[N, 1, h, w]`` in [-1, 1].
            palette: Shares of the bins ``[N or 1, BINS]`` to be near to.
        """
        n, _, h, w = keys.shape
        size = (max(1, h // 2), max(1, w // 2))
        coarse = F.normalize(F.adaptive_avg_pool2d(keys.float(), size), dim=1)
        queries = coarse.flatten(2).transpose(1, 2)
        light = F.adaptive_avg_pool2d(lightness, size).flatten(2).transpose(1, 2)
        scores = SHARPNESS * (queries @ self.keys.float())
        scores = scores - LIGHTNESS * (light - self.lightness.float()).square()
        shares = scores.softmax(2) @ self.histograms.float()
        shares = _own_affinity(queries, light, size) @ shares
        if palette is not None:
            shares = shares * (palette[:, None] / palette.amax() + FLOOR) ** PULL
        sharp = shares ** (1 / TEMPERATURE)
        sharp = sharp / sharp.sum(2, keepdim=True).clamp_min(1e-30)
        centers = bin_centers(keys.device)
        ab = (sharp @ centers).transpose(1, 2).reshape(n, 2, *size) / AB_SCALE
        second = sharp @ centers.square().sum(1)
        variance = second.view(n, 1, *size) - (ab * AB_SCALE).square().sum(1, keepdim=True)
        deviation = variance.clamp_min(0).sqrt()
        certainty = torch.exp(-deviation / 30)
        ab, certainty = (
            F.interpolate(x, size=(h, w), mode="bilinear", align_corners=False)
            for x in (ab, certainty)
        )
        return ab, certainty


def bin_centers(device: torch.device) -> Tensor:
    """The ab of each bin, ``[BINS, 2]``."""
    side = torch.arange(-SIDE, SIDE + 1, device=device) * STEP
    return torch.cartesian_prod(side, side)


def bins_of(ab: Tensor) -> Tensor:
    """The bin of each ab ``[..., 2]``, int64 ``[...]``."""
    steps = (ab / STEP).round().clamp(-SIDE, SIDE).long() + SIDE
    return steps[..., 0] * (2 * SIDE + 1) + steps[..., 1]


def palette_of(ab: Tensor, bias: Tensor) -> Tensor:
    """Shares of the bins ``[N, BINS]`` of ab / 110 ``[N, 2, M]``; places weigh by exp(``bias``)."""
    bins = bins_of(ab.float().transpose(1, 2) * AB_SCALE)
    weight = bias.float().exp()
    shares = weight.new_zeros(len(ab), BINS).scatter_add_(1, bins, weight)
    side = 2 * SIDE + 1
    line = torch.arange(side, device=ab.device)
    blur = torch.exp(-((line[:, None] - line) ** 2) / (2 * PALETTE_SIGMA**2))
    shares = (blur @ shares.view(-1, side, side) @ blur).flatten(1)
    return shares / shares.sum(1, keepdim=True)


def _own_affinity(queries: Tensor, light: Tensor, size: tuple[int, int]) -> Tensor:
    """How places of the picture itself go together, rows of sum 1: ``[N, h*w, h*w]``."""
    h, w = size
    place = grid_positions(size, queries.device) * torch.tensor(
        [[h / min(size)], [w / min(size)]], device=queries.device
    )
    distance = (place[:, :, None] - place[:, None]).square().sum(0)
    scores = OWN_SHARPNESS * (queries @ queries.transpose(1, 2))
    scores = scores - OWN_LIGHTNESS * (light - light.transpose(1, 2)).square() - NEAR * distance
    return scores.softmax(2)
