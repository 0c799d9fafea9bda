"""Lightness and ab on one side, luma and chroma on the other.

Lab is CIE 1976 with sRGB primaries, white D65 and the sRGB curve (IEC 61966-2-1). Luma is read as a
grey R' = G' = B' of that curve: what a player shows for a grey sample.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .frames import Matrix, PictureFormat

AB_SCALE = 110.0  # the network's ab are ab / 110

# Weights of R' and B' in luma: ITU-R BT.601, BT.709 and BT.2020 (non-constant luminance).
LUMA_WEIGHTS: dict[Matrix, tuple[float, float, float]] = {
    "bt601": (0.299, 0.587, 0.114),
    "bt709": (0.2126, 0.7152, 0.0722),
    "bt2020": (0.2627, 0.6780, 0.0593),
}

_RGB_TO_XYZ = torch.tensor(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = _RGB_TO_XYZ.sum(1)
_TO_XYZ = _RGB_TO_XYZ / _WHITE[:, None]  # to XYZ over the white point
_FROM_XYZ = torch.linalg.inv(_TO_XYZ.double()).float()
_ENCODED_BEND, _LINEAR_BEND = 0.04045, 0.0031308  # where the sRGB curve ceases to be straight
_DELTA = 6 / 29
_LIGHTNESS_BY_LUMA = 100.0  # how L* rises with luma, about, along the whole grey axis


def _mix(matrix: Tensor, planes: Tensor) -> Tensor:
    return torch.einsum("ij,...jhw->...ihw", matrix.to(planes), planes)


# Each of the four curves is straight up to a bend. None asks on which side of it a value lies: a CPU takes
# ten times as long to choose between two tensors as for a minimum.


def _linear(encoded: Tensor) -> Tensor:
    """The sRGB curve undone; values outside [0, 1] keep their sign."""
    size = encoded.abs()
    straight = size.clamp_max(_ENCODED_BEND) / 12.92
    power = ((size.clamp_min(_ENCODED_BEND) + 0.055) / 1.055) ** 2.4
    return torch.copysign(straight + (power - _LINEAR_BEND), encoded)


def _encoded(linear: Tensor) -> Tensor:
    """The sRGB curve; values outside [0, 1] keep their sign."""
    size = linear.abs()
    # The floor keeps the power's gradient finite at black. Beyond it the power is the lower.
    power = 1.055 * size.clamp_min(_LINEAR_BEND) ** (1 / 2.4) - 0.055
    return torch.copysign(torch.minimum(size * 12.92, power), linear)


def _cube_root(t: Tensor) -> Tensor:
    # The straight part is the tangent, and above the root everywhere.
    return torch.minimum(t.clamp_min(_DELTA**3) ** (1 / 3), t / (3 * _DELTA**2) + 4 / 29)


def _cube(f: Tensor) -> Tensor:
    straight = 3 * _DELTA**2 * (f.clamp_max(_DELTA) - 4 / 29)
    return straight + (f.clamp_min(_DELTA) ** 3 - _DELTA**3)


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """R'G'B' ``[..., 3, H, W]`` in [0, 1] to L* in [0, 100] and a*, b* (CIE 15, D65)."""
    x, y, z = _cube_root(_mix(_TO_XYZ, _linear(rgb))).unbind(-3)
    return torch.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), dim=-3)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """The reverse of :func:`rgb_to_lab`; colours that do not exist lie outside [0, 1]."""
    lightness, a, b = lab.unbind(-3)
    y = (lightness + 16) / 116
    xyz = _cube(torch.stack((y + a / 500, y, y - b / 200), dim=-3))
    return _encoded(_mix(_FROM_XYZ, xyz))


def lightness_of(gray: Tensor) -> Tensor:
    """L* in [0, 100] of grey samples Y' in [0, 1]."""
    return 116 * _cube_root(_linear(gray)) - 16


