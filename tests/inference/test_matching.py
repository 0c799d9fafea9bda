"""How pictures are compared: by cells, without colour being predicted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from c2e_video.inference.colorizer import Colorizer
from c2e_video.inference.matching import CellFeatures, PictureMatcher
from c2e_video.utils import tensor_cache
from tests.factories import color_picture


@pytest.fixture
def matcher(tiny_weights: Path) -> PictureMatcher:
    return PictureMatcher(Colorizer(tiny_weights, device="cpu", precision="fp32", size=64))


def cells(keys: list[list[float]], ab: list[list[float]] | None = None) -> CellFeatures:
    unit = torch.nn.functional.normalize(torch.tensor(keys), dim=1)
    return CellFeatures(unit, (1, len(keys)), None if ab is None else torch.tensor(ab))


def test_a_picture_is_found_in_itself(matcher: PictureMatcher) -> None:
    picture = color_picture(1, 96, 128)
    features = matcher.encode(picture)
    assert features.keys.shape[0] == features.shape[0] * features.shape[1] == 12 * 16
    match = matcher.match(features, features)
    assert match.share == pytest.approx(1)
    assert 0 < match.certainty <= 1


def test_gray_pictures_are_compared_without_certainty(matcher: PictureMatcher) -> None:
    gray = matcher.encode(color_picture(1, 96, 128)[..., 0].copy())
    assert gray.ab is None
    match = matcher.match(gray, gray)
    assert match.share == pytest.approx(1)
    assert np.isnan(match.certainty)


def test_likely_cells_of_other_colours_lower_the_certainty(matcher: PictureMatcher) -> None:
    frame = cells([[1.0, 0.0, 0.0]])
    agreed = cells([[1.0, 0.0, 0.0], [1.0, 0.01, 0.0]], [[40.0, 0.0], [40.0, 0.0]])
    torn = cells([[1.0, 0.0, 0.0], [1.0, 0.01, 0.0]], [[40.0, 0.0], [-40.0, 0.0]])
    colourless = cells([[1.0, 0.0, 0.0]], [[0.0, 0.0]])
    assert matcher.match(frame, agreed).certainty == pytest.approx(1)
    assert matcher.match(frame, torn).certainty < 0.01
    assert matcher.match(frame, colourless).certainty == 1


def test_the_same_thing_in_two_colours_is_a_contradiction(matcher: PictureMatcher) -> None:
    keys = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    first = cells(keys, [[50.0, 0.0], [0.0, 10.0], [0.0, 0.0]])
    second = cells(keys[::-1], [[0.0, 0.0], [0.0, 10.0], [-10.0, 0.0]])
    distance, there = matcher.contradiction(first, second)
    assert distance.tolist() == [[60, 0, 0]]
    assert there.tolist() == [[2, 1, 0]]


def test_alike_pictures_have_alike_descriptors(matcher: PictureMatcher) -> None:
    picture = color_picture(3, 96, 128)
    own, moved, other = (
        matcher.encode(p).descriptor
        for p in (picture, np.roll(picture, 4, 1), color_picture(9, 96, 128))
    )
    assert own @ own == pytest.approx(1, abs=1e-5)
    assert own @ moved > own @ other


def test_features_are_computed_once(
    matcher: PictureMatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensor_cache, "IN_MEMORY", 2)
    asked = []

    def picture(key: int) -> Any:
        asked.append(key)
        colored = color_picture(key, 96, 64)
        return colored if key % 2 else colored[..., 0]

    for key in (1, 2, 3, 4, 1, 2, 3, 4):
        matcher.encode_once(key, lambda k=key: picture(k))  # type: ignore[misc]
    assert asked == [1, 2, 3, 4]
    for key in (1, 4):
        kept = matcher.encode_once(key, lambda: pytest.fail("is known"))
        fresh = matcher.encode(picture(key))
        assert kept.shape == fresh.shape
        assert torch.equal(kept.keys, fresh.keys)
        assert (kept.ab is None) == (fresh.ab is None) == (key % 2 == 0)
        assert kept.ab is None or torch.equal(kept.ab, fresh.ab)  # type: ignore[arg-type]
