"""What is known of places: how pictures are described, what of references is kept, what was found.

Plain data; :class:`~.color_memory.ColorMemory` makes them, :func:`~.read_memory.read_memory` compares them.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .feature_maps import pool_to, shifted_views
from .orientation_histogram import orientation_histograms

# How much each of the four places at a place's corners says about it, against itself.
DIAGONAL_WEIGHT = 0.5
# How much of what describes a place are the edges there, and of a quarter; the rest are its learned keys.
HISTOGRAM_SHARE, FINE_HISTOGRAM_SHARE = 0.3, 0.5


class MatchFeatures(NamedTuple):
    """What describes N pictures: ``coarse`` ``[N, 5 * D, h, w]`` at 1/8, ``fine`` ``[N, D, 2h, 2w]``.

    Both of unit length; D counts the K learned keys and the 37 of
    :func:`~.orientation_histogram.orientation_histograms`. ``lightness``
    ``[N, 1, 2h, 2w]`` in [-1, 1] is that of the quarters.
    """

    coarse: Tensor
    fine: Tensor
    lightness: Tensor

    @classmethod
    def of(cls, coarse: Tensor, fine: Tensor, lightness: Tensor) -> MatchFeatures:
        """Made of keys of any length, ``[N, K, h, w]`` and ``[N, K, 2h, 2w]``; ``lightness`` of any size."""
        seen = orientation_histograms(lightness, fine)
        described = _with_diagonals(_with_histograms(coarse, seen, HISTOGRAM_SHARE))
        return cls(
            described, _with_histograms(fine, seen, FINE_HISTOGRAM_SHARE), pool_to(lightness, fine)
        )


class Memory(NamedTuple):
    """``keys`` ``[N, 5 * D, M]`` of unit length, ``values`` ``[N, V, M]`` and ``bias`` ``[N, M]``.

    M counts places: those of several references stand one after another. ``bias`` is added to the
    similarity before the softmax (the logarithm of a reference's weight, where they are blended).
    ``coarse`` ``[N, 2, M]`` say where each lies, down and across: fp32, shares of the sides, and
    ``reference`` ``[N, M]`` (int64) in which reference, counted from 0. ``fine`` ``[N, 4 * (D + 3), M]``
    are the keys of unit length, lightness and ab / 110 of each place's quarters. ``semantic``
    ``[N, C, M]`` are the semantic keys (C is 0 where the network has none).
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
        """That of each cell, ``[N, 1, M]`` in [-1, 1]."""
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
        """One memory a frame. Shorter ones are filled up with places that are never found."""
        longest = max(memory.keys.shape[2] for memory in memories)
        filled = []
        for memory in memories:
            missing = (0, longest - memory.keys.shape[2])
            whole = Memory(*(F.pad(part, missing) for part in memory))
            filled.append(whole._replace(bias=F.pad(memory.bias, missing, value=-torch.inf)))
        return Memory(*(torch.cat(parts) for parts in zip(*filled, strict=True)))


class MemoryReadout(NamedTuple):
    """What was found for every place of N frames.

    ``values`` ``[N, V, h, w]``, the ``similarity`` ``[N, 1, h, w]`` (cosine) of the likeliest, how far
    the memory is ``confidence``, ``[N, 1, 1, 1]`` in [0, 1], and the ab / 110 of the ``fine``,
    ``[N, 2, 2h, 2w]``.
    """

    values: Tensor
    similarity: Tensor
    confidence: Tensor
    fine: Tensor

    def scaled(self, memory_scale: Tensor) -> MemoryReadout:
        """The same said less firmly, by ``memory_scale`` ``[N]`` in [0, 1]; by 0 nothing is said."""
        return MemoryReadout(
            *(part * memory_scale.view(-1, 1, 1, 1).to(part.dtype) for part in self)
        )


def _with_histograms(keys: Tensor, seen: Tensor, share: float) -> Tensor:
    """Learned ``keys``, of any length, and the edges ``seen``, also of any size: together of unit length."""
    seen = pool_to(seen, keys).to(keys.dtype)
    parts = (F.normalize(keys, dim=1) * sqrt(1 - share), F.normalize(seen, dim=1) * sqrt(share))
    return torch.cat(parts, dim=1)


def _with_diagonals(keys: Tensor) -> Tensor:
    """Keys ``[N, D, h, w]`` of unit length with those at their four corners: ``[N, 5 * D, h, w]``, again so.

    The product of two such is how alike the places are, and the places at their corners.
    """
    weight = 1 / (1 + 4 * DIAGONAL_WEIGHT)
    corners = (corner * sqrt(weight * DIAGONAL_WEIGHT) for corner in shifted_views(keys, (-1, 1)))
    return torch.cat((keys * sqrt(weight), *corners), dim=1)
