"""Cuts where the camera moves fast over fine detail, so that no two frames are alike where they stand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from c2e_video.shots.cuts import CutFinder
from c2e_video.shots.detector import COLUMNS, ROWS
from c2e_video.utils.arrays import Floats

LENGTH = 30  # frames of a shot


def scene(seed: int, grain: float) -> Floats:
    """A wide picture of random detail, ``grain`` samples large."""
    field = np.random.default_rng(seed).standard_normal((60, 200)).astype(np.float32)
    field = np.asarray(cv2.GaussianBlur(field, (0, 0), grain), np.float32)
    return np.asarray(128 + 60 * field / field.std(), np.float32)


def movement(seed: int, grain: float, step: float) -> list[Floats]:
    """The camera moves over it by ``step`` samples a frame."""
    wide = scene(seed, grain)
    moved = [
        np.array([[1, 0, -step * k], [0, 1, -0.3 * step * k]], np.float32) for k in range(LENGTH)
    ]
    return [np.asarray(cv2.warpAffine(wide, m, (COLUMNS, ROWS)), np.float32) for m in moved]


def cuts_of(frames: list[Floats]) -> list[int]:
    finder = CutFinder()
    for number, frame in enumerate(frames):
        finder.update(frame, number)
    return [cut.start for cut in finder.compute()]


@pytest.mark.parametrize(("grain", "step"), [(1.0, 1.0), (1.0, 2.0), (0.8, 3.0), (1.5, 3.0)])
def test_every_cut_between_movements_is_found(grain: float, step: float) -> None:
    frames = [frame for seed in range(4) for frame in movement(seed, grain, step)]
    assert cuts_of(frames) == [LENGTH, 2 * LENGTH, 3 * LENGTH]


@pytest.mark.parametrize("count", [1, 2])
def test_what_passes_during_a_movement_is_no_cut(count: int) -> None:
    frames = movement(0, 1.0, 2.0)
    frames[12 : 12 + count] = movement(9, 1.0, 2.0)[:count]
    assert cuts_of(frames) == []