def gray_lightness(rgb: Tensor, weights: Tensor | None = None) -> Tensor:
    """L* ``[N, 1, H, W]`` of the grey film that would be made of R'G'B' ``[N, 3, H, W]``.

    ``weights`` ``[N, 3]`` are the share of each channel (BT.601's by default). This, not the L* of
    the colours themselves, is what a film's luma can tell, so keys and queries are both made of it.
    """
    if weights is None:
        weights = rgb.new_tensor([LUMA_WEIGHTS["bt601"]]).expand(len(rgb), 3)
    return lightness_of((rgb * weights[:, :, None, None]).sum(1, keepdim=True))


class ChromaOffsets(NamedTuple):
    """Cb and Cr around zero, ``[N, H, W]`` in [-0.5, 0.5], for luma in [0, 1]."""

    cb: Tensor
    cr: Tensor


def ab_to_chroma(gray: Tensor, ab: Tensor, matrix: Matrix, rounds: int = 3) -> ChromaOffsets:
    """The chroma that shows a*, b* ``[N, 2, H, W]`` over luma ``gray`` ``[N, 1, H, W]`` in [0, 1].

    Luma is given and stays: L* is sought, by ``rounds`` of the secant method, so that the colour
    (L*, a*, b*) has just this luma. A colour outside the gamut is drawn straight towards grey, luma
    and hue kept.
    """
    kr, kg, kb = LUMA_WEIGHTS[matrix]
    weights = gray.new_tensor((kr, kg, kb)).view(1, 3, 1, 1)

    def shown(lightness: Tensor) -> tuple[Tensor, Tensor]:
        rgb = lab_to_rgb(torch.cat((lightness, ab), dim=1))
        return rgb, (rgb * weights).sum(1, keepdim=True)

    lightness, slope = lightness_of(gray), torch.full_like(gray, _LIGHTNESS_BY_LUMA)
    rgb, luma = shown(lightness)
    for _ in range(rounds):
        nearer = (lightness + (gray - luma) * slope).clamp(0, 100)
        rgb, luma_there = shown(nearer)
        rise = luma_there - luma
        # Where the last step changed nothing, or the curve is wild, steps stay short.
        slope = torch.where(rise.abs() > 1e-5, (nearer - lightness) / rise, _LIGHTNESS_BY_LUMA)
        slope = slope.clamp(_LIGHTNESS_BY_LUMA / 5, _LIGHTNESS_BY_LUMA * 5)
        lightness, luma = nearer, luma_there
    offsets = rgb - luma  # R' - Y', G' - Y', B' - Y'
    offsets = offsets * _room(gray, offsets)
    return ChromaOffsets(offsets[:, 2] / (2 * (1 - kb)), offsets[:, 0] / (2 * (1 - kr)))


def _room(gray: Tensor, offsets: Tensor) -> Tensor:
    """The largest share of ``offsets``, at most 1, that keeps ``gray + offsets`` within [0, 1]."""
    above, below = (far.amax(1, keepdim=True).clamp_min(1e-6) for far in (offsets, -offsets))
    return torch.minimum((1 - gray) / above, gray / below).clamp(0, 1)


def chroma_to_rgb(gray: Tensor, chroma: ChromaOffsets, matrix: Matrix) -> Tensor:
    """R'G'B' ``[N, 3, H, W]`` of luma ``[N, 1, H, W]`` in [0, 1] and its chroma."""
    kr, kg, kb = LUMA_WEIGHTS[matrix]
    luma = gray[:, 0]
    red = luma + 2 * (1 - kr) * chroma.cr
    blue = luma + 2 * (1 - kb) * chroma.cb
    green = (luma - kr * red - kb * blue) / kg
    return torch.stack((red, green, blue), dim=1)


def quantized(plane: Tensor, picture: PictureFormat) -> Tensor:
    """Chroma around zero in [-0.5, 0.5] to the samples of ``picture`` (ITU-T H.273, section 8.3)."""
    depth = picture.bit_depth
    span = (1 << depth) - 1 if picture.full_range else 224 << depth - 8
    samples = (plane * span + (1 << depth - 1)).round().clamp(0, (1 << depth) - 1)
    # Not every device has uint16.
    return samples.to(torch.uint8) if depth == 8 else samples.to(torch.int32).cpu().to(torch.uint16)
