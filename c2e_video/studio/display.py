"""Frames as a page shows them: upright, full range, at most so many pixels, as JPEG or PNG."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import cast

import cv2
import numpy as np
import torch

from ..color.chroma import ChromaOffsets, chroma_to_rgb
from ..color.display import gray_to_srgb, rgb_to_srgb
from ..utils.arrays import Picture, Plane
from ..video.frames import Frame, PictureFormat, VideoInfo

LARGEST = 1280  # long side of what the viewer is sent, in pixels
QUALITY = 90  # of JPEG, of 100


def fitted(frame: Frame, largest: int) -> Frame:
    """The frame with its long side at ``largest`` pixels at most, its samples as they are otherwise."""
    height, width = frame.luma.shape
    scale = largest / max(height, width)
    if scale >= 1:
        return frame
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    luma = cv2.resize(frame.luma, size, interpolation=cv2.INTER_AREA)
    return replace(frame, luma=cast(Plane, luma))


def gray_picture(frame: Frame, info: VideoInfo, largest: int = LARGEST) -> Picture:
    """The frame in gray, full range, upright: uint8 ``[H, W]``. Pixels keep the film's shape."""
    scale, offset = info.luma_range.to_unit
    luma = fitted(frame, largest).luma.astype(np.float32)
    unit = torch.from_numpy(np.clip((luma - offset) * scale, 0, 1))
    gray = gray_to_srgb(unit, info.colorimetry.curve).mul(255).round().byte().numpy()
    return upright(gray, info)


def colored_picture(
    frame: Frame, cb: Plane, cr: Plane, info: VideoInfo, picture: PictureFormat
) -> Picture:
    """A frame and its chroma as a player shows them, as stored: RGB uint8 ``[H, W, 3]``.

    Args:
        frame: The frame, in any size.
        cb: Cb samples of ``picture``'s depth and range, in any size.
        cr: Cr likewise.
        info: The film.
        picture: What the chroma samples mean.
    """
    height, width = frame.luma.shape
    depth = picture.bit_depth
    span = (1 << depth) - 1 if picture.full_range else 224 << depth - 8
    offsets = []
    for plane in (cb, cr):
        sized = plane.astype(np.float32)
        if plane.shape != (height, width):
            how = cv2.INTER_AREA if plane.shape[0] > height else cv2.INTER_LINEAR
            sized = np.asarray(cv2.resize(sized, (width, height), interpolation=how), np.float32)
        offsets.append(torch.from_numpy((sized - (1 << depth - 1)) / span)[None])
    scale, offset = info.luma_range.to_unit
    luma = torch.from_numpy((frame.luma.astype(np.float32) - offset) * scale).clamp_(0, 1)
    rgb = chroma_to_rgb(luma[None, None], ChromaOffsets(*offsets), picture.matrix)
    rgb = rgb_to_srgb(rgb, info.colorimetry.gamut, info.colorimetry.curve)
    pixels = (rgb[0].clamp_(0, 1) * 255).round_().byte().permute(1, 2, 0)
    return np.asarray(pixels.contiguous().numpy(), np.uint8)


def as_srgb(picture: Picture, info: VideoInfo) -> Picture:
    """RGB uint8 ``[H, W, 3]`` in the film's own primaries and transfer curve, in sRGB."""
    planes = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    rgb = rgb_to_srgb(planes, info.colorimetry.gamut, info.colorimetry.curve)
    pixels = (rgb[0].clamp(0, 1) * 255).round_().byte().permute(1, 2, 0)
    return np.asarray(pixels.contiguous().numpy(), np.uint8)


def upright(picture: Picture, info: VideoInfo) -> Picture:
    """A picture as stored, turned as it is to be shown."""
    return np.ascontiguousarray(info.upright(picture))


def as_stored(picture: Picture, info: VideoInfo) -> Picture:
    """The reverse of :func:`upright`."""
    return np.ascontiguousarray(info.stored(picture))


def shown_aspect(info: VideoInfo) -> float:
    """Width over height of the picture on the screen."""
    aspect = Fraction(info.width, info.height) * info.sample_aspect_ratio
    return float(1 / aspect if info.turns % 2 else aspect)


def square(picture: Picture, info: VideoInfo) -> Picture:
    """An upright picture with square pixels, its height kept, for other programs."""
    height, width = picture.shape[:2]
    wanted = max(1, round(height * shown_aspect(info)))
    if abs(wanted - width) < 2:
        return picture
    return cast(Picture, cv2.resize(picture, (wanted, height), interpolation=cv2.INTER_AREA))


def jpeg(picture: Picture, quality: int = QUALITY) -> bytes:
    """A gray or RGB picture as JPEG, its colours in full resolution."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    if picture.ndim == 3:
        options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return cv2.imencode(".jpg", _bgr(picture), options)[1].tobytes()


def png(picture: Picture) -> bytes:
    """A gray or RGB picture as PNG."""
    return cv2.imencode(".png", _bgr(picture))[1].tobytes()


def small(picture: Picture, height: int) -> Picture:
    """The picture ``height`` rows high at most."""
    if picture.shape[0] <= height:
        return picture
    width = max(1, round(picture.shape[1] * height / picture.shape[0]))
    return cast(Picture, cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))


def _bgr(picture: Picture) -> Picture:
    return picture if picture.ndim == 2 else np.ascontiguousarray(picture[:, :, ::-1])
