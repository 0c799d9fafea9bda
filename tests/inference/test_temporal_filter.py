"""Predictions averaged along motion."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from c2e_video.inference.motion import SMALLEST_SIDE, MotionPlane
from c2e_video.inference.prediction import LabPrediction
from c2e_video.inference.temporal_filter import (
    NEIGHBORS,
    Predicted,
    Window,
    filter_window,
    filter_windows,
)
from tests.inference.scenes import HEIGHT, WIDTH, panned, scene, with_errors

SAMPLES = Path(__file__).parents[2] / "samples"


def predicted(lightness: Any, ab: Any, number: int = 0) -> Predicted[None]:
    return Predicted(None, number, MotionPlane(lightness), LabPrediction(lightness, ab))


def filtered(center: Predicted[None], *neighbors: Predicted[None]) -> Any:
    """The ab of the middle one of these predictions."""
    return filter_window(Window(center, (), neighbors)).prediction.ab


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7, 20])
@pytest.mark.parametrize("step", [1, 2, 3, 5])
@pytest.mark.parametrize("reach", [3, 8])
def test_each_prediction_comes_once_among_those_within_reach(
    count: int, step: int, reach: int
) -> None:
    plane = np.zeros((8, 8), np.float32)
    frames = [predicted(plane, plane[None].repeat(2, 0), step * k) for k in range(count)]
    windows = list(filter_windows(frames, reach))
    assert [window.center for window in windows] == frames
    for number, window in enumerate(windows):
        for side, places in (
            (window.before, range(number - 1, max(-1, number - NEIGHBORS - 1), -1)),
            (window.after, range(number + 1, min(count, number + NEIGHBORS + 1))),
        ):
            near = [k for k in places if abs(frames[k].number - frames[number].number) <= reach]
            assert [neighbor.number for neighbor in side] == [frames[k].number for k in near]


@pytest.mark.parametrize(("step", "waited_for"), [(1, 3), (3, 3), (8, 1)])
def test_a_window_does_not_wait_longer_than_it_must(step: int, waited_for: int) -> None:
    come: list[int] = []

    def frames() -> Any:
        plane = np.zeros((8, 8), np.float32)
        for k in range(9):
            come.append(k)
            yield predicted(plane, plane[None].repeat(2, 0), step * k)

    next(filter_windows(frames(), 8))
    assert len(come) == 1 + waited_for


def test_errors_of_single_frames_are_reduced_along_a_movement() -> None:
    frames = panned(7, speed=3)
    wrong = [
        predicted(planes[0], with_errors(planes[1:], 8.0, seed))
        for seed, planes in enumerate(frames)
    ]
    middle, truth = wrong.pop(3), frames[3][1:]
    inner = np.s_[:, 8:-8, 24:-24]  # what all of them show
    before = np.std((middle.prediction.ab - truth)[inner])
    after = np.std((filtered(middle, *wrong) - truth)[inner])
    assert after < 0.6 * before
    # Not by blurring: what is right stays right.
    right = [predicted(planes[0], planes[1:]) for planes in frames]
    middle = right.pop(3)
    assert np.abs(filtered(middle, *right) - truth)[inner].max() < 4


def test_another_scene_does_not_count() -> None:
    """A cut that was not found lets no colour over it."""
    pictures: list[Any] = [cv2.imread(str(SAMPLES / f"keyframe-{k}.jpg")) for k in (1, 2, 3, 4)]
    scenes = [lab_planes(cv2.resize(picture, (256, 144))) for picture in pictures]
    for (own, own_ab), (other, other_ab) in permutations(scenes, 2):
        foreign = predicted(other, np.full_like(other_ab, 90))
        changed = np.abs(filtered(predicted(own, own_ab), foreign, foreign) - own_ab)
        assert np.mean(changed) < 0.01 * np.mean(np.abs(90 - own_ab))


def lab_planes(picture: Any) -> tuple[Any, Any]:
    """L* and a*, b*."""
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_BGR2LAB).transpose(2, 0, 1)
    return np.ascontiguousarray(lab[0]), np.ascontiguousarray(lab[1:])


def test_what_is_no_number_stays_in_its_own_frame() -> None:
    first, middle, last = (predicted(planes[0], planes[1:]) for planes in panned(3, speed=2))
    broken = predicted(first.prediction.lightness, np.full_like(first.prediction.ab, np.nan))
    assert np.isfinite(filtered(middle, broken, last)).all()


def test_what_leaves_the_picture_does_not_count() -> None:
    """The next frame shows what lies to the right; from beyond its left border no colour comes in."""
    here, there = panned(2, speed=20, scale=3)
    steady = filtered(predicted(here[0], here[1:]), predicted(there[0], there[1:] + 30))
    change = np.abs(steady - here[1:]).mean((0, 1))
    assert change[:16].mean() < 1
    assert change[48:].mean() > 12  # of what both show the mean is taken


def test_alone_or_too_small_for_motion_a_prediction_stays_as_it_is() -> None:
    planes = scene(1)
    np.testing.assert_array_equal(filtered(predicted(planes[0], planes[1:])), planes[1:])
    first, middle, last = (
        predicted(small[0], small[1:]) for small in (scene(k, SMALLEST_SIDE - 1) for k in range(3))
    )
    np.testing.assert_array_equal(filtered(middle, first, last), middle.prediction.ab)
    assert planes.shape[1:] == (HEIGHT, WIDTH)
