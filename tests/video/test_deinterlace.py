"""Deinterlacing keeps the count and the times of frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from c2e_video.video.decode.decoder import decode, probe
from c2e_video.video.frames import Frame
from tests.media import (
    luma,
    video_pts,
    write_film,
)
from tests.video.decoding import frames_of, interlaced, same


def combing(frame: Frame) -> float:
    """How much neighbouring lines differ from how every second line does."""
    y = frame.luma.astype(float)
    return float(np.abs(y[1:-1] - (y[:-2] + y[2:]) / 2).mean())


@pytest.mark.parametrize("mode", ["on", "auto"])
def test_deinterlacing_keeps_count_and_time(tmp_path: Path, mode: Any) -> None:
    film = interlaced(tmp_path / "f.mkv", gop=9, b_frames=2)
    assert probe(film).interlaced
    before, after = frames_of(film), frames_of(film, deinterlace=mode)
    assert [f.pts for f in before] == [f.pts for f in after] == video_pts(film)
    assert [f.duration for f in before] == [f.duration for f in after]
    assert sum(map(combing, after)) < 0.7 * sum(map(combing, before))
    for first in (0, 1, 9, 14, 29):
        assert same(frames_of(film, deinterlace=mode, start=after[first].pts), after[first:])


def test_progressive_film_is_left_alone_by_auto_only(tmp_path: Path) -> None:
    film = write_film(tmp_path / "f.mkv")
    off, auto, on = (frames_of(film, deinterlace=mode) for mode in ("off", "auto", "on"))
    assert same(off, auto)
    assert not same(off, on)
    assert len(on) == len(off)


def test_unflagged_frames_pass_untouched_at_any_depth(tmp_path: Path) -> None:
    """A film that says it is interlaced, of frames that do not."""
    for form, depth in (("yuv420p10le", 10), ("gray10le", 10), ("gray", 8), ("yuv422p12le", 12)):
        film = write_film(
            tmp_path / f"{form}.mkv",
            4,
            codec="ffv1",
            pixel_format=form,
            options={"field_order": "tt"},
        )
        assert probe(film).interlaced
        for index, frame in enumerate(frames_of(film, deinterlace="auto")):
            assert np.array_equal(frame.luma, luma(index, bit_depth=depth)), form


def test_an_unknown_way_to_deinterlace_is_refused(tmp_path: Path) -> None:
    film = write_film(tmp_path / "f.mkv", 1)
    with pytest.raises(ValueError, match="auto"):
        decode(film, probe(film), deinterlace="yes")  # type: ignore[arg-type]
