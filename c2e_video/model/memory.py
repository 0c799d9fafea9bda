"""The data of the colour memory: features of a picture's cells, the memory of references, a readout.

Plain data; :class:`~.color_memory.ColorMemory` makes them, :func:`~.memory_readout.read_memory` reads them.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .feature_maps import pool_to, shifted_views
from .orientation_histogram import orientation_histograms

# Weight of each of the four diagonal neighbours in a cell's key; the cell itself has 1.
DIAGONAL_WEIGHT = 0.5
# Share of the orientation histograms in a coarse and in a fine key; the rest are learned features.
HISTOGRAM_SHARE, FINE_HISTOGRAM_SHARE = 0.3, 0.5


class MatchFeatures(NamedTuple):
    """Features of the cells of N pictures, as keys and as queries.

    Attributes:
        coarse: Unit vectors of the cells at 1/8, ``[N, 5 * D, h, w]``. D is the number of learned
            channels plus the 37 of :func:`~.orientation_histogram.orientation_histograms`; 5 for a cell
            and its diagonal neighbours.
        fine: Unit vectors of the cells at 1/4, ``[N, D, 2h, 2w]``.
        lightness: Lightness of the fine cells in [-1, 1], ``[N, 1, 2h, 2w]``.
    """

    coarse: Tensor
    fine: Tensor
    lightness: Tensor

    @classmethod
    def of(cls, coarse: Tensor, fine: Tensor, lightness: Tensor) -> MatchFeatures:
        """From learned features, ``[N, K, h, w]`` and ``[N, K, 2h, 2w]``, and lightness of any size."""
        seen = orientation_histograms(lightness, fine)
        described = _with_diagonals(_with_histograms(coarse, seen, HISTOGRAM_SHARE))
        return cls(
            described, _with_histograms(fine, seen, FINE_HISTOGRAM_SHARE), pool_to(lightness, fine)
        )


class Memory(NamedTuple):
    """The memory of one or several references; M counts their coarse cells, one reference after another.

    Attributes:
        keys: Unit vectors, ``[N, 5 * D, M]``.
        values: Mean ab / 110 and color features, ``[N, V, M]``.
        bias: Added to the logits, ``[N, M]``: the log-weight of a reference where several are blended.
        coarse: Positions of the cells (row, column) in [0, 1], fp32 ``[N, 2, M]``.
        reference: Number of the reference that each cell belongs to, int64 ``[N, M]``.
        fine: Key, lightness and ab / 110 of each cell's four fine cells, ``[N, 4 * (D + 3), M]``.
        semantic: Semantic keys, ``[N, C, M]``; C is 0 where the network has none.
    """

    keys: Tensor
    values: Tensor
    bias: Tensor
    coarse: Tensor
    reference: Tensor
    fine: Tensor
    semantic: Tensor

    @property
    def lightness(self) -> Tensor:
        """Mean lightness of each coarse cell, ``[N, 1, M]`` in [-1, 1]."""
        n, parts, m = self.fine.shape
        return self.fine.view(n, parts // 4, 4, m)[:, -3].mean(1, keepdim=True)

    @staticmethod
    def join(memories: list[Memory]) -> Memory:
        """Several references as one longer memory."""
        counted: list[Memory] = []
        for memory in memories:
            before = int(counted[-1].reference.max()) + 1 if counted else 0
            counted.append(memory._replace(reference=memory.reference + before))
        return Memory(*(torch.cat(parts, dim=-1) for parts in zip(*counted, strict=True)))

    @staticmethod
    def stack(memories: list[Memory]) -> Memory:
        """One memory a frame. Shorter ones are padded with cells whose bias is -inf."""
        longest = max(memory.keys.shape[2] for memory in memories)
        filled = []
        for memory in memories:
            missing = (0, longest - memory.keys.shape[2])
            whole = Memory(*(F.pad(part, missing) for part in memory))
            filled.append(whole._replace(bias=F.pad(memory.bias, missing, value=-torch.inf)))
        return Memory(*(torch.cat(parts) for parts in zip(*filled, strict=True)))


class MemoryReadout(NamedTuple):
    """What a memory gives for the cells of N frames.

    Attributes:
        values: Softmax mean of the memory's values, ``[N, V, h, w]``.
        similarity: Cosine of the cell with the highest logit, ``[N, 1, h, w]``.
        confidence: How certain it is that memory and frame show the same scene, in [0, 1], ``[N, 1, 1, 1]``.
        fine: ab / 110 of the fine cells, ``[N, 2, 2h, 2w]``.
    """

    values: Tensor
    similarity: Tensor
    confidence: Tensor
    fine: Tensor

    def scaled(self, memory_scale: Tensor) -> MemoryReadout:
        """All parts times ``memory_scale`` ``[N]`` in [0, 1]."""
        return MemoryReadout(
            *(part * memory_scale.view(-1, 1, 1, 1).to(part.dtype) for part in self)
        )


def _with_histograms(keys: Tensor, seen: Tensor, share: float) -> Tensor:
    """Unit vectors of learned ``keys`` and histograms ``seen``; ``share`` is that of the histograms."""
    seen = pool_to(seen, keys).to(keys.dtype)
    parts = (F.normalize(keys, dim=1) * sqrt(1 - share), F.normalize(seen, dim=1) * sqrt(share))
    return torch.cat(parts, dim=1)


def _with_diagonals(keys: Tensor) -> Tensor:
    """Unit vectors ``[N, D, h, w]`` with those of the four diagonal neighbours: ``[N, 5 * D, h, w]``.

    The product of two such is the weighted mean of the cosines of the cells and of their neighbours.
    """
    weight = 1 / (1 + 4 * DIAGONAL_WEIGHT)
    corners = (corner * sqrt(weight * DIAGONAL_WEIGHT) for corner in shifted_views(keys, (-1, 1)))
    return torch.cat((keys * sqrt(weight), *corners), dim=1)
