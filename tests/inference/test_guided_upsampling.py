"""Colour that stops where the edges of luma stop."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from c2e_video.inference.guided_upsampling import upsample_along


def edge_scene(size: int = 64, edge: int = 29) -> tuple[torch.Tensor, torch.Tensor]:
    """Lightness and ab ``[1, 1 and 2, size, size]`` of two halves with an edge off the small grid."""
    right = (torch.arange(size) >= edge).float().expand(1, 1, size, size)
    return 30 + 40 * right, torch.cat((40 * right, -20 * right), dim=1)


def shrunk(planes: torch.Tensor) -> torch.Tensor:
    return F.interpolate(planes, scale_factor=0.25, mode="area")


def test_an_edge_stays_sharp() -> None:
    lightness, ab = edge_scene()
    small = shrunk(ab)
    along = upsample_along(small, shrunk(lightness), lightness)
    plain = F.interpolate(small, size=(64, 64), mode="bilinear")
    assert (along - ab).abs().mean() < 0.5 * (plain - ab).abs().mean()


def test_flat_luma_gives_plain_interpolation() -> None:
    small = torch.rand(1, 2, 8, 8) * 50
    flat = torch.full((1, 1, 32, 32), 50.0)
    wanted = F.interpolate(small, size=(32, 32), mode="bilinear")
    torch.testing.assert_close(upsample_along(small, shrunk(flat), flat), wanted)


def test_grain_does_not_colour() -> None:
    """Grain in luma must not become grain in ab where ab itself is flat."""
    torch.manual_seed(0)
    guide = 50 + 3 * torch.randn(1, 1, 64, 64)
    ab = torch.full((1, 2, 16, 16), 20.0)
    assert upsample_along(ab, shrunk(guide), guide).std() < 1e-3


def test_an_edge_stays_sharp_where_one_side_only_is_enlarged() -> None:
    """As with chroma of half the width, taller than what the network sees."""
    lightness, ab = edge_scene()
    small, guide = shrunk(ab), shrunk(lightness)
    wide = [F.interpolate(planes, size=(16, 24), mode="bilinear") for planes in (small, guide)]
    high = F.interpolate(lightness, size=(64, 16), mode="area")
    truth = F.interpolate(ab, size=(64, 16), mode="area")
    along = upsample_along(wide[0], wide[1], high)
    plain = F.interpolate(F.interpolate(wide[0], size=(16, 16), mode="area"), size=(64, 16))
    assert along.shape == truth.shape
    assert (along - truth).abs().mean() < 0.5 * (plain - truth).abs().mean()


def test_same_and_smaller_sizes() -> None:
    ab = torch.rand(1, 2, 16, 16)
    same = torch.rand(1, 1, 16, 16)
    assert upsample_along(ab, same, same) is ab
    assert upsample_along(ab, same, torch.rand(1, 1, 8, 8)).shape == (1, 2, 8, 8)
