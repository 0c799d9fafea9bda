"""Cuts are found on their frame; flashes, flicker, grain and pans are none."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
import pytest

from c2e_video.errors import MediaError
from c2e_video.shots.detector import ShotDetector, find_shots
from c2e_video.shots.dissolves import DissolveFinder
from c2e_video.video.frames import Frame, VideoInfo
from tests.factories import video_info
from tests.media import luma

SIZE = (160, 90)


def info(base: Fraction = Fraction(1, 25), depth: int = 8) -> VideoInfo:
    return video_info(*SIZE, depth, time_base=base)


def scene(seed: int, index: int = 0, speed: float = 1.0) -> Any:
    """Frame ``index`` of a camera pan over a textured picture, float in luma's range."""
    rng = np.random.default_rng(seed)
    layers = [
        cv2.resize(rng.random((3 * k, 8 * k)), (480, 90), interpolation=cv2.INTER_CUBIC) / k
        for k in (1, 2, 5)
    ]
    wide = np.sum(layers, axis=0)
    wide = 30 + 180 * (wide - wide.min()) / np.ptp(wide)
    at = round(index * speed) % 320
    return wide[:, at : at + 160]


def film(*pictures: Any, pts: list[int] | None = None) -> list[Frame]:
    times = pts or list(range(len(pictures)))
    return [
        Frame(np.clip(picture, 0, 255).astype(np.uint8), t, 1)
        for picture, t in zip(pictures, times, strict=True)
    ]


def starts(frames: Any, base: Fraction = Fraction(1, 25)) -> list[int]:
    return [shot.start for shot in find_shots(frames, info(base))]


def test_cuts_are_found_on_their_frame() -> None:
    pictures = [scene(shot, i) for shot in range(6) for i in range(20)]
    shots = find_shots(film(*pictures), info())
    assert [s.start for s in shots] == [0, 20, 40, 60, 80, 100]
    assert [s.stop for s in shots] == [20, 40, 60, 80, 100, 120]
    assert [s.index for s in shots] == list(range(6))


def test_the_films_of_other_tests_have_their_shots() -> None:
    frames = [Frame(luma(i, shot=k), 16 * k + i, 1) for k in range(3) for i in range(16)]
    assert starts(frames) == [0, 16, 32]


def test_flicker_grain_and_scratches_are_no_cuts() -> None:
    rng = np.random.default_rng(0)
    pictures = []
    for i in range(80):
        picture = scene(i // 40, i) * rng.uniform(0.7, 1.2) + rng.normal(0, 12, (90, 160))
        picture[:, rng.integers(0, 160, 2)] = 240
        pictures.append(picture)
    assert starts(film(*pictures)) == [0, 40]


def test_pans_are_no_cuts() -> None:
    assert starts(film(*(scene(1, i, speed=3.0) for i in range(100)))) == [0]


@pytest.mark.parametrize("length", [1, 2, 3])
def test_flashes_and_torn_frames_are_no_cuts(length: int) -> None:
    pictures = [scene(2, i) for i in range(60)]
    for i in range(20, 20 + length):
        pictures[i] = np.full((90, 160), 250.0)
    for i in range(40, 40 + length):
        pictures[i] = scene(9)
    assert starts(film(*pictures)) == [0]


def test_a_flash_beside_a_cut_leaves_the_cut() -> None:
    pictures = [scene(i // 30, i) for i in range(60)]
    pictures[28] = np.full((90, 160), 250.0)
    assert starts(film(*pictures)) == [0, 30]


def test_a_fade_through_black_is_one_cut_where_it_is_dark() -> None:
    level = np.clip(np.abs(np.arange(80) - 40) / 15, 0, 1)
    pictures = [16 + (scene(i // 40, i) - 16) * level[i] for i in range(80)]
    (first, second) = starts(film(*pictures))
    assert first == 0
    assert 36 <= second <= 44


@pytest.mark.parametrize("length", [10, 20, 40])
def test_a_dissolve_is_found_with_its_length(length: int) -> None:
    share = np.clip((np.arange(120) - 50) / length, 0, 1)
    pictures = [(1 - s) * scene(1, i, 0.2) + s * scene(2, i, 0.2) for i, s in enumerate(share)]
    (_, shot) = find_shots(film(*pictures), info())
    assert shot.transition == "dissolve"
    assert abs(shot.start - 50) <= 8  # its length is one of a few
    assert abs(shot.start + shot.dissolve - 50 - length) <= 8


def test_a_fast_pan_is_no_cut() -> None:
    at = 25 / (1 + np.exp(-(np.arange(90) - 45) / 3))
    pictures = [cv2.blur(scene(3, 1, 8 * x), (5, 1)) for x in at]
    assert starts(film(*pictures)) == [0]


def test_a_flash_in_a_moving_shot_is_no_cut() -> None:
    pictures = [scene(4, i, 2.0) for i in range(80)]
    for i in (40, 41, 42):
        pictures[i] = np.minimum(pictures[i] * 2.2 + 60, 245)
    assert starts(film(*pictures)) == [0]


def test_scratches_and_grain_on_black_do_not_hide_a_fade() -> None:
    rng = np.random.default_rng(5)
    level = np.clip(np.abs(np.arange(80) - 40) / 12 - 0.4, 0, 1)
    pictures = []
    for i in range(80):
        picture = 16 + (scene(i // 40, i) - 16) * level[i] + rng.normal(0, 6, (90, 160))
        picture[:, rng.integers(0, 160, 2)] = 200
        pictures.append(picture)
    (_, second) = starts(film(*pictures))
    assert 33 <= second <= 47


def test_leading_black_belongs_to_the_first_shot() -> None:
    pictures = [np.full((90, 160), 16.0)] * 20 + [scene(1, i) for i in range(30)]
    assert starts(film(*pictures)) == [0]


def test_variable_frame_rate_and_a_late_start() -> None:
    rng = np.random.default_rng(3)
    pts = [int(t) for t in 500 + np.cumsum(rng.integers(10, 90, 60))]
    frames = film(*(scene(i // 30, i) for i in range(60)), pts=pts)
    shots = find_shots(frames, info(Fraction(1, 1000)))
    assert [s.start for s in shots] == [pts[0], pts[30]]
    assert shots[-1].stop == pts[-1] + 1


def test_ten_bits() -> None:
    frames = [Frame((scene(i // 20, i) * 4).astype(np.uint16), i, 1) for i in range(40)]
    assert [s.start for s in find_shots(frames, info(depth=10))] == [0, 20]


def test_shots_have_a_least_length_in_time() -> None:
    pictures = [scene(i // 5) for i in range(40)]
    assert all(s.stop - s.start >= 7.5 for s in find_shots(film(*pictures), info())[:-1])
    assert starts(film(*pictures), Fraction(1, 5)) == list(range(0, 40, 5))


def test_frames_without_any_detail_are_no_dissolve() -> None:
    finder = DissolveFinder()
    for pts in range(80):
        finder.update(np.full((27, 48), 100, np.float32), pts)
    assert finder.compute() == []


def test_one_frame_and_none() -> None:
    (shot,) = find_shots(film(scene(1)), info())
    assert (shot.start, shot.stop) == (0, 1)
    with pytest.raises(MediaError, match="no frames"):
        find_shots([], info())


def test_memory_does_not_grow() -> None:
    still = film(scene(1))[0].luma

    def endless() -> Iterator[Frame]:
        yield from (Frame(still, i, 1) for i in range(1000))

    detector = ShotDetector(info())
    for frame in endless():
        detector.update(frame)
    assert len(pickle.dumps(detector)) < 1_000_000
