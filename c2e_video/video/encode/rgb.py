"""Luma and chroma as R'G'B' samples, for pictures that hold nothing else.

Luma can be had back exactly: kr R + kg G + kb B, by the film's matrix, rounded to the film's steps, is the
film's luma. For this R and B are rounded, and G is computed from them: G = (Y - kr R - kb B) / kg, which
leaves an error of kg / 2 < 0.36 steps. Y is luma rounded to the pictures' steps, so that gray is R = G = B.
Where both errors together are more than half a step of the film (of limited range and the same depth), G
takes the step that corrects it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from av.video.frame import VideoFrame

from ...color.matrices import LUMA_WEIGHTS
from ...utils.arrays import Floats, Plane
from ..frames import VideoInfo

# Chroma is made with 16 bits, full range, at luma's size: its rounding shows in none of the formats.
CHROMA_DEPTH = 16
_MIDDLE, _SPAN = 1 << CHROMA_DEPTH - 1, (1 << CHROMA_DEPTH) - 1
_HALF_FLOAT_BITS = 10  # luma of up to so many bits is kept by float16


def rgb_steps(luma: Plane, cb: Plane, cr: Plane, info: VideoInfo, depth: int) -> list[Plane]:
    """R', G' and B' in full-range steps.

    Args:
        luma: The film's samples, ``[H, W]``.
        cb: Chroma of ``CHROMA_DEPTH`` bits, full range, ``[H, W]``.
        cr: The same.
        info: The film; its matrix and range.
        depth: Bits of the result, no fewer than the film's.

    Returns:
        Red, green and blue, each uint8 or uint16 ``[H, W]``.
    """
    top = (1 << depth) - 1
    exact = _unit(luma, info) * top
    gray = np.rint(exact)
    kr, kg, kb = LUMA_WEIGHTS[info.matrix]
    red = np.rint(gray + _offset(cr) * (2 * (1 - kr) * top)).clip(0, top)
    blue = np.rint(gray + _offset(cb) * (2 * (1 - kb) * top)).clip(0, top)
    green = np.rint((gray - kr * red - kb * blue) / kg).clip(0, top)
    error = kr * red + kg * green + kb * blue - exact
    black, white = info.luma_range.ends
    half_step = 0.499 * top / (white - black)
    green = (green - np.sign(error) * (np.abs(error) > half_step)).clip(0, top)
    kind: Any = np.uint8 if depth == 8 else np.uint16
    return [plane.astype(kind) for plane in (red, green, blue)]


def rgb_light(luma: Plane, cb: Plane, cr: Plane, info: VideoInfo) -> list[Floats]:
    """Red, green and blue as linear light of the film's primaries, 1 being white, float32 ``[H, W]``.

    Values are such that float16 holds them where the film has at most ten bits. Other primaries would mix
    bright and dark channels, and lose the dark ones.
    """
    kr, kg, kb = LUMA_WEIGHTS[info.matrix]
    gray = _unit(luma, info)
    red = gray + _offset(cr) * (2 * (1 - kr))
    blue = gray + _offset(cb) * (2 * (1 - kb))
    green = (gray - kr * red - kb * blue) / kg
    light = info.colorimetry.curve.linear(torch.from_numpy(np.stack((red, green, blue)))).numpy()
    kind = np.float16 if is_half(info) else np.float32
    return [plane.astype(kind).astype(np.float32) for plane in light]


def is_half(info: VideoInfo) -> bool:
    """Whether float16 samples keep the film's luma."""
    return info.bit_depth <= _HALF_FLOAT_BITS


def shown_size(info: VideoInfo) -> tuple[int, int]:
    """Width and height of the pictures as players show them: cropped, and turned by quarters."""
    left, top, right, bottom = info.crop or (0, 0, 0, 0)
    width, height = info.width - left - right, info.height - top - bottom
    return (height, width) if info.turns % 2 else (width, height)


def as_shown(plane: Plane | Floats, info: VideoInfo) -> Any:
    """A stored plane ``[H, W]`` cropped, turned and mirrored as players do: pictures do not say it."""
    left, top, right, bottom = info.crop or (0, 0, 0, 0)
    return info.upright(plane[top : info.height - bottom, left : info.width - right])


def fill(frame: VideoFrame, red_green_blue: list[Any]) -> None:
    """Copy the three planes into a picture in a packed RGB or a planar GBR format."""
    form, planes = frame.format, list(frame.planes)
    order = ">" if form.is_big_endian else "<"
    kind = red_green_blue[0].dtype.newbyteorder(order)
    if form.is_planar:
        red, green, blue = red_green_blue
        for plane, samples in zip(planes, (green, blue, red), strict=True):
            _rows(plane, kind)[:, : frame.width] = samples
        return
    rows = _rows(planes[0], kind)[:, : 3 * frame.width]
    rows.reshape(frame.height, frame.width, 3)[...] = np.stack(red_green_blue, axis=-1)


def _rows(plane: Any, kind: np.dtype[Any]) -> Any:
    return np.frombuffer(plane, kind).reshape(plane.height, plane.line_size // kind.itemsize)


def _unit(luma: Plane, info: VideoInfo) -> npt.NDArray[np.float64]:
    """Luma in [0, 1]; what lies below black or above white is cut off."""
    black, white = info.luma_range.ends
    return ((luma.astype(np.float64) - black) / (white - black)).clip(0, 1)


def _offset(chroma: Plane) -> npt.NDArray[np.float64]:
    """Chroma around zero, in [-0.5, 0.5]."""
    return (chroma.astype(np.float64) - _MIDDLE) / _SPAN
