"""A painted frame finds its place in the film."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from c2e_video.planning.keyframes import KeyframeMatcher
from c2e_video.references.image import Reference
from c2e_video.video.frames import Frame, VideoInfo
from tests.factories import video_info

SIZE = (180, 320)


def info(rotation: int = 0) -> VideoInfo:
    return video_info(320, 180, rotation=rotation)


def scene(seed: int) -> Any:
    """A wide textured picture for a camera to pan over, of several scales, uint8 in luma's range."""
    rng = np.random.default_rng(seed)
    octaves = [
        cv2.resize(
            rng.random((9 * k, 20 * k)).astype(np.float32),
            (640, 288),
            interpolation=cv2.INTER_CUBIC,
        )
        for k in (1, 3, 8)
    ]
    mixed = octaves[0] + 0.6 * octaves[1] + 0.3 * octaves[2]
    return (20 + 200 * (mixed - mixed.min()) / np.ptp(mixed)).astype(np.uint8)


@pytest.fixture(scope="module")
def film() -> list[Frame]:
    """Three pans of twenty frames, eight samples a frame."""
    frames = []
    for shot in range(3):
        wide = scene(shot)
        frames += [
            Frame(wide[50:230, 8 * i : 8 * i + 320].copy(), 20 * shot + i, 1) for i in range(20)
        ]
    return frames


def colorized(gray: Any, **changes: Any) -> Reference:
    """``gray`` as a painter gives it back: coloured, and changed on the way."""
    rgb = gray.astype(float)[:, :, None] * [1.1, 0.95, 0.8]
    if "gamma" in changes:
        rgb = 255 * (rgb.clip(0, 255) / 255) ** changes["gamma"]
    rgb = np.clip(rgb * changes.get("gain", 1.0), 0, 255).astype(np.uint8)
    if "crop" in changes:
        rows, columns = (round(n * changes["crop"]) for n in gray.shape)
        rgb = rgb[rows:-rows, columns:-columns]
    if "border" in changes:
        rows, columns = (round(n * changes["border"]) for n in gray.shape)
        rgb = cv2.copyMakeBorder(rgb, rows, rows, columns, columns, cv2.BORDER_CONSTANT)
    if "scale" in changes:
        rgb = cv2.resize(rgb, None, fx=changes["scale"], fy=changes["scale"])
    if "jpeg" in changes:
        rgb = cv2.imdecode(
            cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, changes["jpeg"]])[1], 1
        )
    return Reference(np.ascontiguousarray(rgb), Path("key.png"))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"gamma": 1.3, "gain": 1.1},
        {"gamma": 0.7, "gain": 0.8},
        {"scale": 2.4},
        {"scale": 0.5, "jpeg": 60},
        {"crop": 0.03},
        {"border": 0.02},
        {"crop": 0.02, "gamma": 1.2, "gain": 1.1, "scale": 0.7, "jpeg": 80},
    ],
    ids=str,
)
def test_a_frame_is_found_whatever_was_done_to_it(
    film: list[Frame], changes: dict[str, Any]
) -> None:
    wanted = [47, 3, 31]
    matcher = KeyframeMatcher([colorized(film[i].luma, **changes) for i in wanted], info())
    for frame in film:
        matcher.update(frame)
    assert [match.pts for match in matcher.compute()] == wanted


def test_a_stranger_is_not_found(film: list[Frame]) -> None:
    strangers = [colorized(scene(seed)[:180, :320]) for seed in (7, 8, 9)]
    matcher = KeyframeMatcher([*strangers, colorized(np.full(SIZE, 90, np.uint8))], info())
    for frame in film:
        matcher.update(frame)
    matches = matcher.compute()
    assert [match.pts for match in matches] == [None] * 4
    assert max(match.similarity for match in matches) < 0.6


def test_a_mirrored_film_is_compared_as_it_is_shown(film: list[Frame]) -> None:
    mirrored = replace(info(), mirrored=True)
    matcher = KeyframeMatcher([colorized(film[12].luma[:, ::-1])], mirrored)
    for frame in film:
        matcher.update(frame)
    assert matcher.compute()[0].pts == 12


def test_ten_bits_and_rotation(film: list[Frame]) -> None:
    deep = [Frame((f.luma.astype(np.uint16) << 2).astype(np.uint16), f.pts, 1) for f in film]
    upright = colorized(np.rot90(film[12].luma))
    matcher = KeyframeMatcher([upright], info(rotation=90))
    for frame in deep:
        matcher.update(frame)
    assert matcher.compute()[0].pts == 12
