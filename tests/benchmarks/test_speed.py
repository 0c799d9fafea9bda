"""The bench measures what it says: figures are there and hang together; no clock is asserted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import speed
from c2e_video.model import save_weights
from c2e_video.pipeline.options import Options
from c2e_video.video.encode import EncodeSettings
from tests.factories import random_model


@pytest.fixture
def options(tmp_path: Path) -> Options:
    save_weights(random_model(), tmp_path / "tiny.safetensors")
    fast = EncodeSettings("h264", preset="ultrafast")
    return Options(
        fast, weights=tmp_path / "tiny.safetensors", device="cpu", precision="fp32", size=48
    )


@pytest.mark.slow
def test_every_figure_is_there(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "BATCHES", {32: (1, 2)})
    monkeypatch.setattr(speed, "FILMS", ((64, 48),))
    monkeypatch.setattr(speed, "GROWTH", ((20, 10), (40, 5)))
    lines: list[str] = []
    figures = speed.measure(options, quick=True, growth=True, say=lines.append)
    assert [(row.size, row.batch) for row in figures.network] == [(32, 1), (32, 2)]
    assert all(row.gflops > 0 and row.ms_per_frame > 0 for row in figures.network)
    assert figures.plain is not None
    assert figures.plain.psnr_ab > 45  # two ways, one picture
    assert figures.start is not None
    assert 0 < figures.start.help_seconds < figures.start.frame_seconds
    (film,) = figures.films
    assert film.in_all < film.whole
    assert film.overlap == pytest.approx(film.whole / min(film.decode, film.paint, film.encode))
    assert [(row.frames, row.shot_frames) for row in figures.growth] == [(20, 10), (40, 5)]
    assert all(row.fps > 0 and (row.peak_mib or 0) > 0 for row in figures.growth)
    assert json.loads(figures.to_json())["films"][0]["frames"] == 48
    assert any("whole" in line for line in lines)
