"""ICC profiles for tests, byte by byte as ICC.1 has them: none is taken from a shop's disk."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence

import numpy as np
from PIL import ImageCms

_D50 = (0.9642, 1.0, 0.8249)
# Adobe RGB (1998) and ProPhoto: columns of their matrices to XYZ of D50.
ADOBE = [(0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)]
PROPHOTO = [(0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00009, 0.82491)]


def rgb_profile(columns: Sequence[tuple[float, float, float]], gamma: float) -> bytes:
    """A matrix profile of a display."""
    tags = {name + b"XYZ": _xyz(c) for name, c in zip((b"r", b"g", b"b"), columns, strict=True)}
    curves = {name + b"TRC": _curve(gamma) for name in (b"r", b"g", b"b")}
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags | curves)


def gray_profile(gamma: float) -> bytes:
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": _curve(gamma)})


def lab_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def cmyk_profile(inks: Sequence[tuple[int, int, int]]) -> bytes:
    """A press whose four inks, alone on paper, look as these sRGB colours; overprints multiply."""
    corners = []
    for on in itertools.product((0, 1), repeat=4):
        colour = np.ones(3)
        for used, ink in zip(on, inks, strict=True):
            colour *= (np.array(ink) / 255) ** 2.2 if used else 1
        corners.append(_lab_d50(colour))
    table = struct.pack(">4sIBBBB", b"mft1", 0, 4, 3, 2, 0)
    table += b"".join(struct.pack(">i", 65536 * (i % 4 == 0)) for i in range(9))
    steps = bytes(range(256))
    table += steps * 4 + b"".join(corners) + steps * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table, b"A2B1": table})


def _lab_d50(linear: np.ndarray) -> bytes:
    """Linear sRGB as Lab of D50, in eight bits each."""
    to_xyz = [[0.43607, 0.38515, 0.14308], [0.22249, 0.71687, 0.06064], [0.01392, 0.09708, 0.7141]]
    x, y, z = np.cbrt(np.clip(np.array(to_xyz) @ linear / _D50, 0.008856, 1))
    lab = (116 * y - 16) * 2.55, 500 * (x - y) + 128, 200 * (y - z) + 128
    return bytes(round(min(255, max(0, value))) for value in lab)


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in values)


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    text = b"desc\0\0\0\0" + struct.pack(">I", 2) + b"A\0" + b"\0" * 79
    tags = {b"desc": text, b"cprt": b"text\0\0\0\0A\0\0\0", b"wtpt": _xyz(_D50)} | tags
    at, table, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        data += b"\0" * (-len(data) % 4)
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    head = struct.pack(
        ">I4sI4s4s4s", at + len(body), b"\0" * 4, 0x02100000, kind, space, connection
    )
    head += b"\0" * 12 + b"acsp" + b"\0" * 28
    head += b"".join(struct.pack(">i", round(v * 65536)) for v in _D50)
    return head + b"\0" * (128 - len(head)) + table + body
