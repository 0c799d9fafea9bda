"""EBML, the form of Matroska: elements with a name, a size and a body (RFC 8794)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

# Element names of RFC 9559, with their length markers.
SEGMENT, TRACKS, TRACK, VIDEO = 0x18538067, 0x1654AE6B, 0xAE, 0xE0
VOID, CRC, CLUSTER = 0xEC, 0xBF, 0x1F43B675
# The samples that players do not show.
PIXEL_CROP_LEFT, PIXEL_CROP_TOP, PIXEL_CROP_RIGHT, PIXEL_CROP_BOTTOM = (
    0x54CC,
    0x54BB,
    0x54DD,
    0x54AA,
)


class Element(NamedTuple):
    """An element: its name, and where its head and body are in the file."""

    name: int
    head: int
    body: int
    end: int


def children(data: bytes, parent: Element) -> Iterator[Element]:
    """The elements in another one; of a segment, up to its first cluster."""
    at = parent.body
    while at < min(parent.end, len(data)):
        name, size_at = _vint(data, at)
        size, body = _vint(data, size_at)
        size &= (1 << (7 * (body - size_at))) - 1  # without the length marker
        yield Element(name, at, body, body + size)
        if name == CLUSTER:
            return
        at = body + size


def child(data: bytes, parent: Element, name: int) -> Element | None:
    """The first element of that name in another one."""
    return next((child for child in children(data, parent) if child.name == name), None)


def _vint(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length number with its marker, and where the next thing is."""
    length = 9 - data[at].bit_length()
    return int.from_bytes(data[at : at + length], "big"), at + length


def number(name: int, value: int) -> bytes:
    """An element that holds a number."""
    return element(name, _bytes(value))


def element(name: int, body: bytes, longer: bool = False) -> bytes:
    """An element; its size takes one byte, or two where that does not do or ``longer`` is wanted."""
    size = 0x4000 | len(body) if longer or len(body) >= 127 else 0x80 | len(body)
    return _bytes(name) + _bytes(size) + body


def video_track(data: bytes) -> tuple[Element, Element, Element] | None:
    """The list of tracks, the first video track in it, and what that says of its pictures."""
    segment = child(data, Element(0, 0, 0, len(data)), SEGMENT)
    tracks = segment and child(data, segment, TRACKS)
    if tracks is None or tracks.end > len(data):
        return None
    for track in children(data, tracks):
        video = child(data, track, VIDEO) if track.name == TRACK else None
        if video is not None:
            return tracks, track, video
    return None


def numbers(data: bytes, parent: Element) -> dict[int, int]:
    """The elements in another one, read as numbers, by their names."""
    return {e.name: int.from_bytes(data[e.body : e.end], "big") for e in children(data, parent)}


def _bytes(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
