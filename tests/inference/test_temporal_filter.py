"""Colour filter_frame along motion."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from c2e_video.inference.temporal_filter import (
    REACH,
    SMALLEST,
    LabPrediction,
    filter_frame,
    sliding_windows,
)

SAMPLES = Path(__file__).parents[2] / "samples"
HEIGHT, WIDTH = 96, 128


def scene(seed: int, height: int = HEIGHT, width: int = WIDTH) -> Any:
    """L*, a*, b* ``[3, H, W]`` of a textured picture whose colours go with its lightness."""
    rng = np.random.default_rng(seed)
    planes = [
        cv2.resize(rng.random((k, 2 * k)).astype(np.float32), (width, height)) for k in (12, 24, 48)
    ]
    lightness = 100 * np.mean(planes, axis=0)
    return np.stack((lightness, lightness - 50, 25 - lightness / 2)).astype(np.float32)


def panned(count: int, speed: int, scale: int = 1) -> list[Any]:
    """A camera's way over one scene."""
    width = scale * WIDTH
    wide = scene(1, scale * HEIGHT, width + count * speed)
    return [wide[..., k * speed : k * speed + width] for k in range(count)]


def predict(planes: Any, error: float = 0.0, seed: int = 0) -> LabPrediction:
    """Colours in error by patches, as a wrong match paints them."""
    rng = np.random.default_rng(seed)
    patches = rng.normal(0, 1, (2, 12, 16)).astype(np.float32)
    wrong = [cv2.resize(p, (planes.shape[2], planes.shape[1])) for p in patches]
    return LabPrediction(planes[0], (planes[1:] + error * np.stack(wrong)).astype(np.float32))


@pytest.mark.parametrize("size", [1, 3, 8, 100])
@pytest.mark.parametrize("count", [0, 1, REACH, REACH + 1, 2 * REACH + 1, 20])
def test_each_item_comes_once_among_those_around_it(count: int, size: int) -> None:
    items = list(range(count))
    batches = [items[i : i + size] for i in range(0, count, size)]
    given = [(list(window), number) for lot in sliding_windows(batches) for window, number in lot]
    assert [window[number] for window, number in given] == items
    around = [items[max(0, i - REACH) : i + REACH + 1] for i in items]
    assert [window for window, _ in given] == around


def test_items_are_not_waited_for_longer_than_they_must() -> None:
    come: list[int] = []

    def batches() -> Any:
        for k in range(4):
            come.append(k)
            yield [2 * k, 2 * k + 1]

    first = next(sliding_windows(batches()))
    assert len(first) == 1
    assert come == [0, 1]


def test_errors_of_single_frames_are_evened_out_along_a_movement() -> None:
    frames = panned(2 * REACH + 1, speed=3)
    predictions = [predict(planes, 8.0, seed) for seed, planes in enumerate(frames)]
    middle, truth = predictions[REACH], frames[REACH][1:]
    inner = np.s_[:, 8:-8, 24:-24]  # what all of them show
    before = np.std((middle.ab - truth)[inner])
    after = np.std((filter_frame(predictions, REACH).ab - truth)[inner])
    assert after < 0.6 * before
    # Not by blurring: what is right stays right.
    right = [predict(planes) for planes in frames]
    assert np.abs(filter_frame(right, REACH).ab - truth)[inner].max() < 4


def test_another_scene_does_not_count() -> None:
    """A cut that was not found lets no colour over it."""
    pictures: list[Any] = [cv2.imread(str(SAMPLES / f"keyframe-{k}.jpg")) for k in (1, 2, 3, 4)]
    scenes = [LabPrediction(*lab_planes(cv2.resize(picture, (256, 144)))) for picture in pictures]
    for own, other in permutations(scenes, 2):
        foreign = LabPrediction(other.lightness, np.full_like(other.ab, 90))
        changed = np.abs(filter_frame([foreign, own, foreign], 1).ab - own.ab)
        assert np.mean(changed) < 0.01 * np.mean(np.abs(foreign.ab - own.ab))


def lab_planes(picture: Any) -> tuple[Any, Any]:
    """L* and a*, b*."""
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_BGR2LAB).transpose(2, 0, 1)
    return np.ascontiguousarray(lab[0]), np.ascontiguousarray(lab[1:])


def test_what_is_no_number_stays_in_its_own_frame() -> None:
    predictions = [predict(planes) for planes in panned(3, speed=2)]
    broken = LabPrediction(predictions[0].lightness, np.full_like(predictions[0].ab, np.nan))
    assert np.isfinite(filter_frame([broken, *predictions[1:]], 1).ab).all()


def test_what_leaves_the_picture_does_not_count() -> None:
    """The next frame shows what lies to the right; from beyond its left border no colour comes in."""
    here, there = panned(2, speed=20, scale=3)
    truth = predict(here)
    steady = filter_frame([truth, LabPrediction(there[0], there[1:] + 30)], 0).ab
    change = np.abs(steady - truth.ab).mean((0, 1))
    assert change[:16].mean() < 1
    assert change[48:].mean() > 12  # of what both show the mean is taken


def test_alone_or_too_small_to_follow_a_sketch_stays_as_it_is() -> None:
    own = predict(scene(1), 5.0)
    np.testing.assert_array_equal(filter_frame([own], 0).ab, own.ab)
    larger = predict(scene(2, 2 * HEIGHT, WIDTH))
    np.testing.assert_array_equal(filter_frame([larger, own], 1).ab, own.ab)
    small = [predict(scene(k, 2 * SMALLEST - 16, WIDTH), 5.0) for k in range(3)]
    np.testing.assert_array_equal(filter_frame(small, 1).ab, small[1].ab)
