"""Fixtures that any test may ask for. Anything more particular is made with ``tests.media``."""

from __future__ import annotations

import logging
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from c2e_video.cli.signals import STOPS
from c2e_video.model import save_weights
from c2e_video.pipeline.options import Options
from c2e_video.video.encode import EncodeSettings
from tests.factories import random_model, write_picture
from tests.media import write_film


@pytest.fixture(autouse=True)
def _own_signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the command line makes of signals and of logging ends with the test."""
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    before = {number: signal.getsignal(number) for number in STOPS}
    yield
    logging.disable(logging.NOTSET)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A film of two shots, 8 and 6 frames of 64x48 at 25 a second, lossless H.264, with sound."""
    return write_film(tmp_path / "film.mp4", shots=[8, 6], b_frames=2, audio="aac")


@pytest.fixture
def no_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose file system is read-only but for one folder."""

    def nowhere(*_: object) -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    monkeypatch.setattr(tempfile, "_get_default_tempdir", nowhere)
    monkeypatch.setattr(tempfile, "tempdir", None)


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a tiny random network."""
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_weights(random_model(), path)
    return path


@pytest.fixture
def quick(tiny_weights: Path) -> Options:
    """The quickest way to paint a film: tiny random weights, strong colour."""
    fast = EncodeSettings("h264", preset="ultrafast")
    return Options(
        fast, weights=tiny_weights, device="cpu", precision="fp32", size=32, saturation=4.0
    )


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """A colour picture."""
    return write_picture(tmp_path / "reference.png", 0)
