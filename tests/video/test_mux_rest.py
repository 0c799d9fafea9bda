"""Everything beside the picture goes over: tracks, chapters, attachments, fields."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from av.stream import Disposition, Stream

from c2e_video.video.decode.decoder import probe
from c2e_video.video.encode import Codec, EncodeSettings
from c2e_video.video.mux import mux, plan_mux
from tests import media
from tests.video.muxing import (
    B_FRAMES,
    FFV1,
    H264,
    assert_same_sound,
    finish,
    paint,
    tracks,
)


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
