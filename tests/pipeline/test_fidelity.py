"""Every kind of film that archives have, through the whole way: luma, time and sound are the film's own."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from c2e_video.video.decode.decoder import decode, probe
from c2e_video.video.encode import EncodeSettings
from tests.formats_page import WORDS, with_words
from tests.media import luma_frames, packets, picture_digests, write_film
from tests.video.decoding import interlaced
from tests.video.muxing import picture_times, tracks

BT601 = {"color_range": 1, "colorspace": 5, "color_trc": 6, "color_primaries": 5}
BT709 = {"color_range": 1, "colorspace": 1, "color_trc": 1, "color_primaries": 1}
BT2020 = {"color_range": 1, "colorspace": 9, "color_trc": 14, "color_primaries": 9}
B_FRAMES = {"b_frames": 2, "codec": "libx264"}
HOLES = [40, 41, 43, 44, 60, 61, 62, 64, 90, 91]


def raw(pixel_format: str, codec: str = "rawvideo", suffix: str = ".nut") -> dict[str, Any]:
    return {"suffix": suffix, "codec": codec, "pixel_format": pixel_format, "frames": 4}


# Films by what is special about them: arguments of write_film, and the suffix.
FILMS: dict[str, dict[str, Any]] = {
    "18 fps": {"rate": 18},
    "23.976 fps": {"rate": Fraction(24000, 1001), "audio": "aac"},
    "25 fps": {"rate": 25},
    "29.97 fps": {"rate": Fraction(30000, 1001), "audio": "aac", **B_FRAMES},
    "variable rate with holes, a late first pts": {"pts": HOLES, "time_base": Fraction(1, 90)},
    "negative pts and dts": {"pts": range(-3, 5), "time_base": Fraction(1, 25), **B_FRAMES},
    "negative composition offsets": {
        **B_FRAMES,
        "audio": "aac",
        "container_options": {"movflags": "negative_cts_offsets"},
    },
    "yuv422p": raw("yuv422p", "ffv1", ".mkv"),
    "yuv444p": raw("yuv444p", "ffv1", ".mkv"),
    "yuvj420p": raw("yuvj420p", "mjpeg", ".avi"),
    "gray": raw("gray", "ffv1", ".mkv"),
    "gray10le": raw("gray10le", "ffv1", ".mkv"),
    "gray12le": raw("gray12le", "ffv1", ".mkv"),
    "yuv420p10le": raw("yuv420p10le", "ffv1", ".mkv"),
    "yuv422p12le": raw("yuv422p12le", "ffv1", ".mkv"),
    "nv12": raw("nv12"),
    "rgb24": raw("rgb24"),
    "gbrp": raw("gbrp"),
    "pal8": raw("pal8"),
    "one pixel": {"suffix": ".mkv", "codec": "ffv1", "size": (1, 1), "frames": 3},
    "4096 wide": {"suffix": ".mkv", "codec": "ffv1", "size": (4096, 17), "frames": 2},
    "odd sizes": {"suffix": ".mkv", "codec": "ffv1", "size": (35, 21), "frames": 3},
    "bt601": {"color": BT601},
    "bt709": {"color": BT709},
    "bt2020": {"suffix": ".mkv", "color": BT2020},
    "untagged": {"color": {}},
    "avi": {"suffix": ".avi", "audio": "pcm_s16le"},
    "mov": {"suffix": ".mov", "audio": "pcm_s24le", **B_FRAMES},
    "mpg": {"suffix": ".mpg", "audio": "mp2", "b_frames": 2},
    "vob": {"suffix": ".vob", "codec": "mpeg2video", "audio": "ac3", "b_frames": 2},
    "ts": {"suffix": ".ts", "audio": "libmp3lame", "b_frames": 2},
    "webm": {"suffix": ".webm", "audio": "opus"},
    "ogv": {"suffix": ".ogv", "codec": "libvpx", "audio": "opus"},
    "no sound": {},
}


@pytest.mark.parametrize("kind", FILMS)
def test_luma_time_and_sound(tmp_path: Path, reference: Path, quick: Options, kind: str) -> None:
    how = {"suffix": ".mp4", "frames": len(FILMS[kind].get("pts", range(6))), **FILMS[kind]}
    film = write_film(tmp_path / f"film{how.pop('suffix')}", **how)
    assert_kept(film, painted(film, tmp_path / "out.mkv", reference, quick))


def painted(film: Path, output: Path, reference: Path, options: Options) -> Path:
    lossless = replace(options, encode=EncodeSettings("ffv1"))
    return colorize_video(film, output, references=reference, options=lossless).output


def assert_kept(film: Path, output: Path) -> None:
    """Luma bit for bit, times to Matroska's millisecond, sound byte for byte, tags as they were read."""
    before, after = probe(film), probe(output)
    frames = list(decode(film, before))
    for frame, y in zip(frames, luma_frames(output), strict=True):
        np.testing.assert_array_equal(frame.luma, y)
    half = Fraction(1, 2000)
    for frame, at in zip(frames, picture_times(output), strict=True):
        assert abs(frame.pts * before.time_base - at) <= half
    plain = picture_times(film)
    if len(plain) == len(frames):
        assert [frame.pts * before.time_base for frame in frames] == plain
    tags = ("bit_depth", "full_range", "matrix", "transfer", "primaries")
    for tag in (*tags, "width", "height", "sample_aspect_ratio", "rotation"):
        assert getattr(after, tag) == getattr(before, tag), tag
    for old, new in zip(tracks(film, "audio"), tracks(output, "audio"), strict=True):
        assert [data for _, data in old] == [data for _, data in new]
        assert max(abs(a - b) for (a, _), (b, _) in zip(old, new, strict=True)) <= half


