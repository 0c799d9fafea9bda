"""Small ab planes to the size of the chroma plane, so that colour stops where edges of luma stop."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

RADIUS = 2  # of the window in which ab is a straight line over lightness, in small pixels
EPSILON = 9.0  # variance of lightness (L* squared) below which a window counts as flat


def upsample_along(ab: Tensor, lightness: Tensor, guide: Tensor) -> Tensor:
    """``ab`` ``[N, 2, h, w]`` at the size of ``guide`` ``[N, 1, H, W]``.

    ``lightness`` ``[N, 1, h, w]`` is the guide at the size of ab; both are L*. A side that is shorter
    in the guide is reduced first. In every small window ab is fitted as a straight line over
    lightness, as a guided filter does (He, Sun and Tang 2013).
    The small planes themselves are kept; only the detail between their samples is taken from the
    guide: ``up(ab) + up(slope) * (guide - up(lightness))``.
    """
    size = guide.shape[2:]
    if size == ab.shape[2:]:
        return ab
    common = [min(sides) for sides in zip(size, ab.shape[2:], strict=True)]
    ab, lightness = (_reduced(planes, common) for planes in (ab, lightness))
    if size == ab.shape[2:]:
        return ab
    detail = guide - _enlarge(lightness, size)
    return _enlarge(ab, size) + _enlarge(_slope(ab, lightness), size) * detail


def _reduced(planes: Tensor, size: list[int]) -> Tensor:
    """Area means; Apple's GPUs have them for whole steps only."""
    if list(planes.shape[2:]) == size:
        return planes
    where = "cpu" if planes.device.type == "mps" else planes.device
    return F.interpolate(planes.to(where), size=size, mode="area").to(planes.device)


def _slope(ab: Tensor, lightness: Tensor) -> Tensor:
    mean_l, mean_ab = _window_mean(lightness), _window_mean(ab)
    covariance = _window_mean(lightness * ab) - mean_l * mean_ab
    variance = _window_mean(lightness.square()) - mean_l.square()
    return _window_mean(covariance / (variance.clamp_min(0) + EPSILON))


def _window_mean(planes: Tensor) -> Tensor:
    """Box mean over the samples of each window that lie inside the plane.

    Sums along one side, then along the other: ``avg_pool2d`` takes a CPU five times as long.
    """
    return _window_sum(_window_sum(planes, 3), 2) / _window_count(planes)


def _window_sum(planes: Tensor, dim: int) -> Tensor:
    length = planes.shape[dim]
    pad = (RADIUS, RADIUS) if dim == 3 else (0, 0, RADIUS, RADIUS)
    padded = F.pad(planes, pad)
    total = padded.narrow(dim, 0, length).clone()
    for shift in range(1, 2 * RADIUS + 1):
        total += padded.narrow(dim, shift, length)
    return total


def _window_count(planes: Tensor) -> Tensor:
    across, down = (
        _window_sum(planes.new_ones(1, 1, *shape), dim)
        for shape, dim in (((1, planes.shape[3]), 3), ((planes.shape[2], 1), 2))
    )
    return across * down


def _enlarge(planes: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(planes, size=size, mode="bilinear", align_corners=False)
