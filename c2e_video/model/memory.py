"""What is known of places: how pictures are described, what of references is kept, what was found.

Plain data; :class:`~.color_memory.ColorMemory` makes them, :func:`~.look_up.look_up` compares them.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .feature_maps import around, pooled
from .orientation_histogram import edges

# How much each of the four places at a place's corners says about it, against itself.
AROUND = 0.5
# How much of what describes a place are the edges there, and of a quarter; the rest are its learned keys.
EDGES, CLOSE_EDGES = 0.3, 0.5


class Description(NamedTuple):
    """What describes N pictures: ``places`` ``[N, 5 * D, h, w]`` at 1/8, ``quarters`` ``[N, D, 2h, 2w]``.

    Both of unit length; D counts the K learned keys and the 37 of :func:`~.edges.edges`. ``lightness``
    ``[N, 1, 2h, 2w]`` in [-1, 1] is that of the quarters.
    """

    places: Tensor
    quarters: Tensor
    lightness: Tensor

    @classmethod
    def of(cls, places: Tensor, quarters: Tensor, lightness: Tensor) -> Description:
        """Made of keys of any length, ``[N, K, h, w]`` and ``[N, K, 2h, 2w]``; ``lightness`` of any size."""
        seen = edges(lightness, quarters)
        described = _with_corners(_with_edges(places, seen, EDGES))
        return cls(described, _with_edges(quarters, seen, CLOSE_EDGES), pooled(lightness, quarters))


class Memory(NamedTuple):
    """``keys`` ``[N, 5 * D, M]`` of unit length, ``values`` ``[N, V, M]`` and ``bias`` ``[N, M]``.

    M counts places: those of several references stand one after another. ``bias`` is added to the
    similarity before the softmax (the logarithm of a reference's weight, where they are blended).
    ``places`` ``[N, 2, M]`` say where each lies, down and across: fp32, shares of the sides, and
    ``reference`` ``[N, M]`` (int64) in which reference, counted from 0. ``quarters`` ``[N, 4 * (D + 3), M]``
    are the keys of unit length, lightness and ab / 110 of each place's quarters.
    """

    keys: Tensor
    values: Tensor
    bias: Tensor
    places: Tensor
    reference: Tensor
    quarters: Tensor

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


class MemoryLookup(NamedTuple):
    """What was found for every place of N frames.

    ``values`` ``[N, V, h, w]``, the ``similarity`` ``[N, 1, h, w]`` (cosine) of the likeliest, how far
    the memory is ``believed``, ``[N, 1, 1, 1]`` in [0, 1], and the ab / 110 of the ``quarters``,
    ``[N, 2, 2h, 2w]``.
    """

    values: Tensor
    similarity: Tensor
    believed: Tensor
    quarters: Tensor

    def trusted(self, trust: Tensor) -> MemoryLookup:
        """The same said less firmly, by ``trust`` ``[N]`` in [0, 1]; by 0 nothing is said."""
        return MemoryLookup(*(part * trust.view(-1, 1, 1, 1).to(part.dtype) for part in self))


def _with_edges(keys: Tensor, seen: Tensor, share: float) -> Tensor:
    """Learned ``keys``, of any length, and the edges ``seen``, also of any size: together of unit length."""
    seen = pooled(seen, keys).to(keys.dtype)
    parts = (F.normalize(keys, dim=1) * sqrt(1 - share), F.normalize(seen, dim=1) * sqrt(share))
    return torch.cat(parts, dim=1)


def _with_corners(keys: Tensor) -> Tensor:
    """Keys ``[N, D, h, w]`` of unit length with those at their four corners: ``[N, 5 * D, h, w]``, again so.

    The product of two such is how alike the places are, and the places at their corners.
    """
    weight = 1 / (1 + 4 * AROUND)
    corners = (corner * sqrt(weight * AROUND) for corner in around(keys, (-1, 1)))
    return torch.cat((keys * sqrt(weight), *corners), dim=1)
