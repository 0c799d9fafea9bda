"""Frames, sound and text keep their times in every container."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from c2e_video.video.decode.decoder import decode, probe
from c2e_video.video.encode import EncodeSettings
from c2e_video.video.mux import mux, plan_mux
from tests import media
from tests.video.muxing import (
    B_FRAMES,
    FFV1,
    H264,
    NTSC,
    UNEVEN,
    _part,
    assert_same_sound,
    finish,
    picture_times,
    tracks,
)


@pytest.mark.parametrize("first", [0, 88211, -4004])
@pytest.mark.parametrize(
    ("how", "suffix"),
    [
        (EncodeSettings("h264", preset="medium"), ".mp4"),
        (EncodeSettings("h265", preset="ultrafast"), ".mov"),
        (EncodeSettings("prores"), ".mov"),
        (EncodeSettings("av1", preset="12"), ".mp4"),
    ],
    ids=lambda value: value.codec if isinstance(value, EncodeSettings) else value,
)
def test_time_is_exact_in_mp4_and_mov(
    tmp_path: Path, how: EncodeSettings, suffix: str, first: int
) -> None:
    source = media.write_film(
        tmp_path / "film.mp4",
        len(UNEVEN),
        pts=[first + at for at in UNEVEN],
        audio="aac",
        **NTSC,
        **B_FRAMES,
    )
    output = tmp_path / f"out{suffix}"
    finish(source, output, how, parts=3)
    assert picture_times(output) == picture_times(source)
    assert_same_sound(source, output)


@pytest.mark.parametrize("how", [H264, FFV1], ids=["h264", "ffv1"])
def test_time_in_matroska_is_exact_to_its_clock(tmp_path: Path, how: EncodeSettings) -> None:
    source = media.write_film(
        tmp_path / "film.mp4", len(UNEVEN), pts=UNEVEN, audio="aac", **NTSC, **B_FRAMES
    )
    output = tmp_path / "out.mkv"
    finish(source, output, how, parts=2)
    half = Fraction(1, 2000)
    for old, new in zip(picture_times(source), picture_times(output), strict=True):
        assert abs(old - new) <= half
    assert_same_sound(source, output, within=half)


@pytest.mark.parametrize("suffix", [".mkv", ".avi", ".ts", ".mov", ".nut"])
def test_time_is_exact_whatever_the_source(tmp_path: Path, suffix: str) -> None:
    source = media.write_film(
        tmp_path / f"film{suffix}", 8, rate=Fraction(30000, 1001), audio="libmp3lame"
    )
    output = tmp_path / "out.mp4"
    finish(source, output)
    rounding = Fraction(1, 2000) if suffix == ".mkv" else 0
    for old, new in zip(picture_times(source), picture_times(output), strict=True):
        assert abs(old - new) <= rounding
    assert_same_sound(source, output, within=Fraction(1, 2 * 48000))


def test_parts_join_to_what_one_part_gives(tmp_path: Path) -> None:
    source = media.write_film(tmp_path / "film.mp4", len(UNEVEN), pts=UNEVEN, **NTSC)

    def digests(parts: int) -> list[str]:
        output = tmp_path / f"out{parts}.mkv"
        finish(source, output, FFV1, parts)
        with av.open(str(output)) as film:
            return [
                hashlib.sha256(b"".join(map(bytes, frame.planes))).hexdigest()
                for frame in film.decode(video=0)
            ]

    whole = digests(1)
    assert len(whole) == len(UNEVEN)
    assert digests(4) == whole
    luma = media.luma_frames(tmp_path / "out4.mkv")
    for got, given in zip(luma, media.luma_frames(source), strict=True):
        np.testing.assert_array_equal(got, given)


def test_decoding_order_is_sound(tmp_path: Path) -> None:
    source = media.write_film(tmp_path / "film.mp4", len(UNEVEN), pts=UNEVEN, **NTSC)
    output = tmp_path / "out.mp4"
    finish(source, output, EncodeSettings("h264", preset="medium"), parts=3)
    found = media.packets(output, "video")
    decoding = [packet.dts for packet in found if packet.dts is not None]
    assert decoding == sorted(set(decoding))
    assert all(packet.dts <= packet.pts for packet in found)  # type: ignore[operator]
    assert [packet.pts for packet in found] != sorted(packet.pts or 0 for packet in found)


@pytest.mark.parametrize(
    ("steps", "hold"),
    [
        pytest.param([40] * 7, 2000, id="a hold on the last frame"),
        pytest.param([40] * 9 + [10000, 10000], 40, id="gaps at the end"),
        pytest.param([4000] + [40] * 7, 2000, id="a long first frame"),
        pytest.param([40, 40, 3000, 40, 40, 40, 40], 500, id="a hole"),
    ],
)
def test_a_films_length_is_kept_in_mp4(tmp_path: Path, steps: list[int], hold: int) -> None:
    """The packet decoded last is not the last one shown, and mp4 takes the film's length from it."""
    pts = [0, *np.cumsum(steps).tolist()]
    base = Fraction(1, 1000)
    source = media.write_film(tmp_path / "film.mkv", len(pts), pts=pts, time_base=base, b_frames=2)
    info = probe(source)
    frames = list(decode(source, info))
    last = replace(frames[-1], duration=hold)
    part = _part(tmp_path / "part.mp4", info, H264, [*frames[:-1], last])
    mux(plan_mux(source, tmp_path / "out.mp4", info, H264), [part], tmp_path / "out.mp4", {})
    wanted = (pts[-1] + hold) / 1000
    with av.open(str(tmp_path / "out.mp4")) as film:
        assert film.duration is not None
        assert film.duration / av.time_base == pytest.approx(wanted, abs=0.01)
        stream = film.streams.video[0]
        assert stream.duration is not None
        assert stream.time_base is not None
        assert float(stream.duration * stream.time_base) == pytest.approx(wanted, abs=0.01)
    assert picture_times(tmp_path / "out.mp4") == [Fraction(at, 1000) for at in pts]


