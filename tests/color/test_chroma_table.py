"""The table of chroma gives what the formula gives."""

from __future__ import annotations

import pytest
import torch

from c2e_video.color.chroma import ab_to_chroma, chroma_to_rgb
from c2e_video.color.chroma_table import ChromaTable
from c2e_video.color.colorimetry import Colorimetry
from c2e_video.color.lab import rgb_to_lab
from c2e_video.color.matrices import LUMA_WEIGHTS, Matrix


def muted(matrix: Matrix) -> tuple[torch.Tensor, torch.Tensor]:
    """Luma ``[1, 1, 64, 64]`` and ab ``[1, 2, 64, 64]`` of colours as film has them."""
    colors, grays = torch.rand(2, 1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    rgb = 0.15 + 0.35 * colors + 0.35 * grays[:, :1]
    weights = torch.tensor(LUMA_WEIGHTS[matrix]).view(1, 3, 1, 1)
    gray = (rgb * weights).sum(1, keepdim=True)
    return gray, rgb_to_lab(rgb)[:, 1:]


@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
def test_the_table_is_within_a_step_of_the_formula(matrix: Matrix) -> None:
    gray, ab = muted(matrix)
    found = ChromaTable(Colorimetry(matrix)).chroma(gray, ab)
    for plane, wanted in zip(found, ab_to_chroma(gray, ab, Colorimetry(matrix)), strict=True):
        steps = (plane - wanted).abs() * 224
        assert steps.mean() < 0.1
        assert steps.flatten().quantile(0.99) < 0.5


def test_a_rise_of_luma_makes_no_step_in_chroma_that_10_bits_show() -> None:
    gray = torch.linspace(0.3, 0.7, 1024).view(1, 1, 1, 1024)
    ab = torch.tensor([30.0, -20.0]).view(1, 2, 1, 1).expand(1, 2, 1, 1024)
    for plane in ChromaTable(Colorimetry("bt709")).chroma(gray, ab):
        assert plane.diff().abs().max() * 896 < 1


def test_any_ab_stays_in_the_gamut_and_keeps_its_sign() -> None:
    gray = torch.linspace(0, 1, 220).view(1, 1, 1, 220)
    ab = torch.tensor([400.0, -300.0]).view(1, 2, 1, 1).expand(1, 2, 1, 220)
    chroma = ChromaTable(Colorimetry("bt601")).chroma(gray, ab)
    rgb = chroma_to_rgb(gray, chroma, "bt601")
    assert rgb.min() > -1e-5
    assert rgb.max() < 1 + 1e-5
    assert chroma.cb[..., 10:-10].min() > 0
    assert chroma.cr[..., 10:-10].min() > 0


def test_a_table_serves_several_devices() -> None:
    table = ChromaTable(Colorimetry("bt601", 2, 2))
    gray, ab = muted("bt601")
    before = table.chroma(gray, ab)
    table.chroma(gray.to("meta"), ab.to("meta"))
    after = table.chroma(gray, ab)
    torch.testing.assert_close(after, before, rtol=0, atol=0)
