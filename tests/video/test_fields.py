"""Interlaced film: its flag and the order of its fields are kept while both fields stay in a frame."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.codec.context import Flags

from c2e_video.video.decode.decoder import decode, probe
from c2e_video.video.encode import Codec, EncodeSettings
from c2e_video.video.filters import video_filter
from tests import media
from tests.video.muxing import finish, picture_times

SIZE = (64, 48)


def interlaced(path: Path, first: str, codec: str = "libx264", size: Any = SIZE) -> Path:
    """Eight frames flagged "tff" or "bff"."""
    options = {"qp": "0", "preset": "veryfast"} if codec == "libx264" else {}
    pixel_format = "yuv422p10le" if codec == "prores_ks" else "yuv420p"
    with av.open(str(path), "w") as output:
        video: Any = output.add_stream(codec, rate=25, options=options)
        video.width, video.height = size
        video.pix_fmt = pixel_format
        video.codec_context.flags |= Flags.interlaced_dct
        video.codec_context.field_order = 2 if first == "tff" else 3
        graph = video_filter(
            pixel_format, size[0], size[1], Fraction(1, 25), "setfield", f"mode={first}"
        )
        for index in range(8):
            depth = 10 if "10" in pixel_format else 8
            y = media.luma(index, size=size, bit_depth=depth)
            frame = media.picture(y, pixel_format)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            graph.vpush(frame)
            output.mux(video.encode(graph.vpull()))
        output.mux(video.encode())
    return path


@pytest.mark.parametrize("first", ["tff", "bff"])
@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        (".mp4", "libx264"),
        (".mkv", "libx264"),
        (".ts", "libx264"),
        (".mpg", "mpeg2video"),
        (".mov", "prores_ks"),
        (".mkv", "ffv1"),
    ],
)
def test_probe_tells_the_order_of_the_fields(
    tmp_path: Path, suffix: str, codec: str, first: str
) -> None:
    info = probe(interlaced(tmp_path / f"film{suffix}", first, codec))
    assert (info.interlaced, info.top_field_first) == (True, first == "tff")


def test_dv_begins_with_the_bottom_field(tmp_path: Path) -> None:
    size = (720, 576)
    frames = [media.picture(media.luma(k, size=size)) for k in range(2)]
    film = media.write_film(tmp_path / "tape.avi", codec="dvvideo", pictures=frames)
    assert (probe(film).interlaced, probe(film).top_field_first) == (True, False)


@pytest.mark.parametrize("first", ["tff", "bff"])
@pytest.mark.parametrize(
    ("output", "codec"),
    [
        ("out.mp4", "h264"),
        ("out.mov", "h264"),
        ("out.mkv", "h264"),
        ("out.mov", "prores"),
        ("out.mkv", "prores"),
        ("out.mkv", "ffv1"),
    ],
)
def test_a_film_that_stays_interlaced_says_so(
    tmp_path: Path, output: str, codec: Codec, first: str
) -> None:
    source = interlaced(tmp_path / "film.mkv", first)
    settings = EncodeSettings(codec, preset="veryfast" if codec == "h264" else None)
    plan = finish(source, tmp_path / output, settings, parts=2)
    info = probe(tmp_path / output)
    assert (info.interlaced, info.top_field_first) == (True, first == "tff")
    assert picture_times(tmp_path / output) == picture_times(source)
    word = "top" if first == "tff" else "bottom"
    assert any(f"is interlaced and stays so, {word} field first" in note for note in plan.notes)
    if output.endswith(".mkv"):
        with av.open(str(tmp_path / output)) as film:
            assert film.streams.video[0].codec_context.field_order == (2 if first == "tff" else 3)
    if output.endswith("prores.mov"):
        assert b"fiel" in (tmp_path / output).read_bytes()
    for got, given in zip(
        decode(tmp_path / output, info), decode(source, probe(source)), strict=True
    ):
        shift = info.bit_depth - 8
        if codec != "h264" and codec != "prores":
            np.testing.assert_array_equal(got.luma >> shift, given.luma)


@pytest.mark.parametrize(("codec", "height"), [("h265", 48), ("av1", 48), ("h264", 50)])
def test_where_the_order_is_lost_it_is_said(tmp_path: Path, codec: Codec, height: int) -> None:
    source = interlaced(tmp_path / "film.mkv", "tff", "ffv1", (64, height))
    presets = {"h265": "ultrafast", "av1": "12", "h264": "veryfast"}
    plan = finish(source, tmp_path / "out.mp4", EncodeSettings(codec, preset=presets[codec]))
    assert any(f"is interlaced, which {codec} of this size does not say" in n for n in plan.notes)
    assert not probe(tmp_path / "out.mp4").interlaced


def test_a_progressive_film_is_not_flagged(tmp_path: Path) -> None:
    source = media.write_film(tmp_path / "film.mkv", 5)
    plan = finish(source, tmp_path / "out.mp4")
    assert not probe(tmp_path / "out.mp4").interlaced
    assert not any("interlaced" in note for note in plan.notes)
    assert replace(probe(source), interlaced=True).top_field_first
