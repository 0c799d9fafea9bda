"""The finished film: its time, and everything else that the source had."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition, Stream

from c2e_video.errors import MediaError
from c2e_video.video.decode.decoder import decode, probe
from c2e_video.video.encode import Codec, Encoder, EncodeSettings, Part, part_suffix, settings_for
from c2e_video.video.frames import ColorBatch, Frame, FrameBatch, Shot, VideoInfo
from c2e_video.video.mux import MuxPlan, mux, plan_mux
from tests import media

B_FRAMES: dict[str, Any] = {"options": {"qp": "-1", "crf": "30", "preset": "medium"}, "b_frames": 3}
UNEVEN = [0, 1001, 2002, 3003, 5005, 6006, 30030, 31031, 32032, 33033, 34034, 36036]
UNEVEN += [36036 + 1001 * k for k in range(1, 13)]
NTSC: dict[str, Any] = {"time_base": Fraction(1, 24000), "rate": Fraction(24000, 1001)}
H264 = EncodeSettings("h264", preset="veryfast")
FFV1 = EncodeSettings("ffv1")


def paint(
    source: Path, how: EncodeSettings, parts: int = 1, window: Any = (None, None)
) -> list[Part]:
    """The film's frames with made-up chroma, in so many parts beside it."""
    info = probe(source)
    start, stop = window
    frames = list(decode(source, info, start=start, stop=stop))
    length = -(-len(frames) // parts)
    return [
        _part(source.with_name(f"part{k}{part_suffix(how)}"), info, how, frames[k : k + length])
        for k in range(0, len(frames), length)
    ]


def _part(path: Path, info: VideoInfo, how: EncodeSettings, frames: Sequence[Frame]) -> Part:
    with Encoder(path, info, how) as encoder:
        sx, sy = encoder.picture.subsampling
        shape = (len(frames), -(-info.height // sy), -(-info.width // sx))
        depth = encoder.picture.bit_depth
        chroma = np.full(shape, 100 << (depth - 8), np.uint8 if depth == 8 else np.uint16)
        shot = Shot(0, frames[0].pts, frames[-1].pts + 1)
        encoder.write(ColorBatch(FrameBatch(tuple(frames), shot), chroma, chroma))
        return encoder.close()


def finish(
    source: Path,
    output: Path,
    how: EncodeSettings = H264,
    parts: int = 1,
    drop: frozenset[str] = frozenset(),
    window: Any = (None, None),
    **metadata: str,
) -> MuxPlan:
    plan = plan_mux(source, output, probe(source), how, drop, window=window)
    mux(plan, paint(source, how, parts, window), output, metadata)
    return plan


def picture_times(path: Path) -> list[Fraction]:
    with av.open(str(path)) as film:
        return [
            f.pts * f.time_base for f in film.decode(video=0) if f.pts is not None and f.time_base
        ]


def tracks(path: Path, kind: str) -> list[list[tuple[Fraction, bytes]]]:
    """For every stream of a kind, its packets' times in seconds and bytes."""
    with av.open(str(path)) as film:
        found: dict[int, list[tuple[Fraction, bytes]]] = {
            s.index: [] for s in film.streams if s.type == kind
        }
        for packet in film.demux():
            if packet.size and packet.stream.index in found and packet.pts is not None:
                at = packet.pts * Fraction(packet.time_base)
                found[packet.stream.index].append((at, bytes(packet)))
    return list(found.values())


def assert_same_sound(source: Path, output: Path, within: Fraction = Fraction(0)) -> None:
    before, after = tracks(source, "audio"), tracks(output, "audio")
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        assert [data for _, data in old] == [data for _, data in new]
        assert max(abs(a - b) for (a, _), (b, _) in zip(old, new, strict=True)) <= within


# -- time ------------------------------------------------------------------------------------------


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


# -- everything else -------------------------------------------------------------------------------


def rich_film(path: Path) -> Path:
    return media.write_film(
        path,
        30,
        audio=["aac", "ac3"],
        languages=["fra", "eng"],
        chapters=[(0, 0.4, "One"), (0.4, 1.2, "Two")],
        metadata={"title": "The film", "artist": "Somebody"},
        sar=Fraction(16, 15),
        rotation=90,
        color={"color_range": 1, "colorspace": 1, "color_trc": 1, "color_primaries": 1},
        **B_FRAMES,
    )


@pytest.mark.parametrize(
    ("source", "output", "codec"),
    [
        ("film.mp4", "out.mp4", "h264"),
        ("film.mp4", "out.mov", "prores"),
        ("film.mp4", "out.mkv", "ffv1"),
        ("film.mkv", "out.mkv", "av1"),
        ("film.mkv", "out.mp4", "h265"),
        ("film.mov", "out.mp4", "av1"),
    ],
)
def test_everything_is_kept(tmp_path: Path, source: str, output: str, codec: Codec) -> None:
    presets = {"h264": "veryfast", "h265": "ultrafast", "av1": "12"}
    original = rich_film(tmp_path / source)
    made = tmp_path / output
    finish(original, made, EncodeSettings(codec, preset=presets.get(codec)), 2, comment="ours")
    with av.open(str(made)) as film:
        assert [s.type for s in film.streams if s.type != "data"] == ["video", "audio", "audio"]
        assert film.metadata["title"] == "The film"
        fields = {key.lower(): value for key, value in film.metadata.items()}
        assert (fields["artist"], fields["comment"]) == ("Somebody", "ours")
        chapters = [
            (c["start"] * c["time_base"], c["end"] * c["time_base"], c["metadata"]["title"])  # type: ignore[operator]
            for c in film.chapters()
        ]
        assert chapters == [(0, Fraction(2, 5), "One"), (Fraction(2, 5), Fraction(6, 5), "Two")]
        assert [s.metadata["language"] for s in film.streams.audio] == ["fra", "eng"]
        video = film.streams.video[0]
        assert video.sample_aspect_ratio == Fraction(16, 15)
        frame = next(film.decode(video))
    assert frame.rotation == 90
    tags = frame.colorspace, frame.color_range, frame.color_trc, frame.color_primaries
    assert tags == (1, 1, 1, 1)
    assert_same_sound(original, made, within=Fraction(1, 2000))


def test_quicktime_is_told_a_language_by_the_code_it_knows(tmp_path: Path) -> None:
    source = media.write_film(tmp_path / "film.mp4", 5, audio="aac", languages=["deu"])
    plan = finish(source, tmp_path / "out.mov")
    assert plan.notes == ()
    with av.open(str(tmp_path / "out.mov")) as film:
        assert film.streams.audio[0].metadata["language"] == "ger"


def remuxed(path: Path, change: Any, source: Path) -> Path:
    """A copy of a film with something changed in its streams."""
    with av.open(str(source)) as film, av.open(str(path), "w") as copy:
        streams = {s.index: copy.add_stream_from_template(s, opaque=True) for s in film.streams}
        change(copy, list(streams.values()))
        for packet in film.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                copy.mux(packet)
    return path


def test_marks_titles_and_order_are_kept(tmp_path: Path) -> None:
    def change(copy: Any, streams: list[Stream]) -> None:
        streams[1].disposition = Disposition.default | Disposition.original
        streams[2].disposition = Disposition.hearing_impaired | Disposition.forced
        streams[2].metadata["title"] = "For the hard of hearing"

    plain = media.write_film(tmp_path / "plain.mkv", 5, audio=["aac", "flac"])
    source = remuxed(tmp_path / "film.mkv", change, plain)
    plan = finish(source, tmp_path / "out.mkv")
    assert plan.notes == ()
    with av.open(str(source)) as before, av.open(str(tmp_path / "out.mkv")) as after:
        assert [s.disposition for s in before.streams] == [s.disposition for s in after.streams]
        assert [s.name for s in before.streams] == [s.name for s in after.streams]
        assert after.streams[2].metadata["title"] == "For the hard of hearing"
    lossy = plan_mux(source, tmp_path / "out.mp4", probe(source), H264)
    assert any("audio stream 1 (aac) is marked original" in note for note in lossy.notes)


def test_a_second_picture_track_is_copied_with_its_b_frames(tmp_path: Path) -> None:
    plain = media.write_film(tmp_path / "plain.mkv", 12, **B_FRAMES)
    source = tmp_path / "film.mkv"
    with av.open(str(plain)) as film, av.open(str(source), "w") as copy:
        streams = [copy.add_stream_from_template(film.streams.video[0], opaque=True) for _ in "ab"]
        for packet in film.demux():
            twin = av.Packet(bytes(packet))
            twin.pts, twin.dts, twin.duration = packet.pts, packet.dts, packet.duration
            twin.time_base, twin.is_keyframe = packet.time_base, packet.is_keyframe
            for each, stream in zip((packet, twin), streams, strict=True):
                if each.size:
                    each.stream = stream
                    copy.mux(each)
    for suffix in (".mkv", ".mp4"):
        output = tmp_path / f"out{suffix}"
        finish(source, output)
        before, after = tracks(source, "video")[1], tracks(output, "video")[1]
        assert [at for at, _ in before] == [at for at, _ in after]
    assert tracks(source, "video")[1] == tracks(tmp_path / "out.mkv", "video")[1]


def test_subtitles_become_the_containers_own(tmp_path: Path) -> None:
    lines = [(0.2, 0.5, "Hello"), (0.8, 1.0, "you")]
    source = media.write_film(tmp_path / "film.mkv", 30, subtitles=lines)
    plan = finish(source, tmp_path / "mid.mp4")
    assert plan.notes == ("subtitle stream 1 (subrip) becomes mov_text",)
    (words,) = tracks(tmp_path / "mid.mp4", "subtitle")
    assert [(float(at), text[2:]) for at, text in words if text[2:]] == [
        (0.2, b"Hello"),
        (0.8, b"you"),
    ]

    finish(tmp_path / "mid.mp4", tmp_path / "again.mp4")
    assert tracks(tmp_path / "again.mp4", "subtitle") == [words]

    plan = finish(tmp_path / "mid.mp4", tmp_path / "out.mkv")
    assert plan.notes == ("subtitle stream 1 (mov_text) becomes subrip",)
    with av.open(str(tmp_path / "out.mkv")) as film:
        durations = [p.duration for p in film.demux(subtitles=0) if p.size]
    assert durations == [300, 200]
    assert tracks(tmp_path / "out.mkv", "subtitle") == tracks(source, "subtitle")


def test_attachments_and_covers(tmp_path: Path) -> None:
    png = bytes(_png())
    source = media.write_film(
        tmp_path / "film.mkv",
        5,
        attachments=[("a font.ttf", "font/ttf", b"letters"), ("cover.png", "image/png", png)],
    )
    plan = finish(source, tmp_path / "out.mkv")
    assert plan.notes == ()
    with av.open(str(tmp_path / "out.mkv")) as film:
        (font,) = film.streams.attachments
        assert (font.name, font.mimetype, font.data) == ("a font.ttf", "font/ttf", b"letters")
        assert [bytes(p) for p in film.demux(video=1) if p.size] == [png]
    plan = finish(source, tmp_path / "out.mp4", drop=frozenset({"attachments"}))
    assert len(plan.notes) == 2
    fonts = media.write_film(
        tmp_path / "cover.mkv", 5, attachments=[("cover.png", "image/png", png)]
    )
    plan = finish(fonts, tmp_path / "cover.mp4")
    with av.open(str(tmp_path / "cover.mp4")) as film:
        assert film.streams.video[1].disposition == Disposition.attached_pic
        assert [bytes(p) for p in film.demux(video=1) if p.size] == [png]
    plan = finish(tmp_path / "cover.mp4", tmp_path / "cover.mov")
    assert plan.notes == ("mov does not keep the film's cover art",)


def _png() -> av.Packet[Any]:
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 16, 16, "rgb24"
    encoder.time_base = Fraction(1, 25)
    return encoder.encode(av.VideoFrame(16, 16, "rgb24"))[0]


def test_a_timecode_is_kept(tmp_path: Path) -> None:
    source = media.write_film(tmp_path / "film.mov", 5, metadata={"timecode": "01:02:03:04"})
    plan = finish(source, tmp_path / "out.mov", EncodeSettings("prores"))
    assert plan.notes == ()
    with av.open(str(tmp_path / "out.mov")) as film:
        assert film.streams.video[0].metadata["timecode"] == "01:02:03:04"


def test_the_last_packet_without_a_duration_is_kept(tmp_path: Path) -> None:
    source = media.write_film(tmp_path / "film.mkv", 5, audio="alac")
    finish(source, tmp_path / "out.mp4")
    assert_same_sound(source, tmp_path / "out.mp4", within=Fraction(1, 2000))


def test_a_comment_of_the_films_own_is_kept_beside_ours(tmp_path: Path) -> None:
    source = media.write_film(tmp_path / "film.mkv", 5, metadata={"comment": "theirs"})
    finish(source, tmp_path / "out.mp4", comment="ours")
    with av.open(str(tmp_path / "out.mp4")) as film:
        assert film.metadata["comment"] == "theirs; ours"


def test_what_is_lost_is_named(tmp_path: Path) -> None:
    source = media.write_film(
        tmp_path / "film.mkv",
        5,
        audio="aac",
        chapters=[(0, 0.1, "One")],
        metadata={"stock": "orthochromatic"},
    )
    plan = plan_mux(
        source, tmp_path / "out.mp4", probe(source), H264, frozenset({"audio", "chapters"})
    )
    assert plan.notes == (
        "audio stream 1 (aac) is dropped, as asked",
        "1 chapters are dropped, as asked",
        "mp4 does not keep the film's STOCK 'orthochromatic'",
    )
    output = tmp_path / "out.mp4"
    mux(plan, paint(source, H264), output, {})
    with av.open(str(output)) as film:
        assert [s.type for s in film.streams] == ["video"]
        assert not film.chapters()


def test_the_index_comes_first_in_mp4(tmp_path: Path) -> None:
    source = media.write_film(tmp_path / "film.mp4", 5)
    finish(source, tmp_path / "out.mp4", EncodeSettings("h265", preset="ultrafast"))
    data = (tmp_path / "out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert b"hvc1" in data


def test_matroska_is_told_the_shape_of_pixels_and_stays_whole(tmp_path: Path) -> None:
    for shape in (Fraction(16, 15), Fraction(3, 2), Fraction(1, 3)):
        source = media.write_film(tmp_path / "film.mp4", 3, sar=shape, rotation=180)
        finish(source, tmp_path / "out.mkv", FFV1)
        checked = {"err_detect": "crccheck+explode"}
        with av.open(str(tmp_path / "out.mkv"), options=checked) as film:
            assert film.streams.video[0].sample_aspect_ratio == shape
            assert len(list(film.decode(video=0))) == 3
            assert film.streams.video[0].codec_context.color_range == 1


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "codec", "words"),
    [
        (
            "out.mp4",
            "ffv1",
            "mp4 does not hold ffv1; write to .mkv, or use codec h264, h265 or av1",
        ),
        ("out.MOV", "ffv1", "mov does not hold ffv1; write to .mkv"),
        ("out.m4v", "prores", "mp4 does not hold prores; write to .mov or .mkv"),
        (
            "out.webm",
            "h264",
            "webm does not hold h264; write to .mp4, .mov or .mkv, or use codec av1",
        ),
        ("out.avi", "h264", "cannot tell the container of 'out.avi'"),
        (
            "out",
            "h264",
            "write to .mp4, .m4v, .mov, .mxf, .mkv, .webm, .png, .tif, .tiff, .dpx or .exr",
        ),
    ],
)
def test_what_a_container_cannot_hold(tmp_path: Path, name: str, codec: Codec, words: str) -> None:
    source = media.write_film(tmp_path / "film.mp4", 1)
    with pytest.raises(MediaError) as caught:
        plan_mux(source, tmp_path / name, probe(source), EncodeSettings(codec))
    assert words in str(caught.value)


def test_a_profile_has_its_container_and_its_conversion_is_said(tmp_path: Path) -> None:
    source = media.write_film(tmp_path / "film.mkv", 2, codec="ffv1", pixel_format="yuv420p10le")
    web = settings_for("web")
    with pytest.raises(MediaError, match=r"profile web is h264 in \.mp4, got 'out\.mkv'"):
        plan_mux(source, tmp_path / "out.mkv", probe(source), web)
    plan = plan_mux(source, tmp_path / "out.mp4", probe(source), web)
    assert plan.notes == (
        "profile web takes luma from 10 bits to 8, each sample to the nearest step",
    )
    fonts = media.write_film(
        tmp_path / "fonts.mkv", 2, attachments=[("a.ttf", "font/ttf", b"letters")]
    )
    with pytest.raises(MediaError, match=r"which mp4 cannot hold; drop={\"attachments\"}$"):
        plan_mux(fonts, tmp_path / "out.mp4", probe(fonts), web)


def test_streams_the_container_cannot_hold_are_named_with_the_remedy(tmp_path: Path) -> None:
    plain = media.write_film(
        tmp_path / "plain.mkv", 5, attachments=[("a.ttf", "font/ttf", b"letters")]
    )
    source = tmp_path / "film.mkv"
    with av.open(str(plain)) as film, av.open(str(source), "w") as copy:
        video = copy.add_stream_from_template(film.streams.video[0], opaque=True)
        styled: Any = copy.add_stream("ass")
        styled.metadata["language"] = "eng"
        styled.codec_context.subtitle_header = b"[Script Info]\r\nScriptType: v4.00+\r\n"
        copy.add_attachment("a.ttf", "font/ttf", b"letters")
        for packet in film.demux(video=0):
            if packet.size:
                packet.stream = video
                copy.mux(packet)
    output, info = tmp_path / "out.mp4", probe(source)
    with pytest.raises(MediaError) as caught:
        plan_mux(source, output, info, H264)
    assert str(caught.value) == (
        "film.mkv has subtitle stream 1 (ass, eng) and attachment stream 2 (a.ttf), which mp4 cannot "
        'hold; write to .mkv, or drop={"attachments", "subtitles"}'
    )
    assert not output.exists()
    plan = plan_mux(source, output, info, H264, frozenset({"subtitles", "attachments"}))
    assert plan.tracks == ()
    assert plan_mux(source, tmp_path / "out.mkv", info, H264).notes == ()


@pytest.mark.parametrize(
    ("audio", "suffix", "held"),
    [
        ("pcm_s16le", ".mp4", True),
        ("ac3", ".mp4", True),
        ("flac", ".mp4", True),
        ("opus", ".mp4", True),
        ("libmp3lame", ".mov", True),
        ("opus", ".mov", False),
        ("flac", ".mov", False),
        ("opus", ".webm", True),
        ("aac", ".webm", False),
    ],
)
def test_sound_by_container(tmp_path: Path, audio: str, suffix: str, held: bool) -> None:
    source = media.write_film(tmp_path / "film.mkv", 5, audio=audio)
    how = EncodeSettings("av1", preset="12") if suffix == ".webm" else H264
    output = tmp_path / f"out{suffix}"
    if not held:
        with pytest.raises(MediaError, match=rf"audio stream 1 .*, which {suffix[1:]} cannot hold"):
            plan_mux(source, output, probe(source), how)
        return
    finish(source, output, how)
    assert_same_sound(source, output, within=Fraction(1, 2000))


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_sound_that_ffmpeg_does_not_know_is_named(tmp_path: Path, suffix: str) -> None:
    source = media.write_film(tmp_path / "film.mkv", 5, audio="aac")
    source.write_bytes(source.read_bytes().replace(b"A_AAC", b"A_XYZ"))
    output = tmp_path / f"out{suffix}"
    with pytest.raises(
        MediaError, match=r"audio stream 1 \(unknown\), which .* cannot hold; drop="
    ):
        plan_mux(source, output, probe(source), H264)
    plan = plan_mux(source, output, probe(source), H264, frozenset({"audio"}))
    assert plan.notes == ("audio stream 1 (unknown) is dropped, as asked",)


def test_drop_takes_known_kinds(tmp_path: Path) -> None:
    source = media.write_film(tmp_path / "film.mp4", 1)
    with pytest.raises(
        MediaError, match="drop takes audio, subtitles, attachments, data, chapters"
    ):
        plan_mux(source, tmp_path / "out.mp4", probe(source), H264, frozenset({"video"}))


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    source = media.write_film(tmp_path / "film.mp4", 8)
    output = tmp_path / "out.mkv"
    plan = plan_mux(source, output, probe(source), FFV1)
    parts = paint(source, FFV1, 2)
    whole = parts[1].path.read_bytes()
    for length in (0, len(whole) // 2):
        parts[1].path.write_bytes(whole[:length])
        with pytest.raises(
            MediaError, match=r"is damaged: \d frames are in it where 4 were written"
        ):
            mux(plan, parts, output, {})


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_full_disk_is_one_line(tmp_path: Path, suffix: str) -> None:
    source = media.write_film(tmp_path / "film.mp4", 8)
    output = tmp_path / f"out{suffix}"
    output.symlink_to("/dev/full")
    plan = plan_mux(source, output, probe(source), H264)
    with pytest.raises(MediaError, match="No space left on device"):
        mux(plan, paint(source, H264), output, {})


def test_any_file_name_will_do(tmp_path: Path) -> None:
    source = media.write_film(tmp_path / "film.mp4", 3, audio="aac")
    source = source.rename(tmp_path / "-12:30 'ü\n.mp4")
    output = tmp_path / "-o:ut\n'.mkv"
    finish(source, output)
    assert len(picture_times(output)) == 3
