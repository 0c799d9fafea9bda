"""Lab against known values, and there and back."""

from __future__ import annotations

import pytest
import torch

from c2e_video.color.lab import gray_lightness, lab_to_rgb, lightness_of, rgb_to_lab


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
