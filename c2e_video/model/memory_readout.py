"""Reading a colour memory: softmax attention of the frame's cells over the memory's cells, coarse to fine.

Coarse cells are those of the features at 1/8, numbered row by row; each has four fine cells at 1/4. Only
the two logit scales (inverse temperatures), which are arguments here, are learned.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .memory import MatchFeatures, Memory, MemoryReadout
from .motion_prior import DisplacementPrior, Matches, mutual_nearest_neighbors

# Weight of a mutual match: 0 up to a cosine of COSINE_LOW, 1 from COSINE_HIGH on. Between different
# scenes there are many mutual matches with low cosines.
COSINE_LOW, COSINE_HIGH = 0.65, 0.75
# Confidence of a memory: 0 up to a match share of CONFIDENCE_LOW, 1 from CONFIDENCE_HIGH on. Of 1,025
# pairs of different scenes 95 % have a share below 0.21; pairs of the same scene have 0.27 to 1 (0.19
# with strong grain).
CONFIDENCE_LOW, CONFIDENCE_HIGH = 0.1, 0.7
# At confidence 0 the logit scale is multiplied by this: the mean of many colours, where the colour of an
# accidental nearest cell would leave patches.
MIN_LOGIT_SCALE = 0.1
# Coarse cells whose fine cells are compared.
TOP_K = 32
# Subtracted from a fine cell's logit per squared difference of lightness, which is in [-1, 1]. Not
# learned: in training a picture has the lightness of its reference.
LIGHTNESS_PENALTY = 40.0
# Cells of a frame that are processed together on a CPU: their scores fit into its caches.
ROWS = 64
# Group size of the two-level top-k.
GROUPED = 8


def read_memory(
    features: MatchFeatures,
    memory: Memory,
    cosines: Tensor,
    logit_scale: Tensor,
    fine_logit_scale: Tensor,
) -> MemoryReadout:
    """Read the memory for every cell of a frame.

    Logits of coarse cells: logit_scale * cosine + bias + log-prior of the displacement. Values are their
    softmax mean. The fine cells of the TOP_K coarse cells are then compared with the frame's fine cells.

    Args:
        features: The frames' features.
        memory: One memory for all frames, or one for each.
        cosines: Cosines of the frames' and the memory's coarse cells, ``[N, h*w, M]``.
        logit_scale: Inverse temperature of the coarse softmax, a scalar.
        fine_logit_scale: Inverse temperature of the fine softmax, a scalar.

    Returns:
        The readout.
    """
    n, _, h, w = features.coarse.shape
    biased = cosines + memory.bias[:, None] / logit_scale if memory.bias.any() else cosines
    matches = mutual_nearest_neighbors(biased, (h, w))
    confidence = _ramp(match_share(cosines, matches), CONFIDENCE_LOW, CONFIDENCE_HIGH).view(n, 1, 1)
    logit_scale = logit_scale * (MIN_LOGIT_SCALE + (1 - MIN_LOGIT_SCALE) * confidence)
    prior = DisplacementPrior.between(cosines, memory, matches, (h, w))
    fine_cells = _FineCells.of(memory)
    found = []
    fine_features = (_by_coarse_cell(features.fine), _by_coarse_cell(features.lightness.float()))
    for alike, here, keys, lightness in _in_chunks(cosines, prior.frame, *fine_features):
        before = memory.bias[:, None] + prior.log_prior_at(here)
        scores = torch.addcmul(before, alike, logit_scale)
        top = _top_k(scores, TOP_K)
        values = scores.softmax(2).to(memory.values.dtype) @ memory.values.transpose(1, 2)
        fine_ab = _match_fine(keys, lightness, top, fine_cells, fine_logit_scale)
        found.append((values, alike.gather(2, top[1][..., :1]), fine_ab.flatten(2)))
    values, similarity, fine = (
        torch.cat(parts, dim=1).transpose(1, 2).reshape(n, -1, h, w).to(memory.values.dtype)
        for parts in zip(*found, strict=True)
    )
    confidence = confidence[..., None].to(values.dtype)
    return MemoryReadout(values, similarity, confidence, F.pixel_shuffle(fine, 2))


def match_share(cosines: Tensor, matches: Matches) -> Tensor:
    """The share ``[N]`` of a frame's cells with a mutual match, each weighted by :func:`match_weight`."""
    alike = cosines.detach().gather(2, matches.nearest[..., None]).squeeze(2)
    return (matches.is_mutual * match_weight(alike)).mean(1)


