"""What a container cannot hold is named before the work, with the remedy."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from c2e_video.errors import MediaError
from c2e_video.video.decode.decoder import probe
from c2e_video.video.encode import Codec, EncodeSettings, settings_for
from c2e_video.video.mux import mux, plan_mux
from tests import media
from tests.video.muxing import (
    FFV1,
    H264,
    assert_same_sound,
    finish,
    paint,
    picture_times,
)


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
