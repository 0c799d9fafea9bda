"""DNxHR in mov and mxf: depth, range, sound, timecode and rate."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from c2e_video.errors import MediaError
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from c2e_video.video.decode.decoder import decode, probe
from c2e_video.video.encode import EncodeSettings, picture_format
from c2e_video.video.frames import Crop
from c2e_video.video.mux import check_times, mux, plan_mux
from tests.factories import video_info
from tests.media import luma_frames, write_film
from tests.video.muxing import hiding_borders, paint

DNXHR = EncodeSettings("dnxhr")
SIZE = (320, 240)


@pytest.mark.parametrize("suffix", [".mov", ".mxf"])
@pytest.mark.parametrize(
    ("form", "depth", "full", "error"),
    [
        ("yuv420p", 8, False, 8),
        ("yuv420p10le", 10, False, 32),
        ("yuvj420p", 8, True, 8),
    ],
)
def test_luma_depth_and_range(
    tmp_path: Path, suffix: str, form: str, depth: int, full: bool, error: int
) -> None:
    source = write_film(
        tmp_path / "film.mov",
        5,
        size=SIZE,
        pixel_format=form,
        audio="pcm_s16le",
        metadata={"timecode": "01:00:00:00"},
    )
    info, output = probe(source), tmp_path / f"out{suffix}"
    plan = plan_mux(source, output, info, DNXHR)
    mux(plan, paint(source, DNXHR), output, {})
    found = probe(output)
    assert (found.bit_depth, found.full_range, found.frame_rate) == (depth, full, Fraction(25))
    for frame, y in zip(decode(output, found), luma_frames(source), strict=True):
        assert np.abs(frame.luma.astype(int) - y).max() <= error  # DNxHR is lossy
    with av.open(str(output)) as film, av.open(str(source)) as before:
        codec: Any = film.streams.video[0].codec_context
        assert codec.name == "dnxhd"
        assert codec.profile == ("DNXHR HQ" if depth == 8 else "DNXHR HQX")
        timecodes = {**film.metadata, **film.streams.video[0].metadata}
        assert timecodes["timecode"] == "01:00:00:00"
        sound, original = (
            np.concatenate([f.to_ndarray() for f in file.decode(audio=0)], axis=1)
            for file in (film, before)
        )
    np.testing.assert_array_equal(sound, original)


def test_small_and_deep_pictures_are_refused() -> None:
    with pytest.raises(MediaError, match="dnxhr needs pictures of at least 256x120, got 64x48"):
        picture_format(video_info(64, 48), DNXHR)
    with pytest.raises(MediaError, match="12-bit luma, which dnxhr cannot hold; use codec h265"):
        picture_format(video_info(640, 480, 12), DNXHR)


def test_mxf_refuses_what_it_cannot_hold(tmp_path: Path) -> None:
    source = write_film(tmp_path / "film.mov", 3, size=SIZE, audio="aac")
    with pytest.raises(MediaError, match=r"which mxf cannot hold; write to \.mov"):
        plan_mux(source, tmp_path / "out.mxf", probe(source), DNXHR)
    plan = plan_mux(source, tmp_path / "out.mxf", probe(source), DNXHR, audio="pcm")
    assert "is encoded as pcm" in " ".join(plan.notes)


@pytest.mark.parametrize(
    ("pts", "words"),
    [
        ([*range(0, 1000, 40), 1080, 1120], "not those of one frame rate, which mxf needs"),
        ([n * 62 for n in range(8)], r"frames a second, which mxf cannot hold .*; write to \.mov"),
    ],
)
def test_times_that_mxf_cannot_hold(
    tmp_path: Path, reference: Path, quick: Options, pts: list[int], words: str
) -> None:
    base = Fraction(1, 1000)
    source = write_film(
        tmp_path / "film.mkv", len(pts), SIZE, codec="ffv1", pts=pts, time_base=base
    )
    options = Options(**{**vars(quick), "encode": DNXHR})
    with pytest.raises(MediaError, match=words):
        colorize_video(source, tmp_path / "out.mxf", references=reference, options=options)
    assert not (tmp_path / "out.mxf").exists()


def test_rounded_times_are_of_one_rate(tmp_path: Path) -> None:
    """As Matroska has them, in milliseconds."""
    ntsc, pts = Fraction(24000, 1001), [round(n * 1001 / 24) for n in range(40)]
    source = write_film(
        tmp_path / "film.mkv",
        40,
        size=SIZE,
        codec="ffv1",
        pts=pts,
        time_base=Fraction(1, 1000),
        rate=ntsc,
    )
    output = tmp_path / "out.mxf"
    plan = plan_mux(source, output, probe(source), DNXHR)
    assert check_times(plan, pts) == []
    mux(plan, paint(source, DNXHR), output, {})
    found = probe(output)
    assert found.frame_rate == ntsc
    times = [frame.pts * found.time_base for frame in decode(output, found)]
    assert times == [n / ntsc for n in range(40)]


@pytest.mark.parametrize("suffix", [".mov", ".mxf"])
def test_a_crop_is_kept_in_mov_and_named_in_mxf(tmp_path: Path, suffix: str) -> None:
    plain = write_film(tmp_path / "plain.mp4", 3, SIZE)
    crop = Crop(left=8, top=2, right=8, bottom=2)
    source = hiding_borders(plain, tmp_path / "film.mov", crop)
    info, output = probe(source), tmp_path / f"out{suffix}"
    assert info.crop == crop
    plan = plan_mux(source, output, info, DNXHR)
    mux(plan, paint(source, DNXHR), output, {})
    named = any("does not keep what the film hides" in note for note in plan.notes)
    assert (named, probe(output).crop) == ((True, None) if suffix == ".mxf" else (False, crop))
    assert len(list(decode(output, probe(output)))) == 3
