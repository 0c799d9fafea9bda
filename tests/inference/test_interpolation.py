"""Frames between anchors take their colours along motion, and depend on their shot alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from c2e_video.inference.batching import BatchRunner
from c2e_video.inference.embedding import ColorEmbedding
from c2e_video.inference.interpolation import (
    LOST_SHARE,
    Gap,
    Moment,
    Span,
    context_frames,
    gaps,
    interpolate,
    intervals,
    lost_share,
    spans,
)
from c2e_video.inference.luma_planes import LumaPlane, lightness_plane
from c2e_video.inference.motion import MotionPlane
from c2e_video.inference.prediction import LabPrediction
from c2e_video.inference.shot_prediction import ShotFrame, ShotPredictor
from c2e_video.inference.temporal_filter import Predicted
from tests.inference.scenes import HEIGHT, WIDTH, panned, scene

EMBEDDING = ColorEmbedding(torch.zeros(1), None, "none")


def moment(
    lightness: Any, number: int, is_anchor: bool = False, starts_shot: bool = False
) -> Moment[int]:
    luma = LumaPlane((lightness * 2.55).astype(np.uint8))
    own = (is_anchor, starts_shot)
    return Moment(number, number, *own, luma, lightness, MotionPlane(lightness))


def anchor(planes: Any, number: int) -> Predicted[Span[int]]:
    own = moment(planes[0], number, is_anchor=True)
    return Predicted(Span((), own), number, own.motion, LabPrediction(planes[0], planes[1:]))


def test_a_frame_between_two_anchors_has_the_colours_of_both_where_they_moved_to() -> None:
    frames = panned(5, speed=3)
    before, after = anchor(frames[0], 0), anchor(frames[4], 4)
    inner = np.s_[:, 8:-8, 24:-24]
    for number in (1, 2, 3):
        found = interpolate(Gap(moment(frames[number][0], number), before, after)).ab
        still = (before.prediction.ab + after.prediction.ab) / 2
        truth = frames[number][1:]
        assert np.abs(found - truth)[inner].mean() < 1
        assert np.abs(found - truth)[inner].mean() < 0.2 * np.abs(still - truth)[inner].mean()


def test_the_nearer_anchor_counts_more() -> None:
    planes = scene(1)
    warmer = np.stack((planes[0], planes[1] + 40, planes[2]))
    before, after = anchor(planes, 0), anchor(warmer, 8)
    found = [
        interpolate(Gap(moment(planes[0], k), before, after)).ab[0].mean() for k in range(1, 8)
    ]
    np.testing.assert_allclose(np.diff(found), 5, atol=0.1)


def test_the_frame_of_an_anchor_has_the_anchors_colours() -> None:
    own = anchor(scene(1), 3)
    (gap,) = gaps([own])
    assert interpolate(gap) is own.prediction


def test_an_anchor_that_is_no_number_does_not_count() -> None:
    planes = scene(1)
    broken = anchor(np.stack((planes[0], *np.full_like(planes[1:], np.nan))), 4)
    found = interpolate(Gap(moment(planes[0], 2), anchor(planes, 0), broken)).ab
    np.testing.assert_allclose(found, planes[1:], atol=1e-3)


def test_intervals_share_their_ends_and_close_with_the_last_frame() -> None:
    plane = scene(1)[0]
    frames = [moment(plane, k, k % 4 == 0) for k in range(11)]
    numbers = [[m.number for m in interval] for interval in intervals(frames)]
    assert numbers == [[0], [0, 1, 2, 3, 4], [4, 5, 6, 7, 8], [8, 9, 10]]
    assert list(intervals([])) == []


def test_a_shot_ends_an_interval() -> None:
    plane = scene(1)[0]
    frames = [moment(plane, k, k % 4 == 0, starts_shot=k in (0, 6, 7)) for k in range(10)]
    numbers = [[m.number for m in interval] for interval in intervals(frames)]
    assert numbers == [[0], [0, 1, 2, 3, 4], [4, 5], [6], [7], [7, 8], [8, 9]]


def test_an_interval_may_hold_one_frame() -> None:
    frames = [moment(scene(1)[0], 0)]
    assert [[m.number for m in i] for i in intervals(frames)] == [[0]]


def anchors_of(lightness: Sequence[Any]) -> list[int]:
    interval = [moment(plane, k) for k, plane in enumerate(lightness)]
    return [span.anchor.number for span in spans(interval)]


def test_where_nothing_is_lost_no_anchor_is_added() -> None:
    assert anchors_of([planes[0] for planes in panned(9, speed=1)]) == [8]


@pytest.mark.parametrize("number", [1, 2, 4, 7])
def test_a_flash_becomes_an_anchor(number: int) -> None:
    still = scene(1)[0]
    frames = [still] * 9
    frames[number] = np.clip(still + 40, 0, 100)
    assert number in anchors_of(frames)


def test_over_a_cut_that_was_not_found_no_colour_comes() -> None:
    still, other = scene(1), scene(2)
    assert anchors_of([*[still[0]] * 4, *[other[0]] * 5]) == [
        8
    ]  # each frame is found in one anchor
    before, after = anchor(still, 0), anchor(other, 8)
    for number, truth in ((3, still), (4, other)):
        found = interpolate(Gap(moment(truth[0], number), before, after)).ab
        assert np.abs(found - truth[1:]).mean() < 1


def test_fast_motion_is_followed_from_frame_to_frame() -> None:
    """Over eight frames the scene moves by 48 of 128 pixels: a direct search fails."""
    frames = [planes[0] for planes in panned(9, speed=6)]
    assert anchors_of(frames) == [8]
    assert lost_share(*(moment(frames[k], k) for k in (4, 0, 8))) > LOST_SHARE


def test_too_small_for_motion_every_frame_is_an_anchor() -> None:
    assert anchors_of([scene(1, 24, 32)[0]] * 5) == [1, 2, 3, 4]


def test_a_lost_share_is_what_neither_anchor_shows() -> None:
    still, other = scene(1)[0], scene(2)[0]
    own, foreign = moment(still, 1), moment(other, 2)
    assert lost_share(own, moment(still, 0), foreign) < 0.01
    assert lost_share(own, foreign, foreign) > 0.5


def film() -> list[Any]:
    """Luma of a shot with a pan, a flash and things that appear."""
    frames = [
        (lightness[0] * 2.55).clip(0, 255).astype(np.uint8)
        for lightness in panned(50, speed=2, seed=3)
    ]
    frames[17] = np.clip(frames[17].astype(int) + 90, 0, 255).astype(np.uint8)
    for k in range(25, 32):
        frames[k][20:70, 30:100] = (scene(k)[0] * 2.55).astype(np.uint8)[20:70, 30:100]
    return frames


def network(lumas: Sequence[LumaPlane], _: Sequence[ColorEmbedding]) -> Any:
    """A network that is a function of a frame's luma alone."""
    rough = [lightness_plane(luma, (HEIGHT, WIDTH)) for luma in lumas]
    return np.stack([np.stack((plane - 50, np.roll(plane, 3) - plane)) for plane in rough])


