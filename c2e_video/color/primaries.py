"""RGB primaries, and matrices that take linear light from one set to another.

Sets have the numbers of ITU-T H.273, table 2, which FFmpeg, PNG's cICP and HEIF's nclx share.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Matrix3 = npt.NDArray[np.float64]
Chromaticity = tuple[float, float]


class Primaries(NamedTuple):
    """CIE 1931 x, y of the three primaries and of white."""

    red: Chromaticity
    green: Chromaticity
    blue: Chromaticity
    white: Chromaticity


UNSPECIFIED = 2
_D65, _C, _E, _DCI = (0.3127, 0.3290), (0.310, 0.316), (1 / 3, 1 / 3), (0.314, 0.351)
_SMPTE_C = Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65)
BT709 = Primaries((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65)
ADOBE_RGB = Primaries((0.640, 0.330), (0.210, 0.710), (0.150, 0.060), _D65)
PRIMARIES: Mapping[int, Primaries] = {
    1: BT709,
    4: Primaries((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _C),  # BT.470 M, NTSC of 1953
    5: Primaries((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), _D65),  # BT.470 BG: EBU, PAL
    6: _SMPTE_C,
    7: _SMPTE_C,  # SMPTE 240M
    8: Primaries((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C),  # film
    9: Primaries((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),  # BT.2020, BT.2100
    10: Primaries((1.0, 0.0), (0.0, 1.0), (0.0, 0.0), _E),  # CIE XYZ
    11: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _DCI),  # DCI-P3
    12: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),  # Display P3
    22: Primaries((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), _D65),  # EBU Tech 3213
}
# Cone responses of XYZ: Bradford, as ICC.1 (annex E) adapts a white to another.
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def primaries_of(code: int) -> Primaries:
    """The primaries of an H.273 code point; BT.709's where it names none."""
    return PRIMARIES.get(code, BT709)


@lru_cache(maxsize=32)
def to_bt709(primaries: Primaries) -> Matrix3:
    """The matrix from linear RGB of ``primaries`` to linear RGB of BT.709 (sRGB).

    White is adapted to D65, so each row sums to 1: gray stays gray.

    Args:
        primaries: Where the picture's red, green, blue and white lie.

    Returns:
        float64 ``[3, 3]``.

    Raises:
        ValueError: Three primaries on one line, or a white without luminance, span no colours.
    """
    try:
        matrix = np.linalg.solve(_to_xyz(BT709), _to_xyz(primaries)).astype(np.float64)
    except (np.linalg.LinAlgError, ZeroDivisionError):
        raise ValueError(f"no colours are spanned by {primaries}") from None
    if not np.isfinite(matrix).all():
        raise ValueError(f"no colours are spanned by {primaries}")
    rows: Matrix3 = matrix / matrix.sum(1, keepdims=True)
    return rows


def _to_xyz(primaries: Primaries) -> Matrix3:
    """Linear RGB to XYZ, with white adapted to D65."""
    columns = np.array([_unit_luminance(*xy) for xy in primaries[:3]]).T
    white = _unit_luminance(*primaries.white) / primaries.white[1]
    scaled: Matrix3 = columns * np.linalg.solve(columns, white)
    cones = _BRADFORD @ white
    wanted = _BRADFORD @ _unit_luminance(*_D65) / _D65[1]
    adapted: Matrix3 = np.linalg.solve(_BRADFORD, np.diag(wanted / cones) @ _BRADFORD @ scaled)
    return adapted


def _unit_luminance(x: float, y: float) -> Matrix3:
    """X, Y, Z with X + Y + Z = 1."""
    return np.array([x, y, 1 - x - y])