def test_stereo_in_no_told_order_goes_into_mp4(tmp_path: Path) -> None:
    source, output = tmp_path / "film.mkv", tmp_path / "out.mp4"
    gray = media.write_film(tmp_path / "gray.mkv", 5)
    with av.open(str(gray)) as film, av.open(str(source), "w") as copy:
        picture = copy.add_stream_from_template(film.streams.video[0], opaque=True)
        sound = copy.add_stream("pcm_s16le", rate=48000, layout="stereo")
        samples = np.arange(9600, dtype=np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, "s16", "stereo")
        frame.sample_rate, frame.pts = 48000, 0
        for packet in film.demux(video=0):
            if packet.size:
                packet.stream = picture
                copy.mux(packet)
        copy.mux(sound.encode(frame))
    with av.open(str(source)) as film:
        assert film.streams.audio[0].codec_context.layout.name == "2 channels"
    finish(source, output)
    before, after = (b"".join(d for _, d in tracks(path, "audio")[0]) for path in (source, output))
    assert before == after == samples.tobytes()


def test_sound_that_an_edit_list_hides_does_not_come_back(tmp_path: Path) -> None:
    source = media.write_film(tmp_path / "film.mp4", 50, rate=25, audio="aac")
    data = bytearray(source.read_bytes())
    for _, at in zip(range(2), re.finditer(b"elst", bytes(data)), strict=True):
        place = at.end() + 12  # version, count, duration, then media time
        begun = int.from_bytes(data[place : place + 4], "big")
        with av.open(str(source)) as film:
            base = film.streams[0 if at.start() == data.index(b"elst") else 1].time_base
        assert base is not None
        data[place : place + 4] = (begun + round(Fraction(2, 5) / base)).to_bytes(4, "big")
    source.write_bytes(data)
    finish(source, tmp_path / "out.mkv")
    (sound,) = tracks(tmp_path / "out.mkv", "audio")
    assert -0.06 < sound[0][0] <= 0  # what a decoder needs to begin
    assert sound[-1][0] > 1.5


