"""The chroma that shows given a*, b* over given luma, and chroma back to RGB."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .colorimetry import Colorimetry
from .lab import lab_to_rgb, lightness_of
from .luma_range import LumaRange
from .matrices import LUMA_WEIGHTS, Matrix
from .transfer import SRGB, Transfer

_LIGHTNESS_BY_LUMA = 100.0  # dL*/dY' along the gray axis of the sRGB curve, about
# Steps of the secant method. PQ and plain powers are steeper at black than the sRGB curve.
_ROUNDS, _ROUNDS_OF_OTHER_CURVES = 3, 6
_HALF_STEP = 1e-3  # of luma, over which the slope of other curves is measured


class ChromaOffsets(NamedTuple):
    """Cb and Cr around zero, ``[N, H, W]`` in [-0.5, 0.5], for luma in [0, 1]."""

    cb: Tensor
    cr: Tensor


def ab_to_chroma(gray: Tensor, ab: Tensor, film: Colorimetry) -> ChromaOffsets:
    """The chroma that shows a*, b* over a film's luma.

    Luma is given and stays: L* is sought by the secant method, so that the colour (L*, a*, b*), made for
    the film's primaries and curve, has just this luma by the film's matrix. A colour outside the gamut is
    drawn straight towards gray; luma and hue stay. :class:`~.chroma_table.ChromaTable` is the fast form.

    Args:
        gray: Luma in [0, 1], ``[N, 1, H, W]``.
        ab: a*, b* (CIE 1976, D65), ``[N, 2, H, W]``.
        film: What the film's samples mean.
    """
    return fit_gamut(gray, unlimited_chroma(gray, ab, film), film.matrix)


def unlimited_chroma(gray: Tensor, ab: Tensor, film: Colorimetry) -> ChromaOffsets:
    """:func:`ab_to_chroma` before colours outside the gamut are drawn into it."""
    kr, kg, kb = LUMA_WEIGHTS[film.matrix]
    weights = gray.new_tensor((kr, kg, kb)).view(1, 3, 1, 1)

    def shown(lightness: Tensor) -> tuple[Tensor, Tensor]:
        rgb = lab_to_rgb(torch.cat((lightness, ab), dim=1), film)
        return rgb, (rgb * weights).sum(1, keepdim=True)

    usual = _usual_slope(gray, film.curve)
    lightness, slope = lightness_of(gray, film.curve), torch.zeros_like(gray) + usual
    rgb, luma = shown(lightness)
    for _ in range(_ROUNDS if film.curve is SRGB else _ROUNDS_OF_OTHER_CURVES):
        nearer = (lightness + (gray - luma) * slope).clamp(0, 100)
        rgb, luma_there = shown(nearer)
        rise = luma_there - luma
        # Where the last step changed nothing, or the curve is wild, steps stay short.
        slope = torch.where(rise.abs() > 1e-5, (nearer - lightness) / rise, usual)
        slope = slope.clamp(usual / 5, usual * 5)
        lightness, luma = nearer, luma_there
    red, _, blue = (rgb - luma).unbind(1)  # R' - Y', G' - Y', B' - Y'
    return ChromaOffsets(blue / (2 * (1 - kb)), red / (2 * (1 - kr)))


def fit_gamut(gray: Tensor, chroma: ChromaOffsets, matrix: Matrix) -> ChromaOffsets:
    """Chroma times the largest share, at most 1, at which R', G' and B' stay within [0, 1].

    Args:
        gray: Luma Y' in [0, 1], ``[N, 1, H, W]``.
        chroma: Of the same size.
        matrix: The luma weights.
    """
    kr, kg, kb = LUMA_WEIGHTS[matrix]
    luma = gray[:, 0]
    red, blue = chroma.cr * (2 * (1 - kr)), chroma.cb * (2 * (1 - kb))
    green = (red * kr + blue * kb) * (-1 / kg)
    above = torch.maximum(torch.maximum(red, green), blue).clamp_min(1e-6)
    below = torch.minimum(torch.minimum(red, green), blue).clamp_max(-1e-6)
    share = torch.minimum((1 - luma) / above, -luma / below).clamp(0, 1)
    return ChromaOffsets(chroma.cb * share, chroma.cr * share)


def _usual_slope(gray: Tensor, curve: Transfer) -> Tensor:
    """dL*/dY' on the gray axis: one value for the sRGB curve, else one for each sample."""
    if curve is SRGB:
        return gray.new_tensor(_LIGHTNESS_BY_LUMA)
    above, below = ((gray + step).clamp(0, 1) for step in (_HALF_STEP, -_HALF_STEP))
    rise = lightness_of(above, curve) - lightness_of(below, curve)
    return (rise / (above - below)).clamp_min(1.0)


def chroma_to_rgb(gray: Tensor, chroma: ChromaOffsets, matrix: Matrix) -> Tensor:
    """R'G'B' of luma and chroma.

    Args:
        gray: Luma in [0, 1], ``[N, 1, H, W]``.
        chroma: Of the same size.
        matrix: The luma weights.

    Returns:
        R'G'B' ``[N, 3, H, W]``, in [0, 1] where chroma fits the gamut.
    """
    kr, kg, kb = LUMA_WEIGHTS[matrix]
    luma = gray[:, 0]
    red = luma + 2 * (1 - kr) * chroma.cr
    blue = luma + 2 * (1 - kb) * chroma.cb
    green = (luma - kr * red - kb * blue) / kg
    return torch.stack((red, green, blue), dim=1)


def quantize(plane: Tensor, samples_of: LumaRange) -> Tensor:
    """Chroma as samples (ITU-T H.273, section 8.3).

    Args:
        plane: Around zero, in [-0.5, 0.5], of any shape.
        samples_of: Depth and range of the samples.

    Returns:
        uint8 for 8 bits, uint16 above, of the same shape.
    """
    depth = samples_of.bit_depth
    span = (1 << depth) - 1 if samples_of.full_range else 224 << depth - 8
    samples = (plane * span + (1 << depth - 1)).round().clamp(0, (1 << depth) - 1)
    # Not every device has uint16.
    return samples.to(torch.uint8) if depth == 8 else samples.to(torch.int32).cpu().to(torch.uint16)
