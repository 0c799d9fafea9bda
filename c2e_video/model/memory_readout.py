"""Looking places up in a memory: what each may be, how far that is believed, and what colour it says.

Nothing here is learned; the two sharpnesses it is given are. Places are those of the features at 1/8,
numbered row by row.
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

# A place that finds the way back counts as far as it is alike there: not at all up to a cosine of STRANGE,
# wholly from SAME on. In another scene many find back to something that only looks a little like them.
COSINE_LOW, COSINE_HIGH = 0.65, 0.75
# How far a memory is believed goes by the share that counts: not at all up to LOST, wholly from FOUND on. Of
# 1,025 pairs of other scenes 95 in 100 have less than 0.21; the same scene has 0.27 to 1, in grain 0.19.
CONFIDENCE_LOW, CONFIDENCE_HIGH = 0.1, 0.7
# What is not believed is looked up with less sharpness, down to SOFT of it: the mean of many colours, not
# that of a chance nearest, which leaves patches.
MIN_LOGIT_SCALE = 0.1
# How many of the likeliest places are looked at closer.
TOP_K = 32
# What a quarter loses for the square of its difference in lightness, in [-1, 1]. Not learned, for a
# training picture is exactly as light as its reference; measured in docs/results.md.
LIGHTNESS_PENALTY = 40.0
# So many places at once a CPU's caches hold.
ROWS = 64
# The highest scores are sought in groups of so many, as far apart as can be.
GROUPED = 8


def read_memory(
    features: MatchFeatures,
    memory: Memory,
    cosines: Tensor,
    logit_scale: Tensor,
    fine_logit_scale: Tensor,
) -> MemoryReadout:
    """What ``memory`` (of one, or of as many as there are frames) holds for every place.

    ``cosines`` ``[N, h*w, M]`` tell how alike places are. Of like ones the one where it is expected is
    likelier the same. Each of a place's quarters is then sought among those of its likeliest places.
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
    """The share ``[N]`` of a frame's places that find the way back, each counted as far as it is alike."""
    alike = cosines.detach().gather(2, matches.nearest[..., None]).squeeze(2)
    return (matches.is_mutual * match_weight(alike)).mean(1)


def match_weight(cosines: Tensor) -> Tensor:
    """How far places of such ``cosines`` are the same thing, in [0, 1]."""
    return _ramp(cosines, COSINE_LOW, COSINE_HIGH)


def _ramp(values: Tensor, foot: float, top: float) -> Tensor:
    """0 up to ``foot``, 1 from ``top`` on, a slope between."""
    return ((values - foot) / (top - foot)).clamp(0, 1)


def _in_chunks(*parts: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """``[N, h*w, ...]`` in pieces of a few places each; a GPU takes all at once."""
    count = parts[0].shape[1]
    rows = ROWS if parts[0].device.type == "cpu" else count
    for first in range(0, count, rows):
        yield tuple(part[:, first : first + rows] for part in parts)


def _top_k(scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The ``count`` highest of each row of ``scores`` ``[N, P, M]``, and where: ``[N, P, count]`` each.

    Sought in the groups whose highest are highest: ``topk`` of all takes a CPU twice the time.
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
    """The four quarters of a memory's places, a row for each place, so that one is copied at a go.

    Their ``keys`` ``[N, M, 4 * K]``, quarter by quarter, and their ``colors`` ``[N, M, 3 * 4]``: lightness of
    the four, then a, then b (ab / 110); fp32.
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
        """Of ``coarse`` ``[N, P, L]``: keys ``[N*P, 4 * L, K]`` and colors ``[N*P, 3, 4 * L]``."""
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
    """The ab / 110 of each place's quarters, ``[N, P, 2, 4]``, fp32.

    The frames' quarters, ``keys`` ``[N, P, 4, K]`` and ``lightness`` ``[N, P, 4, 1]``, are sought among those
    of their ``top`` places, whose scores count as well: scores and indices ``[N, P, L]``.
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
    """``[N, C, 2h, 2w]`` as the four quarters of every place, ``[N, h*w, 4, C]``."""
    n, channels = fine.shape[:2]
    rows = F.pixel_unshuffle(fine, 2).flatten(2).transpose(1, 2)
    # Laid out so at once: a product of strided ones copies each place by itself.
    return rows.reshape(n, -1, channels, 4).transpose(2, 3).contiguous()
