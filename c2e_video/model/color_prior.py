"""The prior: the colours that things usually have, kept in the weights as a codebook of semantic cells.

A cell is a key (a cluster of semantic features), a lightness and a histogram of ab over photographs. The
distribution of a place's color is the mean of the histograms of the cells it is like. It is averaged over
places that are alike in the picture itself, and multiplied by the reference's palette if there is one. Its
annealed mean (Zhang, Isola and Efros 2016) is the color: near the mode, without jumps between places.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .self_affinity import SelfAffinity

AB_SCALE = 110.0
# Bins of ab: STEP units wide, from -SIDE to SIDE.
STEP, SIDE = 10.0, 10
BINS = (2 * SIDE + 1) ** 2
# Softmax over cells: SHARPNESS * cosine - LIGHTNESS * (difference of lightness)^2.
SHARPNESS, LIGHTNESS = 20.0, 2.0
TEMPERATURE = 0.38
# Means are paler than what they are means of: so much is made up for.
VIVID = 1.25
# The palette's part: the distribution is multiplied by (palette + FLOOR) ^ PULL.
PULL, FLOOR = 0.4, 0.1
PLAUSIBLE = 0.5
DOUBT = 30.0  # ab units of deviation at which certainty is 1 / e
PALETTE_SIGMA = 1.0  # of the palette's histogram, in bins


class ColorPrior(nn.Module):
    """``cells`` cells: keys of unit length and ``dim`` features, lightness in [-1, 1], histograms of sum 1.

    ``rarity`` are weights of the bins that make up for how rare their colors are: most places of
    photographs are nearly gray, and nearly all would be painted so (Zhang, Isola and Efros 2016, eq. 4).
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
        """How likely each bin of ab is at each place, of sum 1: ``[N, P, BINS]``."""
        # In the network's own numbers: the histograms make up much of the cost.
        dtype = self.keys.dtype
        scores = SHARPNESS * (affinity.keys.to(dtype) @ self.keys).float()
        scores = scores - LIGHTNESS * (affinity.lightness - self.lightness.float()).square()
        return affinity.average((scores.softmax(2).to(dtype) @ self.histograms).float())


def expected_color(
    likelihood: Tensor, rarity: Tensor, palette: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The annealed mean of each place: ab / 110 ``[N, P, 2]``, and its certainty ``[N, P, 1]`` in [0, 1].

    Args:
        likelihood: Of the bins, ``[N, P, BINS]``.
        rarity: What raises them, ``[BINS]``.
        palette: Shares of the bins ``[N or 1, BINS]`` to be near to.
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
    """How far each place may have the color ab / 110 ``[N, P, 2]``, in [0, 1]: ``[N, P, 1]``.

    1 where its bin has at least ``PLAUSIBLE`` of the likelihood of the likeliest.
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
    """Shares of the bins ``[N, BINS]`` of ab / 110 ``[N, 2, M]``; places weigh by exp(``bias``)."""
    bins = bins_of(ab.float().transpose(1, 2) * AB_SCALE)
    weight = bias.float().exp()
    shares = weight.new_zeros(len(ab), BINS).scatter_add_(1, bins, weight)
    side = 2 * SIDE + 1
    line = torch.arange(side, device=ab.device)
    blur = torch.exp(-((line[:, None] - line) ** 2) / (2 * PALETTE_SIGMA**2))
    shares = (blur @ shares.view(-1, side, side) @ blur).flatten(1)
    return shares / shares.sum(1, keepdim=True)
