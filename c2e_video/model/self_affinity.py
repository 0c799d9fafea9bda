"""Which cells of a picture are similar: colors are averaged over them, so that one object has one color."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .feature_maps import cell_logits, grid_positions, shifted_views

# Logits between the picture's own cells: SHARPNESS * cosine - LIGHTNESS * (difference of lightness)^2
# - NEAR * (distance in short sides)^2.
SHARPNESS, LIGHTNESS, NEAR = 14.0, 4.0, 1.5
EDGE = 12.0  # factor of the cosine between a cell at 1/8 and the cells at 1/16 around it
AROUND = (-1, 0, 1)


class SelfAffinity(NamedTuple):
    """Similarities between the cells (1/16) of each of N pictures, by their semantic features.

    ``keys`` ``[N, P, C]`` are of unit length, ``lightness`` ``[N, P, 1]`` in [-1, 1], ``matrix``
    ``[N, P, P]`` has rows of sum 1, ``size`` are rows and columns, P in all. ``nearby`` ``[N, 9, h, w]``
    are the weights, of sum 1, of the cell at 1/16 in which each cell at 1/8 lies and of the eight around it.
    """

    keys: Tensor
    lightness: Tensor
    matrix: Tensor
    size: tuple[int, int]
    nearby: Tensor

    @classmethod
    def of(cls, keys: Tensor, lightness: Tensor) -> SelfAffinity:
        """Made of semantic keys ``[N, C, h, w]`` at 1/8 and lightness ``[N, 1, h, w]`` in [-1, 1]."""
        h, w = keys.shape[2:]
        size = (max(1, h // 2), max(1, w // 2))
        pooled = F.normalize(F.adaptive_avg_pool2d(keys.float(), size), dim=1)
        own = pooled.flatten(2).transpose(1, 2)
        light = F.adaptive_avg_pool2d(lightness.float(), size).flatten(2).transpose(1, 2)
        sides = torch.tensor([[size[0]], [size[1]]], device=keys.device) / min(size)
        places = grid_positions(size, keys.device) * sides
        scores = cell_logits(
            own @ own.transpose(1, 2),
            SHARPNESS,
            [
                (LIGHTNESS, light, light.transpose(1, 2)),
                *((NEAR, place[None, :, None], place[None, None]) for place in places),
            ],
        )
        cosines = keys.flatten(2).transpose(1, 2) @ own.to(keys.dtype).transpose(1, 2)
        beside = _cells_around(size, (h, w), keys.device).expand(len(keys), -1, -1)
        nearby = (EDGE * cosines.gather(2, beside).float()).softmax(2)
        nearby = torch.unflatten(nearby.transpose(1, 2), 2, (h, w))
        return cls(own, light, scores.softmax(2), size, nearby)

    def average(self, values: Tensor) -> Tensor:
        """``values`` ``[N, P, V]`` averaged over similar cells, twice: similar cells of those count too."""
        return self.matrix @ (self.matrix @ values)

    def average_planes(self, planes: Tensor) -> Tensor:
        """The same of planes ``[N, V, h, w]`` at 1/8."""
        small = F.adaptive_avg_pool2d(planes, self.size).flatten(2).transpose(1, 2)
        return self.planes(self.average(small), planes)

    def planes(self, values: Tensor, like: Tensor) -> Tensor:
        """Values ``[N, P, V]`` upsampled to planes ``[N, V, h, w]`` at 1/8, weighted by ``nearby``."""
        small = torch.unflatten(values.transpose(1, 2), 2, self.size)
        size = (like.shape[2], like.shape[3])
        views = (_enlarged(part, size) for part in shifted_views(small, AROUND))
        weights = self.nearby.unbind(1)
        return torch.stack([w[:, None] * v for w, v in zip(weights, views, strict=True)]).sum(0)


def _cells_around(size: tuple[int, int], fine: tuple[int, int], device: torch.device) -> Tensor:
    """Of the cells of a ``size`` grid, the one that each of the P ``fine`` cells lies in and those around.

    Returns:
        Their numbers, int64 ``[1, P, 9]``.
    """
    number = torch.arange(size[0] * size[1], device=device, dtype=torch.float32).view(1, 1, *size)
    views = [_enlarged(part, fine) for part in shifted_views(number, AROUND)]
    return torch.cat(views, dim=1).flatten(2).transpose(1, 2).long()


def _enlarged(planes: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(planes, size=size, mode="nearest")
