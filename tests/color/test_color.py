"""Lab, luma and chroma against known values and each other."""

from __future__ import annotations

import pytest
import torch

from c2e_video.color.chroma import ChromaOffsets, ab_to_chroma, chroma_to_rgb
from c2e_video.color.colorimetry import Colorimetry
from c2e_video.color.lab import gray_lightness, lab_to_rgb, lightness_of, rgb_to_lab
from c2e_video.color.matrices import Matrix

MATRICES: list[Matrix] = ["bt601", "bt709", "bt2020"]
WEIGHTS = {
    "bt601": (0.299, 0.587, 0.114),
    "bt709": (0.2126, 0.7152, 0.0722),
    "bt2020": (0.2627, 0.678, 0.0593),
}


def pixel(*values: float) -> torch.Tensor:
    return torch.tensor(values).view(1, -1, 1, 1)


# CIE Lab (D65) of sRGB colours, from the definition; widely tabulated.
@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((1.0, 1.0, 1.0), (100.0, 0.0, 0.0)),
        ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        ((1.0, 0.0, 0.0), (53.24, 80.09, 67.20)),
        ((0.0, 1.0, 0.0), (87.74, -86.18, 83.18)),
        ((0.0, 0.0, 1.0), (32.30, 79.19, -107.86)),
        ((0.5, 0.5, 0.5), (53.39, 0.0, 0.0)),
    ],
)
def test_known_colours(rgb: tuple[float, ...], lab: tuple[float, ...]) -> None:
    torch.testing.assert_close(rgb_to_lab(pixel(*rgb)), pixel(*lab), atol=0.02, rtol=0)


def test_lab_round_trip() -> None:
    rgb = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(lab_to_rgb(rgb_to_lab(rgb)), rgb, atol=1e-5, rtol=0)


def test_gradients_are_finite_at_black_and_white() -> None:
    lab = torch.tensor([0.0, 100.0, 50.0]).view(1, 1, 1, 3).repeat(1, 3, 1, 1) * torch.tensor(
        [1.0, 0.0, 0.0]
    ).view(1, 3, 1, 1)
    lab.requires_grad_()
    lab_to_rgb(lab).sum().backward()  # type: ignore[no-untyped-call]
    assert lab.grad is not None
    assert torch.isfinite(lab.grad).all()


def test_lightness_of_gray_is_that_of_lab() -> None:
    gray = torch.linspace(0, 1, 32).view(1, 1, 1, 32)
    wanted = rgb_to_lab(gray.expand(-1, 3, -1, -1))[:, :1]
    torch.testing.assert_close(lightness_of(gray), wanted, atol=1e-3, rtol=0)
    torch.testing.assert_close(
        gray_lightness(gray.expand(-1, 3, -1, -1)), wanted, atol=1e-3, rtol=0
    )


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
