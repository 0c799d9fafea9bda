"""The shape of the pixels, in a Matroska file that is written already.

FFmpeg's muxer takes it from a field that PyAV does not reach, and FFV1, AV1 and ProRes do not say
it themselves. So it is put into the header afterwards, in the room that the muxer leaves there.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from fractions import Fraction
from typing import BinaryIO, NamedTuple

# Element names of RFC 9559, with their length markers.
_SEGMENT, _TRACKS, _TRACK, _VIDEO = 0x18538067, 0x1654AE6B, 0xAE, 0xE0
_VOID, _CRC, _CLUSTER = 0xEC, 0xBF, 0x1F43B675
_PIXEL_WIDTH, _PIXEL_HEIGHT = 0xB0, 0xBA
_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT = 0x54B0, 0x54BA, 0x54B2
_ASPECT_RATIO = 3  # a display unit
_HEADER = 1 << 20  # bytes: the tracks come well within


class Element(NamedTuple):
    """An EBML element: its name, and where its head and body are in the file."""

    name: int
    head: int
    body: int
    end: int


def set_pixel_shape(file: BinaryIO, shape: Fraction) -> bool:
    """Say in the first video track that a pixel is ``shape`` times as wide as high.

    Returns whether there was room for it. ``file`` is open for reading and writing.
    """
    file.seek(0)
    data = file.read(_HEADER)
    found = _video_track(data)
    if found is None:
        return False
    tracks, track, video = found
    body = _reshaped(data, track, video, shape)
    if body is None:
        return False
    written = data[: track.body] + body + data[track.end :]
    crc = _child(written, tracks, _CRC)
    if crc is not None:
        digest = zlib.crc32(written[crc.end : tracks.end]).to_bytes(4, "little")
        written = written[: crc.body] + digest + written[crc.end :]
    file.seek(tracks.head)
    file.write(written[tracks.head : tracks.end])
    return True


def _video_track(data: bytes) -> tuple[Element, Element, Element] | None:
    """The list of tracks, the first video track in it, and what that says of its pictures."""
    segment = _child(data, Element(0, 0, 0, len(data)), _SEGMENT)
    tracks = segment and _child(data, segment, _TRACKS)
    if tracks is None or tracks.end > len(data):
        return None
    for track in _children(data, tracks):
        video = _child(data, track, _VIDEO) if track.name == _TRACK else None
        if video is not None:
            return tracks, track, video
    return None


def _reshaped(data: bytes, track: Element, video: Element, shape: Fraction) -> bytes | None:
    """The track's body in as many bytes, with the display size in it; None if there is no room."""
    told = (_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT)
    size = {e.name: int.from_bytes(data[e.body : e.end], "big") for e in _children(data, video)}
    inner = b"".join(data[e.head : e.end] for e in _children(data, video) if e.name not in told)
    inner += _display(size[_PIXEL_WIDTH], size[_PIXEL_HEIGHT], shape)
    outer = b"".join(
        data[e.head : e.end] for e in _children(data, track) if e.name != _VOID and e != video
    )
    room = track.end - track.body - len(outer) - len(_element(_VIDEO, inner))
    if not 0 <= room < 128:
        return None
    if room == 1:  # less than a void takes
        return outer + _element(_VIDEO, inner, longer=True)
    return outer + _element(_VIDEO, inner) + (_element(_VOID, bytes(room - 2)) if room else b"")


def _display(width: int, height: int, shape: Fraction) -> bytes:
    """The picture's size as shown: in pixels if they are whole, else its aspect ratio."""
    across = width * shape
    if across.denominator == 1:
        return _number(_DISPLAY_WIDTH, int(across)) + _number(_DISPLAY_HEIGHT, height)
    aspect = (across / height).limit_denominator(9999)
    return (
        _number(_DISPLAY_WIDTH, aspect.numerator)
        + _number(_DISPLAY_HEIGHT, aspect.denominator)
        + _number(_DISPLAY_UNIT, _ASPECT_RATIO)
    )


def _children(data: bytes, parent: Element) -> Iterator[Element]:
    at = parent.body
    while at < min(parent.end, len(data)):
        name, size_at = _vint(data, at)
        size, body = _vint(data, size_at)
        size &= (1 << (7 * (body - size_at))) - 1  # without the length marker
        yield Element(name, at, body, body + size)
        if name == _CLUSTER:
            return
        at = body + size


def _child(data: bytes, parent: Element, name: int) -> Element | None:
    return next((child for child in _children(data, parent) if child.name == name), None)


def _vint(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length number with its marker, and where the next thing is."""
    length = 9 - data[at].bit_length()
    return int.from_bytes(data[at : at + length], "big"), at + length


def _number(name: int, value: int) -> bytes:
    return _element(name, _bytes(value))


def _element(name: int, body: bytes, longer: bool = False) -> bytes:
    """An element; its size takes one byte, or two where that does not do or ``longer`` is wanted."""
    size = 0x4000 | len(body) if longer or len(body) >= 127 else 0x80 | len(body)
    return _bytes(name) + _bytes(size) + body


def _bytes(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
