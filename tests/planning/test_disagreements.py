"""Two references of one shot that give the same thing different colours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from c2e_video.inference.colorizer import Colorizer
from c2e_video.inference.matching import PictureMatcher
from c2e_video.planning.coverage import FilmMatcher
from c2e_video.planning.disagreements import find_disagreements
from c2e_video.references.image import Reference
from c2e_video.video.frames import Shot
from tests.factories import color_picture, video_info

SHOT = Shot(0, 0, 50)


@pytest.fixture
def matcher(tiny_weights: Path) -> FilmMatcher:
    colorizer = Colorizer(tiny_weights, device="cpu", precision="fp32", size=64)
    return FilmMatcher(PictureMatcher(colorizer))


def street(bus: Any) -> Any:
    """A street of 128 by 192; the bus, a quarter of it, in a colour of luma 120 like any other."""
    gray = color_picture(4, 128, 192)[..., 1].astype(float)
    rgb = np.stack([gray * 1.05, gray, gray * 0.9], axis=2)
    rgb[64:112, 48:112] = 0.5 * gray[64:112, 48:112, None] + np.array(bus)
    return np.clip(rgb, 0, 255).astype(np.uint8)


RED, BLUE = (150, 30, 20), (20, 62, 190)  # of about one luma


def reference(image: Any, name: str, at: int) -> Reference:
    return Reference(image, Path(name), at)


def test_a_bus_that_is_red_in_one_and_blue_in_the_other_is_named(matcher: FilmMatcher) -> None:
    row = (reference(street(RED), "a.png", 0), reference(street(BLUE), "b.png", 40))
    (found,) = find_disagreements(SHOT, row, matcher)
    left, top, right, bottom = found.first_box
    assert 0.15 < left < right < 0.7
    assert 0.4 < top < bottom <= 1.0
    assert found.line(video_info()).startswith(
        "shot 1: a.png at 00:00:00.000 and b.png at 00:00:01.600 disagree about the same thing"
    )
    first, second = found.pictures()
    assert first[..., 0].mean() > first[..., 2].mean()
    assert second[..., 2].mean() > second[..., 0].mean()
    assert found.as_json()["shot"] == 0


def test_references_that_agree_are_not(matcher: FilmMatcher) -> None:
    row = (reference(street(RED), "a.png", 0), reference(street((140, 36, 24)), "b.png", 40))
    assert not find_disagreements(SHOT, row, matcher)
    assert not find_disagreements(SHOT, row[:1], matcher)
