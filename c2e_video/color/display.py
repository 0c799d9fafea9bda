"""A film's samples as a picture without tags shows them: as sRGB."""

from __future__ import annotations

import torch
from torch import Tensor

from .primaries import BT709, Primaries, to_bt709
from .transfer import SRGB, Transfer, render, srgb_encode

_BT709_LUMINANCE = (0.2126, 0.7152, 0.0722)


def gray_to_srgb(gray: Tensor, curve: Transfer) -> Tensor:
    """Gray samples in [0, 1] of a film with this transfer curve, as sRGB; themselves if it is that."""
    if curve is SRGB:
        return gray
    return srgb_encode(render(curve.linear(gray), curve))


def rgb_to_srgb(rgb: Tensor, primaries: Primaries, curve: Transfer) -> Tensor:
    """R'G'B' of other primaries or of another curve as sRGB.

    Light above white is compressed as :func:`~.transfer.render` does; colours outside sRGB are clipped.

    Args:
        rgb: Samples in [0, 1], ``[..., 3, H, W]``.
        primaries: Their primaries. If they span no colours, BT.709's are taken.
        curve: Their transfer curve.

    Returns:
        sRGB in [0, 1], ``[..., 3, H, W]``; ``rgb`` itself if it is sRGB.
    """
    if primaries == BT709 and curve is SRGB:
        return rgb
    try:
        matrix = torch.from_numpy(to_bt709(primaries))
    except ValueError:
        matrix = torch.eye(3, dtype=torch.float64)
    light = torch.einsum("ij,...jhw->...ihw", matrix.to(rgb), curve.linear(rgb))
    if curve.system_gamma is not None:
        weights = rgb.new_tensor(_BT709_LUMINANCE).view(3, 1, 1)
        luminance = (light * weights).sum(-3, keepdim=True).clamp_min(1e-6)
        light = light * (render(luminance, curve) / luminance)
    return srgb_encode(light).clamp(0, 1)
