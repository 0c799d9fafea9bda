"""The color prior learned from photographs: clusters of semantic features, each with a histogram of ab."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..color.lab import gray_lightness, rgb_to_lab
from ..errors import BadWeights
from ..model import Color2Embed, load_weights, save_weights
from ..model.color_prior import BINS, PALETTE_SIGMA, SIDE, ColorPrior, bins_of
from ..model.feature_maps import pool_to
from ..model.fuse import fold_batch_norms
from ..model.semantic_memory import SemanticMemory
from .config import TrainConfig
from .dataset import Sampler, open_cache
from .initial_model import with_new_parts

PICTURES = 3000  # photographs that a prior is learned from
PLACES = 96  # cells drawn from each
ROUNDS = 8  # of k-means
LIGHT = 0.35  # weight of lightness beside a key of unit length, when clustering
CHUNK = 4096  # points compared with all clusters at once
NEAREST = 4  # clusters to whose histograms a point is added
# Weights of rare colors: how much they are raised, the number of colors assumed, the least share.
REBALANCE, COLORS, RAREST = 0.85, 200, 1e-6
FADE = 0.02  # share of the histogram of all photographs in each cluster's


def semantic_places(semantic: SemanticMemory, rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Keys ``[P, C]``, lightness ``[P]`` in [-1, 1] and ab ``[P, 2]`` of cells at 1/16 drawn from pictures.

    ``rgb`` is ``[N, 3, H, W]`` in [0, 1], its sides multiples of 16.
    """
    lightness = gray_lightness(rgb) / 50 - 1
    keys = semantic.keys(lightness).float()
    keys = F.normalize(F.avg_pool2d(keys, 2), dim=1)
    ab = pool_to(rgb_to_lab(rgb)[:, 1:], keys)
    light = pool_to(lightness, keys)
    kept = torch.randperm(keys[0, 0].numel())[:PLACES]
    flat = [x.flatten(2)[:, :, kept].transpose(1, 2).flatten(0, 1) for x in (keys, light, ab)]
    return flat[0], flat[1][:, 0], flat[2]


def relearn_prior(
    photos: list[Path],
    out: Path,
    config: TrainConfig,
    *,
    init: Path,
    cells: int = 2048,
    cache: Path | None = None,
) -> None:
    """Write the weights ``init`` with a new color prior, as ``out / "weights.safetensors"``.

    Args:
        photos: Folders or tar files of photographs.
        out: The folder for the weights.
        config: Its seed, the first of its sizes and what it says of folders and photographs count.
        init: Weights that have a semantic encoder.
        cells: The number of the prior's cells.
        cache: Where decoded photographs are kept.

    Raises:
        BadWeights: ``init`` has no semantic encoder.
    """
    begun = load_weights(init)
    if begun.semantic is None:
        raise BadWeights(
            f"{str(init)!r} has no semantic encoder, from which a color prior is learned; "
            "train one with --teacher"
        )
    out.mkdir(parents=True, exist_ok=True)
    sampler = Sampler(open_cache(photos, cache or out / "cache"), config)
    model = with_new_parts(begun, replace(begun.config, prior=cells), "semantic.prior.")
    add_prior(model.eval(), sampler, config)
    save_weights(model, out / "weights.safetensors", half=True)


def add_prior(model: Color2Embed, sampler: Sampler, config: TrainConfig) -> None:
    """Learn the color prior of a network that has a semantic encoder, and put it in."""
    assert model.semantic is not None
    assert model.semantic.prior is not None
    torch.manual_seed(config.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    folded = fold_batch_norms(copy.deepcopy(model.semantic).eval().to(device))
    pictures = (picture.to(device) for picture in whole_photographs(sampler, config))
    prior = learn_prior(folded, pictures, model.config.prior)
    model.semantic.prior.load_state_dict(prior.state_dict())


def whole_photographs(sampler: Sampler, config: TrainConfig) -> Iterator[Tensor]:
    """Photographs RGB ``[1, 3, H, W]`` in [0, 1], each at most once.

    They are whole, as the frames of a film: a part of a picture shows less of what its places are.
    """
    weights = np.diff(sampler.cumulative, prepend=0)
    rng = np.random.default_rng(config.seed)
    count = min(PICTURES, int((weights > 0).sum()))
    for index in rng.choice(len(weights), count, replace=False, p=weights / weights.sum()):
        rgb = torch.from_numpy(sampler.whole(int(index), config.size_at(0), rng))
        yield rgb.permute(2, 0, 1)[None].float() / 255


@torch.no_grad()
def learn_prior(semantic: SemanticMemory, batches: Iterable[Tensor], cells: int) -> ColorPrior:
    """The prior of photographs ``[N, 3, H, W]``, RGB in [0, 1], in ``cells`` clusters."""
    parts = list(zip(*(semantic_places(semantic, rgb) for rgb in batches), strict=True))
    keys, light, ab = (torch.cat(part) for part in parts)
    points = torch.cat((keys, light[:, None] * LIGHT), dim=1)
    cells = min(cells, len(points))
    centers = points[torch.randperm(len(points))[:cells]].clone()
    for _ in range(ROUNDS):
        nearest = _nearest(points, centers, 1)[:, 0]
        count = torch.zeros(cells).index_add_(0, nearest, torch.ones(len(points)))
        total = torch.zeros_like(centers).index_add_(0, nearest, points)
        centers = torch.where(count[:, None] > 0, total / count[:, None].clamp_min(1), centers)
    whole = torch.bincount(bins_of(ab), minlength=BINS).float()
    histograms = torch.zeros(cells, BINS)
    nearest, bins = _nearest(points, centers, min(NEAREST, cells)), bins_of(ab)
    for k in range(nearest.shape[1]):
        flat = nearest[:, k] * BINS + bins
        histograms += torch.bincount(flat, minlength=cells * BINS).view(cells, BINS) / (k + 1)
    histograms = _blurred(histograms) / _blurred(histograms).sum(1, keepdim=True).clamp_min(1e-6)
    histograms = (1 - FADE) * histograms + FADE * _blurred(whole[None]) / whole.sum()
    prior = ColorPrior(cells, keys.shape[1])
    prior.keys.copy_(F.normalize(centers[:, :-1], dim=1).t())
    prior.lightness.copy_(centers[:, -1] / LIGHT)
    prior.histograms.copy_(histograms / histograms.sum(1, keepdim=True))
    prior.rarity.copy_(_rarity(_blurred(whole[None])[0]))
    return prior


def _rarity(counts: Tensor) -> Tensor:
    """Weights of the bins by how often they occur, of mean 1 over all points; 0 for those that never do."""
    shares = counts / counts.sum()
    weights = (shares > RAREST) / ((1 - REBALANCE) * shares + REBALANCE / COLORS)
    return weights / (weights * shares).sum()


def _nearest(points: Tensor, centers: Tensor, count: int) -> Tensor:
    half = centers.square().sum(1) / 2
    return torch.cat(
        [
            torch.topk(part @ centers.t() - half, count, dim=1).indices
            for part in torch.split(points, CHUNK)
        ]
    )


def _blurred(histograms: Tensor) -> Tensor:
    side = 2 * SIDE + 1
    line = torch.arange(side)
    blur = torch.exp(-((line[:, None] - line) ** 2) / (2 * (PALETTE_SIGMA * 0.7) ** 2))
    return (blur @ histograms.view(-1, side, side) @ blur).flatten(1)
