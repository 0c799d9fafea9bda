"""The luma of a decoded picture.

It is the decoder's own Y plane. swscale unpacks formats that interleave luma with other samples or align
it to the left (yuyv422, p010, ya8), which moves bits and changes none. RGB, palette and XYZ pictures have
no luma: Y is computed here as ``kr R + (1 - kr - kb) G + kb B`` with the weights of ``VideoInfo.matrix``,
in the range of R, G and B, so that a gray picture stored as RGB keeps its samples. (swscale's own Y is
off by up to 3 of 1023 and 255 of 65535.) swscale gets one thread: with more, samples at the border of
two threads' slices are sometimes wrong.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation

from ...color.luma_range import LumaRange, convert
from ...color.matrices import Matrix
from ...errors import MediaError
from ...utils.arrays import Plane
from ..frames import VideoInfo
from .metadata import depth_of, is_gray, is_rgb, tagged_full
from .report import DecodeReport

# kr and kb of ITU-R BT.601, BT.709 and BT.2020.
_WEIGHTS = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}
# Formats whose plane 0 is luma (or planes 0 to 2 are G, B, R), one right-aligned word a sample.
_PLAIN = re.compile(r"(yuv[aj]?\d{3}p|gray|gbra?p|nv\d\d)(\d*(le|be))?")


def is_untouched(pixel_format: str) -> bool:
    """Whether each component has a plane of its own in a pixel format, so that luma need not be unpacked."""
    return _PLAIN.fullmatch(pixel_format) is not None


def plain(picture: VideoFrame, path: str | Path) -> VideoFrame:
    """Unpack a picture: the same samples in a format in which each component has a plane of its own.

    Args:
        picture: In any pixel format.
        path: The film, for messages.

    Returns:
        The picture itself if its format is such a one.

    Raises:
        MediaError: swscale does not read the pixel format.
    """
    form = picture.format
    if is_untouched(form.name):
        return picture
    family = "gbrp" if is_rgb(form) else "gray" if is_gray(form) else "yuv444p"
    depth = depth_of(form)
    try:
        return picture.reformat(format=family if depth == 8 else f"{family}{depth}le", threads=1)
    except FFmpegError:
        raise MediaError(
            f"{str(path)!r} has the pixel format {form.name}, which is not supported; "
            "convert it to yuv444p or rgb24 first"
        ) from None


def luma_of(picture: VideoFrame, info: VideoInfo, report: DecodeReport) -> Plane:
    """The luma of a picture, in the film's size, depth and range.

    Args:
        picture: A decoded picture. One of another size, depth or range than the film's is converted.
        info: The film.
        report: Converted pictures are counted in it.

    Returns:
        Y ``[H, W]``, uint8 or uint16, read-only: a view of the decoder's plane where that is possible.

    Raises:
        MediaError: The pixel format is not supported.
    """
    picture = plain(picture, info.path)
    if picture.format.is_rgb:
        luma = _weighted([_plane(picture, index) for index in range(3)], info.matrix)
    else:
        luma = _plane(picture, 0)
    full = tagged_full(picture)
    scale = LumaRange(depth_of(picture.format), info.full_range if full is None else full)
    wanted = info.luma_range
    if luma.shape == (info.height, info.width) and scale == wanted:
        return luma
    report.rescaled += 1
    return _resized(convert(luma, scale, wanted), info)


def _plane(picture: VideoFrame, index: int) -> Plane:
    """The samples of a plane ``[H, W]``, in the machine's byte order."""
    plane: Any = picture.planes[index]
    order = ">" if picture.format.is_big_endian else "<"
    dtype: Any = np.dtype(np.uint8 if depth_of(picture.format) == 8 else f"{order}u2")
    rows: Any = np.frombuffer(memoryview(plane).toreadonly(), dtype)
    down = -1 if plane.line_size < 0 else 1
    view: Any = rows.reshape(plane.height, -1)[::down, : plane.width]
    samples: Plane = view.astype(dtype.newbyteorder("="), copy=False)
    return samples


def _weighted(green_blue_red: Sequence[Plane], matrix: Matrix) -> Plane:
    """Y of G, B and R, rounded to the nearest; exactly their value where all three are equal."""
    red, blue = (round(share * 65536) for share in _WEIGHTS[matrix])
    total = np.full(green_blue_red[0].shape, 32768, np.uint32)
    for plane, weight in zip(green_blue_red, (65536 - red - blue, blue, red), strict=True):
        total += plane.astype(np.uint32) * weight
    deep = green_blue_red[0].dtype == np.uint16
    return (total >> 16).astype(np.uint16) if deep else (total >> 16).astype(np.uint8)


def _resized(luma: Plane, info: VideoInfo) -> Plane:
    gray: Any = luma
    picture = VideoFrame.from_ndarray(
        gray, "gray" if info.bit_depth == 8 else f"gray{info.bit_depth}le"
    )
    bicubic = Interpolation.BICUBIC
    return _plane(picture.reformat(info.width, info.height, interpolation=bicubic, threads=1), 0)