def test_a_window_begins_at_zero(tmp_path: Path) -> None:
    source = media.write_film(
        tmp_path / "film.mp4",
        50,
        rate=25,
        audio="aac",
        chapters=[(0, 0.5, "One"), (0.5, 2, "Two")],
        subtitles=[(0.1, 0.6, "early"), (1.0, 1.2, "late")],
        metadata={"timecode": "01:00:00:00"},
    )
    info = probe(source)
    ticks = int(1 / info.time_base / 25)
    output = tmp_path / "out.mp4"
    plan = finish(source, output, window=(10 * ticks, 30 * ticks))
    assert picture_times(output) == [Fraction(k, 25) for k in range(20)]
    (sound,) = tracks(output, "audio")
    wanted = [(at - Fraction(2, 5), data) for at, data in tracks(source, "audio")[0]]
    assert sound == [(at, data) for at, data in wanted if 0 <= at < Fraction(4, 5)]
    (words,) = tracks(output, "subtitle")
    assert [(float(at), text[2:]) for at, text in words if text[2:]] == [
        (0, b"early"),
        (0.6, b"late"),
    ]
    with av.open(str(output)) as film:
        spans = [(c["start"] * c["time_base"], c["end"] * c["time_base"]) for c in film.chapters()]  # type: ignore[operator]
        assert "timecode" not in film.streams.video[0].metadata
    assert spans == [(0, Fraction(1, 10)), (Fraction(1, 10), Fraction(4, 5))]
    assert any("timecode" in note for note in plan.notes)


def test_a_broadcast_begins_at_zero_and_says_so(tmp_path: Path) -> None:
    ten_hours = 36000 * 90000
    source = media.write_film(
        tmp_path / "film.ts",
        5,
        pts=[ten_hours + 3600 * k for k in range(5)],
        time_base=Fraction(1, 90000),
    )
    plan = finish(source, tmp_path / "out.mp4")
    assert picture_times(tmp_path / "out.mp4") == [Fraction(k, 25) for k in range(5)]
    assert plan.notes == ("the film's clock begins at 36000.000 s, the output's at 0",)


def wrapping(path: Path, seconds: Fraction, audio: bool) -> Path:
    """A broadcast whose clock of 33 bits wraps so long after its beginning: FFmpeg reads it as negative."""
    plain = media.write_film(path.with_name("plain.ts"), 50, audio="mp2" if audio else None)
    first = (1 << 33) - round(seconds * 90000)
    with (
        av.open(str(plain)) as film,
        av.open(str(path), "w", container_options={"mpegts_copyts": "1"}) as copy,
    ):
        streams = [copy.add_stream_from_template(s, opaque=True) for s in film.streams]
        for packet in film.demux():
            if packet.size and packet.pts is not None and packet.dts is not None:
                packet.pts, packet.dts = packet.pts + first, packet.dts + first
                packet.stream = streams[packet.stream.index]
                copy.mux(packet)
    return path


@pytest.mark.parametrize("audio", [False, True], ids=["silent", "with sound"])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_a_clock_that_begins_before_zero_loses_no_frame(
    tmp_path: Path, suffix: str, audio: bool
) -> None:
    source = wrapping(tmp_path / "film.ts", Fraction(1), audio)
    before = picture_times(source)
    assert before[0] < -Fraction(4, 5)
    output = tmp_path / f"out{suffix}"
    plan = finish(source, output, parts=2)
    after = picture_times(output)
    with av.open(str(source)) as film:
        start = Fraction(film.start_time or 0, av.time_base)
    assert len(after) == len(before)
    half = Fraction(1, 2000)
    assert all(abs(b - (a - start)) <= half for a, b in zip(before, after, strict=True))
    if audio:
        (old,), (new,) = tracks(source, "audio"), tracks(output, "audio")
        assert [data for _, data in new] == [data for _, data in old]
        assert all(abs(b - (a - start)) <= half for (a, _), (b, _) in zip(old, new, strict=True))
    assert any(note.startswith("the film's clock begins at -") for note in plan.notes)