def test_an_edit_list_that_begins_late(tmp_path: Path, reference: Path, quick: Options) -> None:
    """What an editor cut off at the front stays cut off, and the sound stays with the picture."""
    film = write_film(tmp_path / "film.mp4", 20, audio="aac", rate=25)
    whole = picture_digests(film)
    data = bytearray(film.read_bytes())
    at = data.index(b"elst") + 16  # the first track's: version, count, duration, then media time
    with av.open(str(film)) as opened:
        base = opened.streams.video[0].time_base
    assert base is not None
    data[at : at + 4] = round(5 / (25 * base)).to_bytes(4, "big")
    film.write_bytes(data)
    assert [digest for _, digest in picture_digests(film)] == [d for _, d in whole[5:]]
    output = painted(film, tmp_path / "out.mkv", reference, quick)
    assert len(luma_frames(output)) == 15
    assert_kept(film, output)


@pytest.mark.parametrize("mode", ["off", "auto", "on"])
def test_interlaced(tmp_path: Path, reference: Path, quick: Options, mode: Any) -> None:
    film = interlaced(tmp_path / "film.mkv", gop=9)
    output = painted(film, tmp_path / "out.mkv", reference, replace(quick, deinterlace=mode))
    info = probe(film)
    wanted = list(decode(film, info, deinterlace=mode))
    for frame, y in zip(wanted, luma_frames(output), strict=True):
        np.testing.assert_array_equal(frame.luma, y)
    woven = [frame.luma for frame in decode(film, info)]
    same = [np.array_equal(frame.luma, y) for frame, y in zip(wanted, woven, strict=True)]
    assert all(same) is (mode == "off")
    notes = json.loads((tmp_path / "out.mkv.json").read_text())["notes"]
    assert any("is interlaced" in note for note in notes) is (mode == "off")


@pytest.mark.parametrize("codec", ["ass", "hdmv_pgs_subtitle", "dvd_subtitle"])
def test_subtitles_that_are_pictures_or_styled_are_copied(
    tmp_path: Path, reference: Path, quick: Options, codec: str
) -> None:
    plain = write_film(tmp_path / "plain.mkv", 4)
    film = with_words(plain, codec, WORDS[codec])
    output = painted(film, tmp_path / "out.mkv", reference, quick)
    assert packets(output, "subtitle") == packets(film, "subtitle")
    with av.open(str(film)) as before, av.open(str(output)) as after:
        old, new = before.streams.subtitles[0], after.streams.subtitles[0]
        assert (old.codec_context.name, old.codec_context.extradata) == (
            new.codec_context.name,
            new.codec_context.extradata,
        )


def test_shape_and_rotation(tmp_path: Path, reference: Path, quick: Options) -> None:
    film = write_film(tmp_path / "film.mp4", 4, sar=Fraction(16, 15), rotation=90)
    assert_kept(film, painted(film, tmp_path / "out.mkv", reference, quick))
    info = probe(film)
    assert (info.sample_aspect_ratio, info.rotation) == (Fraction(16, 15), 90)
