"""Which places of a picture belong together: one thing has one color, also where parts differ."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .feature_maps import grid_positions, shifted_views

# Softmax over the picture's own places: SHARPNESS * cosine - LIGHTNESS * (difference of lightness)^2
# - NEAR * (distance in short sides)^2.
SHARPNESS, LIGHTNESS, NEAR = 14.0, 4.0, 1.5
EDGE = 12.0  # the same sharpness between a place at 1/8 and those at 1/16 around it
AROUND = (-1, 0, 1)


class SelfAffinity(NamedTuple):
    """The places of N pictures at 1/16 by what they show.

    ``keys`` ``[N, P, C]`` are of unit length, ``lightness`` ``[N, P, 1]`` in [-1, 1], ``matrix``
    ``[N, P, P]`` has rows of sum 1, ``size`` are rows and columns, P in all. ``nearby`` ``[N, 9, h, w]``
    tell how far each place at 1/8 goes with that at 1/16 it lies in and the eight around it, of sum 1.
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
        distance = (places[:, :, None] - places[:, None]).square().sum(0)
        scores = SHARPNESS * (own @ own.transpose(1, 2))
        scores = scores - LIGHTNESS * (light - light.transpose(1, 2)).square() - NEAR * distance
        around = [_enlarged(part, (h, w)) for part in shifted_views(pooled, AROUND)]
        cosines = torch.stack([(keys.float() * part).sum(1) for part in around], dim=1)
        return cls(own, light, scores.softmax(2), size, (EDGE * cosines).softmax(1))

    def average(self, values: Tensor) -> Tensor:
        """Means of ``values`` ``[N, P, V]`` over what belongs together; twice, so that it reaches far."""
        return self.matrix @ (self.matrix @ values)

    def average_planes(self, planes: Tensor) -> Tensor:
        """The same of planes ``[N, V, h, w]`` at 1/8."""
        small = F.adaptive_avg_pool2d(planes, self.size).flatten(2).transpose(1, 2)
        return self.planes(self.average(small), planes)

    def planes(self, values: Tensor, like: Tensor) -> Tensor:
        """Values ``[N, P, V]`` as planes ``[N, V, h, w]`` at 1/8: of the places around, those alike."""
        small = torch.unflatten(values.transpose(1, 2), 2, self.size)
        size = (like.shape[2], like.shape[3])
        views = (_enlarged(part, size) for part in shifted_views(small, AROUND))
        weights = self.nearby.unbind(1)
        return torch.stack([w[:, None] * v for w, v in zip(weights, views, strict=True)]).sum(0)


def _enlarged(planes: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(planes, size=size, mode="nearest")
