"""Wide colour: matrices and curves against published numbers, and chroma that looks alike in each."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from c2e_video.color.chroma import ab_to_chroma, chroma_to_rgb
from c2e_video.color.colorimetry import Colorimetry
from c2e_video.color.display import gray_to_srgb, rgb_to_srgb
from c2e_video.color.lab import lab_to_rgb, lightness_of, rgb_to_lab
from c2e_video.color.matrices import LUMA_WEIGHTS, Matrix
from c2e_video.color.primaries import PRIMARIES, Primaries, primaries_of, to_bt709
from c2e_video.color.transfer import SRGB, render, transfer_of, unrender

CURVES = (4, 5, 8, 13, 16, 17, 18)


def value(*numbers: float) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


# BT.2087 (inverted), CSS Color 4's Display P3, BT.601 with 525 lines, EBU Tech 3213 as BT.470 BG.
@pytest.mark.parametrize(
    ("code", "matrix"),
    [
        (1, [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
        (9, [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]),
        (12, [[1.2249, -0.2249, 0.0], [-0.0421, 1.0421, 0.0], [-0.0196, -0.0786, 1.0983]]),
        (6, [[0.9395, 0.0502, 0.0103], [0.0178, 0.9658, 0.0164], [-0.0016, -0.0044, 1.0060]]),
        (5, [[1.0440, -0.0440, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0118, 0.9882]]),
    ],
)
def test_known_matrices(code: int, matrix: list[list[float]]) -> None:
    np.testing.assert_allclose(to_bt709(PRIMARIES[code]), matrix, atol=3e-4)


@pytest.mark.parametrize("code", PRIMARIES)
def test_gray_stays_gray(code: int) -> None:
    np.testing.assert_allclose(to_bt709(PRIMARIES[code]).sum(1), 1, atol=1e-12)


def test_primaries_without_colours_are_refused() -> None:
    with pytest.raises(ValueError, match="no colours are spanned"):
        to_bt709(Primaries((0.3, 0.3), (0.3, 0.3), (0.3, 0.3), (0.3, 0.3)))
    assert primaries_of(2) == primaries_of(77) == PRIMARIES[1]


# SMPTE ST 2084: 100 cd/m² is code 0.5081, 10 000 is 1. BT.2100: HLG 1/2 is 1/12 of its light. BT.2408: 75 %.
@pytest.mark.parametrize(
    ("code", "encoded", "linear"),
    [
        (16, 0.5081, 1.0),
        (16, 1.0, 100.0),
        (16, 0.5806, 2.03),
        (18, 0.75, 1.0),
        (18, 0.5, 0.3145),
        (18, 1.0, 3.7743),
        (4, 0.5, 0.5**2.2),
        (5, 0.5, 0.5**2.8),
        (8, 0.5, 0.5),
        (13, 0.5, 0.21404),
        (17, 1.0, 52.37 / 48),
        (1, 0.5, 0.21404),
        (2, 0.5, 0.21404),
    ],
)
def test_known_curves(code: int, encoded: float, linear: float) -> None:
    curve = transfer_of(code)
    torch.testing.assert_close(curve.linear(value(encoded)), value(linear), atol=0, rtol=1e-3)


@pytest.mark.parametrize("code", CURVES)
def test_curves_undo_themselves_and_keep_signs(code: int) -> None:
    curve, encoded = transfer_of(code), torch.linspace(-1, 1, 201, dtype=torch.float64)
    torch.testing.assert_close(curve.encode(curve.linear(encoded)), encoded, atol=1e-6, rtol=0)


@pytest.mark.parametrize("code", [16, 18])
def test_rendering_compresses_highlights_alone(code: int) -> None:
    curve = transfer_of(code)
    light = torch.linspace(0, 100, 10001, dtype=torch.float64)
    rendered = render(light, curve)
    shown = light ** (curve.system_gamma or 0)
    dark = shown <= 0.5
    torch.testing.assert_close(rendered[dark], shown[dark])
    assert (rendered.diff() >= 0).all()
    assert rendered.max() <= 1
    below = rendered < 0.998
    torch.testing.assert_close(unrender(rendered, curve)[below], light[below], rtol=1e-6, atol=1e-9)
    assert torch.equal(render(light, SRGB), light)


TAGS: list[tuple[Matrix, int]] = [
    ("bt601", 5),
    ("bt601", 6),
    ("bt709", 12),
    ("bt709", 11),
    ("bt2020", 9),
    ("bt2020", 2),
]
FILMS = [
    Colorimetry(matrix, primaries, transfer)
    for (matrix, primaries), transfer in itertools.product(TAGS, (1, 4, 5, 16, 17, 18))
]


@pytest.mark.parametrize("film", FILMS, ids=str)
def test_colours_look_alike_in_a_player_that_honours_tags(film: Colorimetry) -> None:
    """The film shows the a*, b* it was given, over its own luma."""
    chosen = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(1))
    lab = rgb_to_lab(chosen * 0.6 + 0.2)  # saturated as film is
    gray = luma(lab_to_rgb(lab, film), film.matrix)
    made = chroma_to_rgb(gray, ab_to_chroma(gray, lab[:, 1:], film), film.matrix)
    torch.testing.assert_close(luma(made, film.matrix), gray, atol=1e-5, rtol=0)
    assert (displayed(made, film) - lab).abs().mean() < 0.05
    assert (displayed(made, film) - lab).abs().quantile(0.99) < 0.6


def luma(rgb: torch.Tensor, matrix: Matrix) -> torch.Tensor:
    return (rgb * torch.tensor(LUMA_WEIGHTS[matrix]).view(1, 3, 1, 1)).sum(1, keepdim=True)


def displayed(rgb: torch.Tensor, film: Colorimetry) -> torch.Tensor:
    """Lab of what is seen."""
    return rgb_to_lab(rgb_to_srgb(rgb, film.gamut, film.curve))


@pytest.mark.parametrize("code", CURVES)
def test_lightness_of_gray_follows_the_curve(code: int) -> None:
    curve = transfer_of(code)
    light = value(0.01, 0.18, 0.4)
    scene = light if curve.system_gamma is None else light ** (1 / curve.system_gamma)
    wanted = rgb_to_lab(SRGB.encode(light).view(1, 1, 1, 3).expand(-1, 3, -1, -1).float())[0, 0, 0]
    found = lightness_of(curve.encode(scene), curve)
    torch.testing.assert_close(found.float(), wanted, atol=0.02, rtol=0)


def test_plain_films_are_as_they_were() -> None:
    """BT.709, BT.601 and untagged films take the same way, to the bit."""
    gray = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(2))
    ab = torch.rand(1, 2, 32, 32, generator=torch.Generator().manual_seed(3)) * 100 - 50
    plain = ab_to_chroma(gray, ab, Colorimetry("bt601"))
    for transfer in (1, 2, 6, 13, 14, 15):
        for primaries in (1, 2):
            same = ab_to_chroma(gray, ab, Colorimetry("bt601", primaries, transfer))
            assert torch.equal(same.cb, plain.cb)
            assert torch.equal(same.cr, plain.cr)


def test_gray_of_other_curves_is_shown_as_srgb() -> None:
    """For stills and contact sheets, which are pictures without tags."""
    light = value(0.02, 0.2, 0.45)
    for code in CURVES:
        curve = transfer_of(code)
        scene = light if curve.system_gamma is None else light ** (1 / curve.system_gamma)
        torch.testing.assert_close(gray_to_srgb(curve.encode(scene), curve), SRGB.encode(light))
    assert gray_to_srgb(light, SRGB) is light
