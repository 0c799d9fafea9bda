"""The chromaticities in an OpenEXR file's header, which FFmpeg neither writes nor reads.

A header is a list of attributes (name, type, size, value), ended by a zero byte. After it comes the table of
the file's chunks, by their offsets from its beginning. See "OpenEXR File Layout".
"""

from __future__ import annotations

import struct

from ..color.primaries import BT709, PRIMARIES, UNSPECIFIED, Primaries

_HEADER = 8  # bytes: magic number and version
_NAME = b"chromaticities\0chromaticities\0"
_VALUES = struct.Struct("<8f")  # x and y of red, green, blue and white
_SAME = 0.002  # chromaticities this near are those of a standard


def with_chromaticities(content: bytes, primaries: Primaries) -> bytes:
    """A single-part file of scan lines with its chromaticities said; BT.709's need not be.

    Args:
        content: A whole file, as FFmpeg's encoder writes it.
        primaries: What its red, green, blue and white are.
    """
    if primaries == BT709:
        return content
    values = _VALUES.pack(*(value for xy in primaries for value in xy))
    attribute = _NAME + struct.pack("<i", len(values)) + values
    end = _header_end(content)
    (first,) = struct.unpack_from("<Q", content, end + 1)
    table = struct.unpack_from(f"<{(first - end - 1) // 8}Q", content, end + 1)
    moved = struct.pack(f"<{len(table)}Q", *(offset + len(attribute) for offset in table))
    return content[:end] + attribute + b"\0" + moved + content[first:]


def primaries_code(content: bytes) -> int:
    """The ITU-T H.273 code point of a file's chromaticities; unspecified where it names others or none."""
    at = content.find(_NAME, 0, 1 << 16) + len(_NAME)
    if at < len(_NAME) or len(content) < at + 4 + _VALUES.size:
        return UNSPECIFIED
    found = _VALUES.unpack_from(content, at + 4)
    for code, primaries in PRIMARIES.items():
        known = [value for xy in primaries for value in xy]
        if all(abs(a - b) < _SAME for a, b in zip(found, known, strict=True)):
            return code
    return UNSPECIFIED


def _header_end(content: bytes) -> int:
    """Where the zero byte is that ends the attributes."""
    at = _HEADER
    while content[at]:
        at = content.index(b"\0", at) + 1  # the name
        at = content.index(b"\0", at) + 1  # the type
        (size,) = struct.unpack_from("<i", content, at)
        at += 4 + size
    return at