def colors(
    frames: Sequence[Any], interval: int, first: int = 0, keyframe: int | None = None
) -> list[Any]:
    """The ab of part of a film."""
    marked = (
        ShotFrame(number, LumaPlane(luma), number % interval == 0 or number == keyframe)
        for number, luma in enumerate(frames, first)
    )
    predictor = ShotPredictor(network, BatchRunner(torch.device("cpu"), HEIGHT), interval)
    found = list(predictor.predict(marked, lambda _: EMBEDDING, (HEIGHT, WIDTH)))
    assert [number for number, _ in found] == list(range(first, first + len(frames)))
    return [prediction.ab for _, prediction in found]


@pytest.mark.parametrize("interval", [1, 2, 3, 5, 8, 12])
def test_part_of_a_film_with_its_context_has_the_bits_of_the_whole(interval: int) -> None:
    frames, context = film(), context_frames(interval)
    whole = colors(frames, interval, keyframe=21)
    for start, stop in ((0, 9), (13, 14), (14, 31), (20, 24), (29, 50), (47, 50)):
        begun, ended = max(0, start - context), min(len(frames), stop + context)
        part = colors(frames[begun:ended], interval, begun, keyframe=21)
        for number in range(start, stop):
            np.testing.assert_array_equal(part[number - begun], whole[number], str(number))


def test_shots_have_the_bits_that_each_has_by_itself() -> None:
    one, other = film()[:21], film()[24:]
    frames = [*one, *other]
    marked = [
        ShotFrame(k, LumaPlane(luma), k in (0, 8, 16, 21, 29, 37, 45), k in (0, 21))
        for k, luma in enumerate(frames)
    ]
    runner = BatchRunner(torch.device("cpu"), HEIGHT)
    predictor = ShotPredictor(network, runner, 8)
    found = predictor.predict(marked, lambda _: EMBEDDING, (HEIGHT, WIDTH))
    alone = [*colors(one, 8), *colors(other, 8)]
    for (number, prediction), ab in zip(found, alone, strict=True):
        np.testing.assert_array_equal(prediction.ab, ab, str(number))


def test_the_bits_do_not_depend_on_the_number_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = film()[:20]
    found = []
    for cores in (1, 2, 5):
        for module in ("batching", "shot_prediction"):
            monkeypatch.setattr(f"c2e_video.inference.{module}.processors", lambda n=cores: n)
        found.append(colors(frames, 8))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_few_frames_are_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """At 1080p each takes some 4 MB."""
    for module in ("batching", "shot_prediction"):
        monkeypatch.setattr(f"c2e_video.inference.{module}.processors", lambda: 2)
    still, interval, held = LumaPlane((scene(1)[0] * 2.55).astype(np.uint8)), 8, 0

    def frames() -> Iterator[ShotFrame[int]]:
        nonlocal held
        for number in range(160):
            held += 1
            yield ShotFrame(number, still, number % interval == 0)

    def network(lumas: Sequence[LumaPlane], _: Sequence[ColorEmbedding]) -> Any:
        return np.zeros((len(lumas), 2, HEIGHT, WIDTH), np.float32)

    predictor = ShotPredictor(network, BatchRunner(torch.device("cpu"), HEIGHT), interval)
    most = 0
    for _ in predictor.predict(frames(), lambda _: EMBEDDING, (HEIGHT, WIDTH)):
        most = max(most, held)
        held -= 1
    assert most <= 7 * interval
