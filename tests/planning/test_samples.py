"""Which frames of a film are kept as small pictures."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import cv2
import numpy as np

from c2e_video.planning.samples import FrameSample, Sampler, by_shot, samples_of, upright
from c2e_video.video.frames import Frame, Shot
from tests.factories import video_info

INFO = video_info(320, 180, time_base=Fraction(1, 25))


def scene(seed: int) -> Any:
    small = np.random.default_rng(seed).integers(30, 220, (12, 40)).astype(np.uint8)
    return cv2.resize(small, (1200, 180), interpolation=cv2.INTER_CUBIC)


def sampled(pictures: list[Any]) -> list[int]:
    sampler = Sampler(INFO)
    for pts, luma in enumerate(pictures):
        sampler.update(Frame(luma, pts, 1), luma)
    return [sample.pts for sample in sampler.compute()]


def still(seed: int, count: int) -> list[Any]:
    return [scene(seed)[:, :320].copy()] * count


def test_both_sides_of_a_cut_are_sampled_and_a_still_shot_every_two_seconds() -> None:
    assert sampled(still(1, 120) + still(2, 30)) == [0, 5, 55, 105, 119, 120, 125, 149]


def test_a_moving_camera_is_sampled_more_often() -> None:
    pan = [scene(3)[:, 6 * i : 6 * i + 320].copy() for i in range(120)]
    assert len(sampled(pan)) >= 8
    assert np.diff(sampled(pan)).max() <= 25


def test_blank_frames_are_left_out() -> None:
    black = [np.full((180, 320), 16, np.uint8)] * 10
    assert sampled(black + still(1, 8) + black) == [10, 15, 17]
    assert sampled(black) == []


def test_samples_belong_to_their_shot_and_not_to_its_dissolve() -> None:
    samples = [FrameSample(pts, b"") for pts in (0, 40, 60, 90)]
    shots = (Shot(0, 0, 50), Shot.after(20, 1, 50, 100), Shot(2, 100, 110))
    assert [[s.pts for s in own] for _, own in by_shot(shots, samples)] == [[0, 40], [90], []]
    assert [s.pts for s in samples_of(Shot.after(60, 0, 30, 95), samples)] == [90]
    assert [s.pts for s in samples_of(Shot.after(64, 0, 30, 95), samples)] == [40, 60, 90]


def test_a_sample_is_upright_with_square_pixels_and_full_range() -> None:
    info = video_info(64, 48, 10, sample_aspect_ratio=Fraction(2), rotation=90)
    luma = np.full((48, 64), 64, np.uint16)
    luma[:, 32:] = 940
    picture = upright(luma, info, 48)
    assert picture.shape == (128, 48)
    assert (picture[-1, 0], picture[0, 0]) == (0, 255)
    sample = FrameSample.of(Frame(luma, 0, 1), info)
    assert np.abs(sample.picture().astype(int) - picture).mean() < 3
    assert not sample.is_blank
    assert FrameSample.of(Frame(np.full((48, 64), 64, np.uint16), 0, 1), info).is_blank
