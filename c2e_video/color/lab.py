"""CIE 1976 L*a*b* of white D65, from R'G'B' and back.

R'G'B' are sRGB (IEC 61966-2-1) unless a film's primaries and transfer curve are given. Luma is read as a
gray R' = G' = B' of the film's curve: what a player shows for a gray sample.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .colorimetry import Colorimetry
from .matrices import LUMA_WEIGHTS
from .transfer import SRGB, Transfer, render, srgb_linear, unrender

AB_SCALE = 110.0  # the network's ab are ab / 110
SRGB_FILM = Colorimetry("bt709", 1, 13)

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
_DELTA = 6 / 29


def _mix(matrix: Tensor, planes: Tensor) -> Tensor:
    return torch.einsum("ij,...jhw->...ihw", matrix.to(planes), planes)


# Both curves are straight up to a bend. Neither asks on which side of it a value lies: a CPU takes ten times
# as long to choose between two tensors as for a minimum.


def _cube_root(t: Tensor) -> Tensor:
    # The straight part is the tangent, and above the root everywhere.
    return torch.minimum(t.clamp_min(_DELTA**3) ** (1 / 3), t / (3 * _DELTA**2) + 4 / 29)


def _cube(f: Tensor) -> Tensor:
    straight = 3 * _DELTA**2 * (f.clamp_max(_DELTA) - 4 / 29)
    return straight + (f.clamp_min(_DELTA) ** 3 - _DELTA**3)


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """sRGB as Lab (CIE 15, white D65).

    Args:
        rgb: R'G'B' in [0, 1], ``[..., 3, H, W]``.

    Returns:
        L* in [0, 100], a* and b*, ``[..., 3, H, W]``.
    """
    x, y, z = _cube_root(_mix(_TO_XYZ, srgb_linear(rgb))).unbind(-3)
    return torch.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), dim=-3)


def lab_to_rgb(lab: Tensor, film: Colorimetry = SRGB_FILM) -> Tensor:
    """Lab as a film's R'G'B'.

    Args:
        lab: L* in [0, 100] and a*, b*, ``[..., 3, H, W]``.
        film: The film's primaries and curve. Where its light exceeds white (PQ, HLG), a colour keeps its
            chromaticity and has the luminance that :func:`~.transfer.render` makes this L* of.

    Returns:
        R'G'B' ``[..., 3, H, W]``; colours that the film cannot show lie outside [0, 1].
    """
    lightness, a, b = lab.unbind(-3)
    y = (lightness + 16) / 116
    xyz = _cube(torch.stack((y + a / 500, y, y - b / 200), dim=-3))
    matrix = _FROM_XYZ
    if film.from_bt709 is not None:
        matrix = (film.from_bt709 @ _FROM_XYZ.double()).float()
    light = _mix(matrix, xyz)
    if film.curve.system_gamma is not None:
        luminance = xyz[..., 1:2, :, :].clamp_min(1e-6)
        light = light * (unrender(luminance, film.curve) / luminance)
    return film.curve.encode(light)


def lightness_of(gray: Tensor, curve: Transfer = SRGB) -> Tensor:
    """L* of a film's gray samples.

    Args:
        gray: Y' in [0, 1], of any shape.
        curve: The film's transfer curve.

    Returns:
        L* in [0, 100], of the same shape.
    """
    return 116 * _cube_root(render(curve.linear(gray), curve)) - 16


def gray_lightness(rgb: Tensor, weights: Tensor | None = None) -> Tensor:
    """L* of the gray film that would be made of a colour picture.

    A film's luma gives no other lightness than this, so training uses it in place of the picture's own L*.

    Args:
        rgb: R'G'B' in [0, 1], ``[N, 3, H, W]``.
        weights: Share of each channel in luma, ``[N, 3]``; BT.601's by default.

    Returns:
        L* in [0, 100], ``[N, 1, H, W]``.
    """
    if weights is None:
        weights = rgb.new_tensor([LUMA_WEIGHTS["bt601"]]).expand(len(rgb), 3)
    return lightness_of((rgb * weights[:, :, None, None]).sum(1, keepdim=True))
