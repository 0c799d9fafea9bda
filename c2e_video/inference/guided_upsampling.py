"""Upsampling of ab to the size of the chroma planes, with edges where luma has them."""

from __future__ import annotations

import cv2
import torch
import torch.nn.functional as F
from torch import Tensor

RADIUS = 2  # of the window in which ab is a straight line over lightness, in small pixels
EPSILON = 9.0  # variance of lightness (L* squared) below which a window counts as flat


def upsample_along(ab: Tensor, lightness: Tensor, guide: Tensor) -> Tensor:
    """Resize ab along luma: ``up(ab) + up(slope) * (guide - up(lightness))``.

    ``slope`` is that of ab over lightness in a window around each sample, as in a guided filter (He, Sun and
    Tang 2013). So the samples of ab are kept, and only the detail between them is taken from the guide.

    Args:
        ab: a* and b*, ``[N, 2, h, w]``.
        lightness: L* at the size of ab, ``[N, 1, h, w]``.
        guide: L* at the size that is wanted, ``[N, 1, H, W]``. A side on which it is shorter is reduced by
            area means first.

    Returns:
        ab, ``[N, 2, H, W]``.
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
    inside = _window_sum(torch.ones_like(lightness))  # samples of each window that lie in the plane

    def mean(planes: Tensor) -> Tensor:
        return _window_sum(planes) / inside

    mean_l, mean_ab = mean(lightness), mean(ab)
    covariance = mean(lightness * ab) - mean_l * mean_ab
    variance = mean(lightness.square()) - mean_l.square()
    return mean(covariance / (variance.clamp_min(0) + EPSILON))


def _window_sum(planes: Tensor) -> Tensor:
    side = 2 * RADIUS + 1
    if planes.device.type != "cpu":
        return F.avg_pool2d(planes, side, stride=1, padding=RADIUS, divisor_override=1)
    # avg_pool2d takes a CPU fifteen times as long.
    sums = torch.empty(planes.shape)
    for plane, into in zip(planes.flatten(0, 1), sums.flatten(0, 1), strict=True):
        cv2.boxFilter(
            *(plane.numpy(), -1, (side, side)),
            dst=into.numpy(),
            normalize=False,
            borderType=cv2.BORDER_CONSTANT,
        )
    return sums


def _enlarge(planes: Tensor, size: torch.Size) -> Tensor:
    """Bilinear interpolation. On a CPU by OpenCV, which takes half the time."""
    if planes.device.type != "cpu":
        return F.interpolate(planes, size=size, mode="bilinear", align_corners=False)
    large = torch.empty(*planes.shape[:2], *size)
    for small, whole in zip(planes.flatten(0, 1), large.flatten(0, 1), strict=True):
        cv2.resize(small.numpy(), size[::-1], dst=whole.numpy(), interpolation=cv2.INTER_LINEAR)
    return large
