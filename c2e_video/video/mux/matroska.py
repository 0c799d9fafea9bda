"""The sample aspect ratio in a Matroska file, written into its finished header.

FFmpeg's muxer takes it from a field of the stream that PyAV cannot set, and FFV1, AV1 and ProRes do not
store it themselves. The header's void elements give the room.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from fractions import Fraction
from typing import BinaryIO

from ..ebml import (
    CRC,
    PIXEL_CROP_BOTTOM,
    PIXEL_CROP_LEFT,
    PIXEL_CROP_RIGHT,
    PIXEL_CROP_TOP,
    VIDEO,
    VOID,
    Element,
    child,
    children,
    element,
    number,
    numbers,
    video_track,
)

# Element names of RFC 9559, with their length markers.
_PIXEL_WIDTH, _PIXEL_HEIGHT = 0xB0, 0xBA
_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT = 0x54B0, 0x54BA, 0x54B2
_ASPECT_RATIO = 3  # the display unit
_HEADER = 1 << 20  # bytes, enough for the list of tracks


def set_pixel_shape(file: BinaryIO, shape: Fraction) -> bool:
    """Write the display size of the first video track.

    Args:
        file: A Matroska file, open for reading and writing.
        shape: Width over height of a pixel.

    Returns:
        Whether there was room for it; without, the file is unchanged.
    """
    file.seek(0)
    data = file.read(_HEADER)
    found = video_track(data)
    if found is None:
        return False
    tracks, track, video = found
    body = _reshaped(data, track, video, shape)
    if body is None:
        return False
    written = data[: track.body] + body + data[track.end :]
    crc = child(written, tracks, CRC)
    if crc is not None:
        digest = zlib.crc32(written[crc.end : tracks.end]).to_bytes(4, "little")
        written = written[: crc.body] + digest + written[crc.end :]
    file.seek(tracks.head)
    file.write(written[tracks.head : tracks.end])
    return True


def _reshaped(data: bytes, track: Element, video: Element, shape: Fraction) -> bytes | None:
    """The track's body with the display size, in as many bytes; None if there is no room."""
    said = (_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT)
    size = numbers(data, video)
    across = size[_PIXEL_WIDTH] - size.get(PIXEL_CROP_LEFT, 0) - size.get(PIXEL_CROP_RIGHT, 0)
    down = size[_PIXEL_HEIGHT] - size.get(PIXEL_CROP_TOP, 0) - size.get(PIXEL_CROP_BOTTOM, 0)
    inner = b"".join(data[e.head : e.end] for e in children(data, video) if e.name not in said)
    outer = b"".join(
        data[e.head : e.end] for e in children(data, track) if e.name != VOID and e != video
    )
    for display in _displays(across * shape, down):
        video_element = element(VIDEO, inner + display)
        room = track.end - track.body - len(outer) - len(video_element)
        if room == 1:  # less than a void takes
            return outer + element(VIDEO, inner + display, longer=True)
        if 0 <= room < 128:
            return outer + video_element + (element(VOID, bytes(room - 2)) if room else b"")
    return None


def _displays(width: Fraction, height: int) -> Iterator[bytes]:
    """Elements for the size as shown, the best first.

    The size in pixels if that is whole; else an aspect ratio; else, in less room, a size of whole pixels
    with exactly that ratio.
    """
    if width.denominator == 1:
        yield number(_DISPLAY_WIDTH, int(width)) + number(_DISPLAY_HEIGHT, height)
        return
    aspect = (width / height).limit_denominator(9999)
    yield (
        number(_DISPLAY_WIDTH, aspect.numerator)
        + number(_DISPLAY_HEIGHT, aspect.denominator)
        + number(_DISPLAY_UNIT, _ASPECT_RATIO)
    )
    times = max(1, round(height / aspect.denominator))
    yield (
        number(_DISPLAY_WIDTH, times * aspect.numerator)
        + number(_DISPLAY_HEIGHT, times * aspect.denominator)
    )
