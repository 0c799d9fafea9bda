"""What a film says of its pictures, and what to take for granted where it says nothing."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from av.video.format import VideoFormat
from av.video.frame import VideoFrame

from ...color.matrices import Matrix
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
# FFmpeg's numbers.
_LIMITED, _FULL = 1, 2
# Codecs whose standard makes untagged gray limited. All other gray is full, as FFmpeg has it.
_LIMITED_GRAY = ("h264", "hevc", "vvc", "av1")


def describe(film: Demuxer, picture: VideoFrame) -> VideoInfo:
    """The film as its container and this picture, its first, describe it."""
    stream, context = film.stream, film.stream.codec_context
    rate = frame_rate(film)
    seconds = _seconds(film)
    frames = stream.frames or (round(seconds * rate) if seconds and rate else 0)
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
        rotation=_rotation(picture),
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
    """Whether the picture itself says that its range is full; None if it does not say."""
    if picture.format.name.startswith("yuvj"):
        return True
    return {_LIMITED: False, _FULL: True}.get(picture.color_range)


def is_rgb(form: VideoFormat) -> bool:
    """Whether the samples are some RGB, so that there is no luma among them."""
    return form.is_rgb or form.has_palette or form.name.startswith("xyz")


def is_gray(form: VideoFormat) -> bool:
    """Whether there is luma and nothing else, but perhaps alpha."""
    return sum(not component.is_alpha for component in form.components) == 1 and not is_rgb(form)


def depth_of(form: VideoFormat) -> int:
    """The depth that holds the format's samples: 8, 9, 10, 12, 14 or 16 bits."""
    bits = max(component.bits for component in form.components)
    return next((depth for depth in (8, 9, 10, 12, 14) if bits <= depth), 16)


def tag_of(*tags: int) -> int:
    """The first code point that says something."""
    return next((tag for tag in tags if tag not in (_RESERVED, _UNSPECIFIED)), _UNSPECIFIED)


def matrix_of(picture: VideoFrame, tag: int, primaries: int) -> Matrix:
    """The matrix that the tag names, or that players take for granted."""
    if tag in _MATRICES:
        return _MATRICES[tag]
    if primaries == _BT2020_PRIMARIES:
        return "bt2020"
    return "bt709" if picture.height > 576 or picture.width > 1024 else "bt601"


def is_full(picture: VideoFrame, stream_range: int, codec: str) -> bool:
    """Whether luma (or R, G, B) is full range, by the tags or else by what its format means."""
    tagged = tagged_full(picture)
    if tagged is None and stream_range in (_LIMITED, _FULL):
        tagged = stream_range == _FULL
    if tagged is None:
        gray = is_gray(picture.format) and codec not in _LIMITED_GRAY
        return is_rgb(picture.format) or gray
    return tagged


def _rotation(picture: VideoFrame) -> int:
    try:
        return picture.rotation
    except ValueError:  # a display matrix that is none
        return 0


def _seconds(film: Demuxer) -> float | None:
    stream, whole = film.stream, film.container.duration
    if stream.duration and stream.duration > 0:
        return float(stream.duration * film.time_base)
    return whole / av.time_base if whole and whole > 0 else None
