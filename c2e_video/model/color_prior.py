"""The prior: the colours that things usually have, kept in the weights as a codebook of semantic features.

A cluster of the codebook is a key (a mean of semantic features), a lightness and a histogram of ab over
photographs. The color distribution of a picture's cell is the mean of the clusters' histograms, weighted by
similarity. It is averaged over the similar cells of the same picture, and multiplied by the reference's
palette if there is one. The color is its annealed mean (Zhang, Isola and Efros 2016): near the mode, without
jumps between neighbouring cells.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .feature_maps import cell_logits
from .self_affinity import SelfAffinity

AB_SCALE = 110.0
# Bins of ab: STEP units wide, from -SIDE to SIDE.
STEP, SIDE = 10.0, 10
BINS = (2 * SIDE + 1) ** 2
# Logits of the clusters: SHARPNESS * cosine - LIGHTNESS * (difference of lightness)^2.
SHARPNESS, LIGHTNESS = 20.0, 2.0
TEMPERATURE = 0.38
# Factor of ab: a mean of different colors has less chroma than they have.
VIVID = 1.25
# The distribution is multiplied by (palette + FLOOR) ^ PULL, where there is a palette.
PULL, FLOOR = 0.2, 0.1
PLAUSIBLE = 0.8  # likelihood over the largest one from which on a color is wholly plausible
DOUBT = 30.0  # ab units of deviation at which certainty is 1 / e
PALETTE_SIGMA = 1.0  # of the palette's histogram, in bins


class ColorPrior(nn.Module):
    """``cells`` clusters: keys ``[dim, cells]`` of unit length, lightness in [-1, 1], histograms of sum 1.

    ``rarity`` are weights of the bins that balance how often their colors occur. Most pixels of photographs
    are nearly gray; without the weights, so would be most predictions (Zhang, Isola and Efros 2016, eq. 4).
    """

    keys: Tensor
    lightness: Tensor
    histograms: Tensor
    rarity: Tensor

    def __init__(self, cells: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("keys", torch.zeros(dim, cells))
        self.register_buffer("lightness", torch.zeros(cells))
        self.register_buffer("histograms", torch.full((cells, BINS), 1 / BINS))
        self.register_buffer("rarity", torch.ones(BINS))

    def forward(self, affinity: SelfAffinity) -> Tensor:
        """The probability of each bin of ab in each cell, of sum 1: ``[N, P, BINS]``."""
        # In the network's number format: the product with the histograms takes much of the time.
        dtype = self.keys.dtype
        cosines = (affinity.keys.to(dtype) @ self.keys).float()
        as_light = (LIGHTNESS, affinity.lightness, self.lightness.float()[None, None])
        scores = cell_logits(cosines, SHARPNESS, [as_light])
        return affinity.average((scores.softmax(2).to(dtype) @ self.histograms).float())


def expected_color(
    likelihood: Tensor, rarity: Tensor, palette: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The annealed mean of each cell: ab / 110 ``[N, P, 2]``, and its certainty ``[N, P, 1]`` in [0, 1].

    Args:
        likelihood: Of the bins, ``[N, P, BINS]``.
        rarity: Weights of the bins, ``[BINS]``.
        palette: Shares of the bins in the reference, ``[N or 1, BINS]``; None without one.
    """
    likelihood = likelihood * rarity.float()
    if palette is not None:
        likelihood = likelihood * (palette[:, None] / palette.amax() + FLOOR) ** PULL
    sharp = (likelihood / likelihood.amax(2, keepdim=True).clamp_min(1e-30)) ** (1 / TEMPERATURE)
    sharp = sharp / sharp.sum(2, keepdim=True)
    centers = bin_centers(likelihood.device).float()
    ab = sharp @ centers
    variance = sharp @ centers.square().sum(1, keepdim=True) - ab.square().sum(2, keepdim=True)
    return VIVID * ab / AB_SCALE, torch.exp(-variance.clamp_min(0).sqrt() / DOUBT)


def plausibility(likelihood: Tensor, ab: Tensor) -> Tensor:
    """How plausible the color ab / 110 ``[N, P, 2]`` of each cell is, in [0, 1]: ``[N, P, 1]``.

    1 where the likelihood of its bin is at least ``PLAUSIBLE`` times the largest; below, proportional.
    """
    bins = bins_of(ab.float() * AB_SCALE)[..., None]
    share = likelihood.gather(2, bins) / likelihood.amax(2, keepdim=True).clamp_min(1e-30)
    return (share / PLAUSIBLE).clamp(0, 1)


def bin_centers(device: torch.device) -> Tensor:
    """The ab of each bin, ``[BINS, 2]``."""
    side = torch.arange(-SIDE, SIDE + 1, device=device) * STEP
    return torch.cartesian_prod(side, side)


def bins_of(ab: Tensor) -> Tensor:
    """The bin of each ab ``[..., 2]``, int64 ``[...]``."""
    steps = (ab / STEP).round().clamp(-SIDE, SIDE).long() + SIDE
    return steps[..., 0] * (2 * SIDE + 1) + steps[..., 1]


def palette_of(ab: Tensor, bias: Tensor) -> Tensor:
    """Shares of the bins ``[N, BINS]`` of ab / 110 ``[N, 2, M]``; cells weigh exp(``bias``)."""
    bins = bins_of(ab.float().transpose(1, 2) * AB_SCALE)
    weight = bias.float().exp()
    shares = weight.new_zeros(len(ab), BINS).scatter_add_(1, bins, weight)
    side = 2 * SIDE + 1
    line = torch.arange(side, device=ab.device)
    blur = torch.exp(-((line[:, None] - line) ** 2) / (2 * PALETTE_SIGMA**2))
    shares = (blur @ shares.view(-1, side, side) @ blur).flatten(1)
    return shares / shares.sum(1, keepdim=True)
