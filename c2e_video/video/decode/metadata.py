"""The description of a film's pictures: what the film states, and players' guesses where it does not."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from math import atan2, cos, degrees, radians, sin
from pathlib import Path
from typing import Any

import av
from av.sidedata.sidedata import SideDataContainer
from av.video.format import VideoFormat
from av.video.frame import VideoFrame

from ...color.matrices import Matrix
from ..cropping import crop_of
from ..frames import VideoInfo
from .demuxer import Demuxer
from .fields import INTERLACED_FIELD_ORDERS, shows_top_field_first
from .frame_rate import frame_rate

# ITU-T H.273 code points, which FFmpeg numbers alike. 7 is SMPTE 240M, within 0.02 of BT.709.
_MATRICES: dict[int, Matrix] = {
    1: "bt709",
    4: "bt601",
    5: "bt601",
    6: "bt601",
    7: "bt709",
    9: "bt2020",
    10: "bt2020",
}
_RESERVED, _UNSPECIFIED, _BT2020_PRIMARIES = 0, 2, 9
_ONE = 1 << 16  # in a display matrix
# FFmpeg's numbers.
_LIMITED, _FULL = 1, 2
# Codecs whose standard makes untagged gray limited. Other untagged gray is full, as in FFmpeg.
_LIMITED_GRAY = ("h264", "hevc", "vvc", "av1")


def describe(film: Demuxer, picture: VideoFrame) -> VideoInfo:
    """Describe a film.

    Args:
        film: The open film.
        picture: Its first picture.
    """
    stream, context = film.stream, film.stream.codec_context
    rate = frame_rate(film)
    seconds = _seconds(film)
    frames = stream.frames or (round(seconds * rate) if seconds and rate else 0)
    matrix = display_matrix(picture)
    rotation, mirrored = orientation(matrix)
    primaries = tag_of(picture.color_primaries, context.color_primaries)
    aspect = stream.sample_aspect_ratio
    return VideoInfo(
        path=Path(film.path),
        width=picture.width,
        height=picture.height,
        pixel_format=picture.format.name,
        bit_depth=depth_of(picture.format),
        matrix=matrix_of(picture, tag_of(picture.colorspace, context.colorspace), primaries),
        full_range=is_full(picture, context.color_range, context.name),
        transfer=tag_of(picture.color_trc, context.color_trc),
        primaries=primaries,
        sample_aspect_ratio=Fraction(aspect) if aspect and aspect > 0 else Fraction(1),
        rotation=rotation,
        mirrored=mirrored,
        display_matrix=matrix,
        crop=crop_of(stream),
        time_base=film.time_base,
        frame_rate=rate,
        frame_count=frames if frames > 0 else None,
        duration_seconds=seconds,
        interlaced=picture.interlaced_frame or context.field_order in INTERLACED_FIELD_ORDERS,
        top_field_first=shows_top_field_first(picture, context.field_order, context.name),
        start_timecode=_start_timecode(film),
    )


def _start_timecode(film: Demuxer) -> str | None:
    """The timecode of the picture track, else that of the file or of a timecode track."""
    others = [film.container.metadata, *(s.metadata for s in film.container.streams)]
    for fields in (film.stream.metadata, *others):
        for name, value in fields.items():
            if name.lower() == "timecode":
                return value
    return None


def tagged_full(picture: VideoFrame) -> bool | None:
    """Whether the range is full, by the picture's own tag; None if it has none."""
    if picture.format.name.startswith("yuvj"):
        return True
    return {_LIMITED: False, _FULL: True}.get(picture.color_range)


def is_rgb(form: VideoFormat) -> bool:
    """Whether the components are R, G, B, a palette of them, or X, Y, Z: there is no luma."""
    return form.is_rgb or form.has_palette or form.name.startswith("xyz")


def is_gray(form: VideoFormat) -> bool:
    """Whether luma is the only component besides alpha."""
    return sum(not component.is_alpha for component in form.components) == 1 and not is_rgb(form)


def depth_of(form: VideoFormat) -> int:
    """The smallest of 8, 9, 10, 12, 14 and 16 bits that holds the format's samples."""
    bits = max(component.bits for component in form.components)
    return next((depth for depth in (8, 9, 10, 12, 14) if bits <= depth), 16)


def tag_of(*tags: int) -> int:
    """The first of some code points that is neither reserved nor unspecified; else unspecified."""
    return next((tag for tag in tags if tag not in (_RESERVED, _UNSPECIFIED)), _UNSPECIFIED)


def matrix_of(picture: VideoFrame, tag: int, primaries: int) -> Matrix:
    """The matrix of a code point; without one, BT.2020 by its primaries, else by size as players do.

    Args:
        picture: A decoded picture of the film.
        tag: ITU-T H.273 code point of the matrix.
        primaries: ITU-T H.273 code point of the primaries.
    """
    if tag in _MATRICES:
        return _MATRICES[tag]
    if primaries == _BT2020_PRIMARIES:
        return "bt2020"
    return "bt709" if picture.height > 576 or picture.width > 1024 else "bt601"


def is_full(picture: VideoFrame, stream_range: int, codec: str) -> bool:
    """Whether luma (or R, G, B) is full range, by the tags, else by the pixel format.

    Args:
        picture: A decoded picture of the film.
        stream_range: FFmpeg's number for the range in the stream's parameters.
        codec: FFmpeg's name of the decoder; untagged gray is limited in H.264, HEVC, VVC and AV1.
    """
    tagged = tagged_full(picture)
    if tagged is None and stream_range in (_LIMITED, _FULL):
        tagged = stream_range == _FULL
    if tagged is None:
        gray = is_gray(picture.format) and codec not in _LIMITED_GRAY
        return is_rgb(picture.format) or gray
    return tagged


def display_matrix(picture: VideoFrame) -> tuple[int, ...] | None:
    """The nine numbers by which players transform the picture; None if it is shown as it is stored.

    They are those of QuickTime's track header, ``(a, b, u, c, d, v, x, y, w)``: a, b, c, d in 16.16
    fixed point, ``x' = a x + c y`` and ``y' = b x + d y`` with y downwards.
    """
    container: Any = SideDataContainer
    try:
        data = container(picture)["DISPLAYMATRIX"]
    except KeyError:
        return None
    except (
        ValueError
    ):  # PyAV cannot list a picture's side data if it does not know one of its kinds
        return _rotated(picture)
    matrix = struct.unpack("=9i", bytes(data))
    a, b, _, c, d = matrix[:5]
    return None if a * d == b * c or (a, b, c, d) == (_ONE, 0, 0, _ONE) else matrix


def _rotated(picture: VideoFrame) -> tuple[int, ...] | None:
    """The display matrix of a picture's rotation."""
    try:
        angle = radians(picture.rotation)
    except ValueError:  # the matrix has no inverse
        return None
    cosine, sine = round(cos(angle) * _ONE), round(sin(angle) * _ONE)
    return (cosine, -sine, 0, sine, cosine, 0, 0, 0, 1 << 30) if sine or cosine < 0 else None


def orientation(matrix: Sequence[int] | None) -> tuple[int, bool]:
    """The rotation in degrees counter-clockwise, and whether left and right are exchanged after it."""
    if matrix is None:
        return 0, False
    a, b, _, c, d = matrix[:5]
    mirrored = a * d < b * c
    return round(-degrees(atan2(b, -a if mirrored else a))), mirrored


def _seconds(film: Demuxer) -> float | None:
    stream, whole = film.stream, film.container.duration
    if stream.duration and stream.duration > 0:
        return float(stream.duration * film.time_base)
    return whole / av.time_base if whole and whole > 0 else None
