"""A brushed colour spreads to the edges of luma, stays there, and becomes a keyframe."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from c2e_video.studio.engine import Prediction
from c2e_video.studio.errors import RequestError
from c2e_video.studio.retouch import Retoucher, Stroke, brushed, spread
from c2e_video.video.decode import probe
from c2e_video.video.frames import VideoInfo
from tests.studio.conftest import Page
from tests.studio.test_frames import chroma, colored, picture, pts_in
from tests.waiting import wait_until

__all__ = ["colored"]

RED = (50.0, 20.0)


@pytest.fixture
def info(folder: Path) -> VideoInfo:
    return probe(folder / "film.mp4")


def two_things() -> Prediction:
    """A dark thing on the left of a bright ground, both without colour."""
    lightness = np.full((60, 100), 80, np.float32)
    lightness[:, :45] = 30
    lightness += np.random.default_rng(0).normal(0, 0.5, lightness.shape).astype(np.float32)
    return Prediction(lightness, np.zeros((2, 60, 100), np.float32), "two things")


def test_a_stroke_fills_its_thing_and_stops_at_the_edge(info: VideoInfo) -> None:
    stroke = Stroke(((0.2, 0.4), (0.25, 0.6)), 0.05, RED)
    ab = Retoucher().apply(two_things(), [stroke], info).ab
    assert ab[0, :, 3:42].mean() > 0.95 * RED[0]
    assert np.abs(ab[:, :, 48:]).max() < 0.02 * RED[0]


def test_a_stroke_solves_the_equations_it_says() -> None:
    """Against a dense solve of the same sum of squares on a small picture."""
    rng = np.random.default_rng(1)
    lightness = rng.uniform(40, 50, (7, 9)).astype(np.float32)
    ab = rng.normal(0, 5, (2, 7, 9)).astype(np.float32)
    mask = np.zeros((7, 9), bool)
    mask[3, 2:4] = True
    from c2e_video.studio import retouch

    share = spread(lightness, ab, mask)
    assert share[mask].min() == 1
    assert ((share >= 0) & (share <= 1)).all()
    # A constant picture: the share falls with the distance from the stroke.
    flat = spread(np.full((9, 41), 50, np.float32), np.zeros((2, 9, 41), np.float32), _stripe())
    row = flat[4]
    assert (np.diff(row[:20]) >= -1e-3).all()
    assert retouch.DECAY > 0


def _stripe() -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    mask = np.zeros((9, 41), bool)
    mask[:, 20] = True
    return mask


def test_another_colour_is_an_edge_too(info: VideoInfo) -> None:
    base = two_things()
    lightness = np.full_like(base.lightness, 50)
    ab = base.ab.copy()
    ab[0, :, 50:] = 40
    stroke = Stroke(((0.2, 0.5),), 0.05, (-30.0, 0.0))
    result = Retoucher().apply(Prediction(lightness, ab, "two colours"), [stroke], info).ab
    assert result[0, :, 5:45].mean() < -25
    assert result[0, :, 55:].mean() > 38


def test_the_last_of_two_strokes_wins_and_erasing_brings_the_network_back(info: VideoInfo) -> None:
    base = two_things()
    first = Stroke(((0.2, 0.5),), 0.05, RED)
    second = replace(first, ab=(-40.0, 0.0))
    erase = replace(first, erase=True)
    retoucher = Retoucher()
    assert retoucher.apply(base, [first, second], info).ab[0, 30, 20] < -30
    assert abs(retoucher.apply(base, [first, erase], info).ab[0, 30, 20]) < 1
    assert retoucher.apply(base, [], info).ab is not base.ab


def test_a_brush_on_a_turned_film_marks_the_turned_place(info: VideoInfo) -> None:
    stroke = Stroke(((0.9, 0.1),), 0.05, RED)
    upright = brushed(stroke, (60, 100), info)
    assert upright[:20, 80:].any()
    assert not upright[30:].any()
    turned = brushed(stroke, (60, 100), replace(info, rotation=90))
    rows, columns = np.nonzero(np.rot90(turned))
    assert columns.mean() > 0.8 * 60
    assert rows.mean() < 0.2 * 100


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"points": [], "radius": 0.1, "ab": [0, 0]},
        {"points": [[0, 0]], "radius": 0, "ab": [0, 0]},
        {"points": [[0, 0]], "radius": 0.1, "ab": [0, 500]},
        {"points": [[0]], "radius": 0.1, "ab": [0, 0]},
        {"points": "x", "radius": 0.1, "ab": [0, 0]},
        {"points": [[float("nan"), 0]], "radius": 0.1, "ab": [0, 0]},
        [],
        None,
    ],
)
def test_what_is_no_stroke_is_refused(sent: object) -> None:
    with pytest.raises(RequestError):
        Stroke.of(sent)


def test_a_retouched_frame_becomes_a_keyframe_of_its_shot(
    page: Page, colored: str, folder: Path
) -> None:
    pts = pts_in(page, colored, 1)
    strokes = [{"points": [[0.3, 0.5], [0.6, 0.5]], "radius": 0.2, "ab": [60, 40]}]
    plain = picture(page.get(f"/api/films/{colored}/painted/{pts}"))
    retouched = picture(page.post(f"/api/films/{colored}/retouch/{pts}", {"strokes": strokes}))
    assert np.abs(retouched.astype(float) - plain)[:, :, 2].mean() > 2
    answer = page.post(f"/api/films/{colored}/keyframe/{pts}", {"strokes": strokes})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["shot"], answer.json()["at"]) == (1, pts)
    own = page.film(colored)["shots"][1]["references"]
    assert [reference["at"] for reference in own] == [pts]
    assert (folder / "film.references" / own[0]["name"]).is_file()
    assert chroma(picture(page.get(f"/api/films/{colored}/painted/{pts}"))) > 1


def test_a_keyframe_is_kept_although_a_stroke_of_the_same_page_follows(
    page: Page, colored: str
) -> None:
    pts = pts_in(page, colored, 1)
    sent = {"strokes": [{"points": [[0.3, 0.5], [0.6, 0.5]], "radius": 0.2, "ab": [60, 40]}]}
    turns = page.studio.turns
    with ThreadPoolExecutor(2) as pool, turns.turn("another"):
        waiting = turns.waiting
        keyframe = pool.submit(page.post, f"/api/films/{colored}/keyframe/{pts}?tab=a", sent)
        wait_until(lambda: turns.waiting > waiting)
        stroke = pool.submit(page.post, f"/api/films/{colored}/retouch/{pts}?tab=a", sent)
        wait_until(lambda: turns.waiting > waiting + 1)
    assert keyframe.result().status_code == 200
    assert stroke.result().status_code == 200
    own = page.film(colored)["shots"][1]["references"]
    assert [reference["at"] for reference in own] == [pts]


def test_a_frame_without_colour_cannot_be_retouched(page: Page, film: str) -> None:
    first = page.film(film)["times"]["first"]
    answer = page.post(f"/api/films/{film}/retouch/{first}", {"strokes": []})
    assert answer.status_code == 400
    assert "no colour" in answer.json()["error"]
    assert page.post(f"/api/films/{film}/retouch/{first}", {}).status_code == 400
