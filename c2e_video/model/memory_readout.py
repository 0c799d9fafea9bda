"""Read a colour memory: softmax attention of a frame's cells over the memory's cells, coarse, then fine.

A coarse cell is one cell of the features at 1/8 of the picture's size. Cells are numbered row by row.
Each coarse cell contains four fine cells, at 1/4 of the size. Only the two logit scales (inverse
temperatures) are learned. They are arguments of :func:`read_memory`.
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

# Weight of a mutual match: 0 up to a cosine of COSINE_LOW, 1 from COSINE_HIGH on, linear between.
# Pictures of different scenes have many mutual matches with low cosines.
COSINE_LOW, COSINE_HIGH = 0.65, 0.75
# Confidence of a memory: 0 up to a match share of CONFIDENCE_LOW, 1 from CONFIDENCE_HIGH on, linear
# between. Measured match shares: below 0.21 for 95 % of 1,025 pairs of different scenes; 0.27 to 1 for
# pairs of the same scene (0.19 with strong film grain).
CONFIDENCE_LOW, CONFIDENCE_HIGH = 0.1, 0.7
# Factor of the logit scale at confidence 0. The readout is then a mean of many colours. Without the
# factor, accidental matches would determine the colour of single cells, which is visible as patches.
MIN_LOGIT_SCALE = 0.1
# Number of coarse memory cells whose fine cells are compared with those of a frame cell.
TOP_K = 16
# A fine cell's logit is reduced by LIGHTNESS_PENALTY * (difference of lightness)**2; lightness is in
# [-1, 1]. The factor is not learned, because a training picture has the same lightness as its reference.
LIGHTNESS_PENALTY = 40.0
# Number of frame cells that are processed at once on a CPU. The scores of so many fit into its caches.
ROWS = 128
# Largest group size of the two-level top-k.
GROUPED = 8


def read_memory(
    features: MatchFeatures,
    memory: Memory,
    cosines: Tensor,
    logit_scale: Tensor,
    fine_logit_scale: Tensor,
) -> MemoryReadout:
    """Read the memory for every cell of a frame.

    The confidence, 0 to 1, is computed from :func:`match_share`. Coarse step::

        scale = logit_scale * (MIN_LOGIT_SCALE + (1 - MIN_LOGIT_SCALE) * confidence)
        coarse logit = scale * cosine + bias + log-prior of the displacement
        values = softmax(coarse logits) @ memory.values

    Fine step, over the four fine cells of each of the TOP_K coarse cells with the highest logits::

        fine logit = fine_logit_scale * cosine - LIGHTNESS_PENALTY * (difference of lightness)**2
                     + coarse logit
        fine ab = softmax(fine logits) @ fine ab of the memory

    Args:
        features: Features of N frames.
        memory: One memory for all N frames, or N memories.
        cosines: Cosines of the frames' and the memory's coarse cells, ``[N, h*w, M]``.
        logit_scale: Inverse temperature of the coarse softmax, a scalar.
        fine_logit_scale: Inverse temperature of the fine softmax, a scalar.

    Returns:
        The readout. Its similarity is the cosine of the coarse cell with the highest logit.
    """
    n, _, h, w = features.coarse.shape
    biased = cosines + memory.bias[:, None] / logit_scale if memory.bias.any() else cosines
    matches = mutual_nearest_neighbors(biased, (h, w))
    confidence = _ramp(match_share(cosines, matches), CONFIDENCE_LOW, CONFIDENCE_HIGH).view(n, 1, 1)
    logit_scale = logit_scale * (MIN_LOGIT_SCALE + (1 - MIN_LOGIT_SCALE) * confidence)
    prior = DisplacementPrior.between(cosines, memory, matches, (h, w))
    fine_cells = _FineCells.of(memory)
    # Made contiguous once, here, as in _by_coarse_cell.
    memory_values = memory.values.transpose(1, 2).contiguous()
    readouts = []
    fine_features = (_by_coarse_cell(features.fine), _by_coarse_cell(features.lightness.float()))
    for cosine, frame_index, keys, lightness in _in_chunks(cosines, prior.frame, *fine_features):
        offset = memory.bias[:, None] + prior.log_prior_at(frame_index)
        logits = torch.addcmul(offset, cosine, logit_scale)
        top = _top_k(logits, TOP_K)
        values = logits.softmax(2).to(memory_values.dtype) @ memory_values
        fine_ab = _match_fine(keys, lightness, top, fine_cells, fine_logit_scale)
        readouts.append((values, cosine.gather(2, top[1][..., :1]), fine_ab.flatten(2)))
    values, similarity, fine = (
        torch.cat(parts, dim=1).transpose(1, 2).reshape(n, -1, h, w).to(memory.values.dtype)
        for parts in zip(*readouts, strict=True)
    )
    confidence = confidence[..., None].to(values.dtype)
    return MemoryReadout(values, similarity, confidence, F.pixel_shuffle(fine, 2))


def match_share(cosines: Tensor, matches: Matches) -> Tensor:
    """The mean over a frame's cells of ``is_mutual * match_weight(cosine of the match)``.

    Args:
        cosines: Cosines of the frames' and the memory's coarse cells, ``[N, h*w, M]``.
        matches: The matches of the frames' cells.

    Returns:
        The share in [0, 1], ``[N]``.
    """
    of_match = cosines.detach().gather(2, matches.nearest[..., None]).squeeze(2)
    return (matches.is_mutual * match_weight(of_match)).mean(1)


def match_weight(cosines: Tensor) -> Tensor:
    """The weight of matches: 0 up to a cosine of COSINE_LOW, 1 from COSINE_HIGH on, linear between.

    Args:
        cosines: The cosines, of any shape.

    Returns:
        The weights in [0, 1], of the same shape.
    """
    return _ramp(cosines, COSINE_LOW, COSINE_HIGH)


def _ramp(values: Tensor, low: float, high: float) -> Tensor:
    """0 up to ``low``, 1 from ``high`` on, linear between."""
    return ((values - low) / (high - low)).clamp(0, 1)


def _in_chunks(*parts: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Split tensors ``[N, h*w, ...]`` into chunks of ROWS cells; on a GPU, into one chunk."""
    rows = ROWS if parts[0].device.type == "cpu" else parts[0].shape[1]
    # Not slices: the gradient of each would be zeros as large as the whole.
    yield from zip(*(torch.split(part, rows, dim=1) for part in parts), strict=True)


