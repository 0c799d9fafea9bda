"""From predictions, at the size the network sees, to chroma planes and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor

from ..color.chroma import chroma_to_rgb, quantize
from ..color.chroma_table import table_chroma
from ..color.colorimetry import Colorimetry
from ..color.luma_range import LumaRange
from ..utils.arrays import Floats, Picture, Plane
from ..video.frames import PictureFormat
from .guided_upsampling import upsample_along
from .luma_planes import LumaPlane, chroma_size, gray_planes
from .prediction import LabPrediction

# Chroma samples that a CPU computes at once: a whole 1080p frame takes 60 MB, and no less time.
STRIP = 1 << 17


def chroma_planes(
    lumas: Sequence[LumaPlane],
    predictions: Sequence[LabPrediction],
    picture: PictureFormat,
    colorimetry: Colorimetry,
    device: torch.device,
) -> list[tuple[Plane, Plane]]:
    """Cb and Cr of frames of one size.

    Args:
        lumas: The frames' luma.
        predictions: Their colours.
        picture: The output's subsampling, depth and range.
        colorimetry: Of the film.
        device: Where to compute.
    """
    size = chroma_size(lumas[0].samples.shape, picture)
    gray, ab = _upsampled(lumas, predictions, size, device)
    depth = LumaRange(picture.bit_depth, picture.full_range)
    rows = max(1, STRIP // size[1]) if device.type == "cpu" else size[0]
    strips = zip(torch.split(gray, rows, 2), torch.split(ab, rows, 2), strict=True)
    samples = [
        [quantize(plane, depth).cpu() for plane in table_chroma(*strip, colorimetry)]
        for strip in strips
    ]
    cb, cr = (torch.cat(parts, 1).numpy() for parts in zip(*samples, strict=True))
    return list(zip(cb, cr, strict=True))


def rgb_picture(gray: Picture, prediction: LabPrediction, device: torch.device) -> Picture:
    """RGB uint8 ``[H, W, 3]`` of full-range luma uint8 ``[H, W]`` with its predicted colours."""
    return ab_to_picture(*_upsampled([LumaPlane(gray)], [prediction], gray.shape, device))


def upsampled_ab(gray: Picture, prediction: LabPrediction, device: torch.device) -> Floats:
    """The predicted a*, b* fp32 ``[H, W, 2]`` of full-range luma uint8 ``[H, W]``."""
    ab = _upsampled([LumaPlane(gray)], [prediction], gray.shape, device)[1][0]
    return cast(Floats, ab.permute(1, 2, 0).cpu().numpy())


@torch.inference_mode()
def _upsampled(
    lumas: Sequence[LumaPlane],
    predictions: Sequence[LabPrediction],
    size: tuple[int, ...],
    device: torch.device,
) -> tuple[Tensor, Tensor]:
    """Luma in [0, 1] and ab at ``size`` (height, width), fp32 ``[N, 1 and 2, H, W]``."""
    gray, guide = (planes.to(device) for planes in gray_planes(lumas, size))
    lightness, ab = (
        torch.from_numpy(np.stack(planes)).to(device)
        for planes in zip(
            *((predict.lightness[None], predict.ab) for predict in predictions), strict=True
        )
    )
    return gray, upsample_along(ab, lightness, guide)


@torch.inference_mode()
def ab_to_picture(gray: Tensor, ab: Tensor) -> Picture:
    """RGB uint8 ``[H, W, 3]`` of luma ``[1, 1, H, W]`` in [0, 1] and its a*, b* ``[1, 2, H, W]``."""
    rgb = chroma_to_rgb(gray, table_chroma(gray, ab, Colorimetry("bt601")), "bt601")
    return cast(Picture, (rgb[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy())