def match_weight(cosines: Tensor) -> Tensor:
    """The weight of matches in [0, 1] by their ``cosines``: a ramp from COSINE_LOW to COSINE_HIGH."""
    return _ramp(cosines, COSINE_LOW, COSINE_HIGH)


def _ramp(values: Tensor, foot: float, top: float) -> Tensor:
    """0 up to ``foot``, 1 from ``top`` on, linear between."""
    return ((values - foot) / (top - foot)).clamp(0, 1)


def _in_chunks(*parts: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """``[N, h*w, ...]`` in chunks of ROWS cells; a GPU takes all at once."""
    count = parts[0].shape[1]
    rows = ROWS if parts[0].device.type == "cpu" else count
    for first in range(0, count, rows):
        yield tuple(part[:, first : first + rows] for part in parts)


def _top_k(scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """``scores.topk(count, dim=2)`` for ``[N, P, M]``: values and indices, ``[N, P, count]`` each.

    Only groups with the highest maxima are searched; ``topk`` over all takes a CPU twice the time.
    """
    m = scores.shape[2]
    groups = gcd(m, GROUPED)
    leading = (
        torch.unflatten(scores, 2, (groups, -1)).amax(2).topk(min(count, m // groups), dim=2)[1]
    )
    members = torch.arange(0, m, m // groups, device=scores.device)
    candidates = (leading[..., None] + members).flatten(2)
    values, chosen = scores.gather(2, candidates).topk(min(count, m), dim=2)
    return values, candidates.gather(2, chosen)


class _FineCells(NamedTuple):
    """The four fine cells of each coarse cell of a memory, in one row, so that they are copied at once.

    ``keys`` ``[N, M, 4 * K]``, fine cell by fine cell; ``colors`` ``[N, M, 3 * 4]``: lightness of the
    four, then a, then b (ab / 110), fp32.
    """

    keys: Tensor
    colors: Tensor

    @classmethod
    def of(cls, memory: Memory) -> _FineCells:
        n, parts, m = memory.fine.shape
        fine = memory.fine.view(n, parts // 4, 4, m)
        keys, colors = fine[:, :-3], fine[:, -3:]
        return cls(
            keys.permute(0, 3, 2, 1).flatten(2), colors.permute(0, 3, 1, 2).flatten(2).float()
        )

    def at(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Keys ``[N*P, 4 * L, K]`` and colors ``[N*P, 3, 4 * L]`` of coarse cells ``[N, P, L]``."""
        memories, m, k = self.keys.shape
        first = torch.arange(memories, device=places.device).view(-1, 1, 1) * m
        rows = (places + first).flatten()
        keys, colors = (part.flatten(0, 1).index_select(0, rows) for part in self)
        count = places.shape[2]
        colors = colors.view(-1, count, 3, 4).transpose(1, 2).flatten(2)
        return keys.view(-1, 4 * count, k // 4), colors


def _match_fine(
    keys: Tensor,
    lightness: Tensor,
    top: tuple[Tensor, Tensor],
    fine_cells: _FineCells,
    logit_scale: Tensor,
) -> Tensor:
    """The ab / 110 of each coarse cell's four fine cells, ``[N, P, 2, 4]``, fp32.

    Args:
        keys: Keys of the frames' fine cells, ``[N, P, 4, K]``.
        lightness: Their lightness in [-1, 1], ``[N, P, 4, 1]``.
        top: Logits and indices of the coarse cells that are searched, ``[N, P, L]`` each.
        fine_cells: The memory's fine cells.
        logit_scale: Inverse temperature.
    """
    before, places = top
    keys_there, colors = fine_cells.at(places)
    cosines = (keys.flatten(0, 1) @ keys_there.transpose(1, 2)).float()
    lighter = lightness.flatten(0, 1) - colors[:, :1]
    closeness = cosines * logit_scale - LIGHTNESS_PENALTY * lighter.square()
    before = before.flatten(0, 1)[:, None].repeat_interleave(4, dim=2)
    found = (closeness + before).softmax(2) @ colors[:, 1:].transpose(1, 2)
    return found.view(*keys.shape[:3], 2).transpose(2, 3)


def _by_coarse_cell(fine: Tensor) -> Tensor:
    """``[N, C, 2h, 2w]`` as the four fine cells of every coarse cell, ``[N, h*w, 4, C]``."""
    n, channels = fine.shape[:2]
    rows = F.pixel_unshuffle(fine, 2).flatten(2).transpose(1, 2)
    # Contiguous now: a matrix product of strided rows would copy each of them.
    return rows.reshape(n, -1, channels, 4).transpose(2, 3).contiguous()