def _top_k(scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """``scores.topk(count, dim=2)`` for ``[N, P, M]``: values and indices, ``[N, P, count]`` each.

    Only the ``count`` groups with the highest maxima are searched. On a CPU, ``topk`` over all M takes
    twice the time.
    """
    m = scores.shape[2]
    # Group g has the members g, g + m // group_size, g + 2 * (m // group_size), ...
    group_size = gcd(m, GROUPED)
    maxima = torch.unflatten(scores, 2, (group_size, -1)).amax(2)
    leading = maxima.topk(min(count, m // group_size), dim=2)[1]
    members = torch.arange(0, m, m // group_size, device=scores.device)
    candidates = (leading[..., None] + members).flatten(2)
    values, chosen = scores.gather(2, candidates).topk(min(count, m), dim=2)
    return values, candidates.gather(2, chosen)


class _FineCells(NamedTuple):
    """The four fine cells of each coarse memory cell, in one row, so that one copy takes all four.

    Attributes:
        keys: The four keys of K numbers, one after another, ``[N, M, 4 * K]``.
        colors: Four lightnesses, then four a / 110, then four b / 110, fp32 ``[N, M, 3 * 4]``.
    """

    keys: Tensor
    colors: Tensor

    @classmethod
    def of(cls, memory: Memory) -> _FineCells:
        """The fine cells of a memory."""
        n, parts, m = memory.fine.shape
        fine = memory.fine.view(n, parts // 4, 4, m)
        keys, colors = fine[:, :-3], fine[:, -3:]
        return cls(
            keys.permute(0, 3, 2, 1).flatten(2), colors.permute(0, 3, 1, 2).flatten(2).float()
        )

    def at(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """Keys ``[N*P, 4 * L, K]`` and colors ``[N*P, 3, 4 * L]`` of coarse cells ``[N, P, L]``."""
        memories, m, k = self.keys.shape
        first = torch.arange(memories, device=cells.device).view(-1, 1, 1) * m
        rows = (cells + first).flatten()
        keys, colors = (part.flatten(0, 1).index_select(0, rows) for part in self)
        count = cells.shape[2]
        colors = colors.view(-1, count, 3, 4).transpose(1, 2).flatten(2)
        return keys.view(-1, 4 * count, k // 4), colors


def _match_fine(
    keys: Tensor,
    lightness: Tensor,
    top: tuple[Tensor, Tensor],
    fine_cells: _FineCells,
    logit_scale: Tensor,
) -> Tensor:
    """Compute ab / 110 of the four fine cells of each frame cell, fp32 ``[N, P, 2, 4]``.

    Args:
        keys: Keys of the frames' fine cells, ``[N, P, 4, K]``.
        lightness: Their lightness in [-1, 1], ``[N, P, 4, 1]``.
        top: Logits and indices of the L coarse memory cells that are searched, ``[N, P, L]`` each.
        fine_cells: The memory's fine cells.
        logit_scale: Inverse temperature of the fine softmax, a scalar.
    """
    coarse_logits, cells = top
    memory_keys, colors = fine_cells.at(cells)
    cosines = (keys.flatten(0, 1) @ memory_keys.transpose(1, 2)).float()
    difference = lightness.flatten(0, 1) - colors[:, :1]
    logits = cosines * logit_scale - LIGHTNESS_PENALTY * difference.square()
    offset = coarse_logits.flatten(0, 1)[:, None].repeat_interleave(4, dim=2)
    ab = (logits + offset).softmax(2) @ colors[:, 1:].transpose(1, 2)
    return ab.view(*keys.shape[:3], 2).transpose(2, 3)


def _by_coarse_cell(fine: Tensor) -> Tensor:
    """Reshape ``[N, C, 2h, 2w]`` to ``[N, h*w, 4, C]``: the four fine cells of every coarse cell."""
    n, channels = fine.shape[:2]
    rows = F.pixel_unshuffle(fine, 2).flatten(2).transpose(1, 2)
    # Made contiguous once, here. Otherwise every matrix product would copy the strided rows.
    return rows.reshape(n, -1, channels, 4).transpose(2, 3).contiguous()
