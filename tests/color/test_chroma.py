"""Chroma over given luma, against the standards' formulas."""

from __future__ import annotations

import pytest
import torch

from c2e_video.color.chroma import ChromaOffsets, ab_to_chroma, chroma_to_rgb
from c2e_video.color.colorimetry import Colorimetry
from c2e_video.color.lab import rgb_to_lab
from c2e_video.color.matrices import Matrix
from tests.color.test_lab import pixel

MATRICES: list[Matrix] = ["bt601", "bt709", "bt2020"]
WEIGHTS = {
    "bt601": (0.299, 0.587, 0.114),
    "bt709": (0.2126, 0.7152, 0.0722),
    "bt2020": (0.2627, 0.678, 0.0593),
}


@pytest.mark.parametrize("matrix", MATRICES)
def test_colour_comes_back_over_its_own_luma(matrix: Matrix) -> None:
    """From (Y', a, b) of any colours the search finds chroma that shows them again."""
    rgb = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    gray = (rgb * pixel(*WEIGHTS[matrix])).sum(1, keepdim=True)
    shown = chroma_to_rgb(
        gray, ab_to_chroma(gray, rgb_to_lab(rgb)[:, 1:], Colorimetry(matrix, primaries=1)), matrix
    )
    assert (shown - rgb).abs().mean() < 0.001
    assert (shown - rgb).abs().quantile(0.99) < 0.02
    assert (shown - rgb).abs().max() < 0.06


@pytest.mark.parametrize("matrix", MATRICES)
def test_luma_and_hue_stay_where_the_gamut_ends(matrix: Matrix) -> None:
    gray = torch.linspace(0, 1, 21).view(1, 1, 1, 21)
    ab = pixel(90.0, -60.0).expand(1, 2, 1, 21)
    rgb = chroma_to_rgb(gray, ab_to_chroma(gray, ab, Colorimetry(matrix, primaries=1)), matrix)
    assert rgb.min() > -1e-5
    assert rgb.max() < 1 + 1e-5
    torch.testing.assert_close((rgb * pixel(*WEIGHTS[matrix])).sum(1, keepdim=True), gray)


def test_black_white_and_neutral_stay_neutral() -> None:
    gray = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2)
    chroma = ab_to_chroma(gray, pixel(50.0, 50.0).expand(1, 2, 1, 2), Colorimetry("bt709"))
    neutral = ab_to_chroma(torch.full((1, 1, 1, 1), 0.5), pixel(0.0, 0.0), Colorimetry("bt709"))
    for plane in (*chroma, *neutral):
        torch.testing.assert_close(plane, torch.zeros_like(plane), atol=1e-4, rtol=0)


def test_primary_red_in_bt709() -> None:
    """Pure red has Cr = 0.5 and Cb = -Kr / (2 (1 - Kb)), by the standard's own formulas."""
    chroma = ChromaOffsets(torch.full((1, 1, 1), -0.2126 / 1.8556), torch.full((1, 1, 1), 0.5))
    rgb = chroma_to_rgb(torch.full((1, 1, 1, 1), 0.2126), chroma, "bt709")
    torch.testing.assert_close(rgb, pixel(1.0, 0.0, 0.0), atol=1e-4, rtol=0)
