"""The clean aperture of a QuickTime film (clap), read and written in a file in memory.

A file is a tree of boxes, each with its size and its name of four letters (ISO/IEC 14496-12).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction

from .frames import Crop

_PATH = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
_VIDEO_ENTRY = 86  # bytes of a sample entry before its own boxes
_CLAP = struct.Struct(">I4s8i")


def clap_of(data: bytes, width: int, height: int) -> Crop | None:
    """The samples outside the clean aperture of the first track, to the nearest one.

    Args:
        data: A file with one video track.
        width: Of its stored pictures, in samples.
        height: Of its stored pictures, in samples.
    """
    path = _boxes_to_entry(data)
    if not path:
        return None
    entry = path[-1]
    for at, name in _boxes(data, entry + _VIDEO_ENTRY, entry + _size(data, entry)):
        if name == b"clap":
            w, wd, h, hd, x, xd, y, yd = _CLAP.unpack_from(data, at)[2:]
            across, down = width - Fraction(w, wd), height - Fraction(h, hd)
            left, top = across / 2 + Fraction(x, xd), down / 2 + Fraction(y, yd)
            return Crop(*map(round, (left, top, across - left, down - top)))
    return None


def with_clap(data: bytes, width: int, height: int, crop: Crop) -> bytes:
    """The same file with a clean aperture. Its index must come last, as muxers write it."""
    path = _boxes_to_entry(data)
    clap = _CLAP.pack(
        *(_CLAP.size, b"clap"),
        *(width - crop.left - crop.right, 1, height - crop.top - crop.bottom, 1),
        *(crop.left - crop.right, 2, crop.top - crop.bottom, 2),
    )
    place = path[-1] + _VIDEO_ENTRY  # first: some entries end with bytes that are no box
    made = bytearray(data[:place] + clap + data[place:])
    for at in path:
        struct.pack_into(">I", made, at, _size(data, at) + len(clap))
    return bytes(made)


def _boxes_to_entry(data: bytes) -> list[int]:
    """Where the boxes begin that lead to the first sample entry, and the entry; empty without one."""
    path, start, end = [], 0, len(data)
    for wanted in _PATH:
        at = next((at for at, name in _boxes(data, start, end) if name == wanted), None)
        if at is None:
            return []
        path.append(at)
        start, end = at + (16 if wanted == b"stsd" else 8), at + _size(data, at)
    return [*path, start]


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    while start + 8 <= end:
        yield start, data[start + 4 : start + 8]
        start += max(8, _size(data, start))


def _size(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")
