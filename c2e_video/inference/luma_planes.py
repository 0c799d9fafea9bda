"""Luma planes as the network and the chroma planes need them: resized, as Y' in [0, 1] and as L*."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, cast

import cv2
import numpy as np
import torch
from torch import Tensor

from ..color.lab import lightness_of
from ..color.luma_range import LumaRange
from ..color.transfer import SRGB, Transfer
from ..model.color2embed import STRIDE
from ..utils.arrays import Floats, Plane
from ..video.frames import Frame, PictureFormat, VideoInfo

FULL_RANGE = LumaRange(8, True)  # of pictures


class LumaPlane(NamedTuple):
    """Luma samples, uint8 or uint16 ``[H, W]``; their depth and range; and their curve."""

    samples: Plane
    range: LumaRange = FULL_RANGE
    curve: Transfer = SRGB


def luma_plane(frame: Frame, info: VideoInfo) -> LumaPlane:
    """The luma of a film's frame."""
    return LumaPlane(frame.luma, info.luma_range, info.colorimetry.curve)


def gray_planes(lumas: Sequence[LumaPlane], size: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Y' in [0, 1] and L* in [0, 100] of luma resized to ``size`` (height, width): fp32 ``[N, 1, h, w]``."""
    small = [luma._replace(samples=resize(luma.samples, size)) for luma in lumas]
    return _converted(small, 0), _converted(small, 1)


def lightness_plane(luma: LumaPlane, size: tuple[int, int]) -> Floats:
    """L* in [0, 100] of luma resized to ``size`` (height, width): fp32 ``[h, w]``."""
    return np.take(_tables(luma.range, luma.curve)[1], resize(luma.samples, size))


def reduced(planes: Floats, size: tuple[int, int]) -> Floats:
    """Two planes ``[2, H, W]`` at a size that is no larger (height, width), by area means."""
    if planes.shape[1:] == size:
        return planes
    small = cv2.resize(cv2.merge(list(planes)), size[::-1], interpolation=cv2.INTER_AREA)
    return np.stack(cv2.split(small))


def chroma_size(shape: tuple[int, ...], picture: PictureFormat) -> tuple[int, int]:
    """Height and width of the chroma planes of a picture ``[H, W]``."""
    across, down = picture.subsampling
    return -(-shape[0] // down), -(-shape[1] // across)


def _converted(lumas: Sequence[LumaPlane], table: int) -> Tensor:
    planes = [np.take(_tables(luma.range, luma.curve)[table], luma.samples) for luma in lumas]
    return torch.from_numpy(np.stack(planes)[:, None])


@lru_cache(maxsize=4)
def _tables(samples_mean: LumaRange, curve: Transfer) -> tuple[Floats, Floats]:
    """Y' and L* of every luma code: a table is ten times as fast as the formula."""
    black, white = samples_mean.ends
    codes = np.arange(1 << samples_mean.bit_depth, dtype=np.float64)
    gray = ((codes - black) / (white - black)).clip(0, 1).astype(np.float32)
    lightness = lightness_of(torch.from_numpy(gray), curve).numpy()
    return gray, lightness


def network_size(shape: tuple[int, ...], size: int) -> tuple[int, int]:
    """Height and width that the network sees of a picture ``[H, W, ...]``.

    The short side is at most ``size``; both sides are multiples of 16.
    """
    scale = min(1.0, size / min(shape[:2]))
    height, width = (max(STRIDE, round(n * scale / STRIDE) * STRIDE) for n in shape[:2])
    return height, width


def resize(plane: Plane, size: tuple[int, ...]) -> Plane:
    """A plane ``[H, W, ...]`` at ``size`` (height, width): area means if a side shrinks, else bilinear."""
    height, width = plane.shape[:2]
    if (height, width) == size:
        return plane
    smaller = size[0] < height or size[1] < width
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return cast(Plane, cv2.resize(plane, size[::-1], interpolation=how))
