"""Sound that a container does not hold as it is: copied by another name, encoded anew, or left out."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from c2e_video.errors import MediaError
from c2e_video.utils.choices import AudioChoice
from c2e_video.video.decode.decoder import probe
from c2e_video.video.encode import EncodeSettings
from c2e_video.video.mux import MuxPlan, mux, plan_mux
from tests import media
from tests.video.muxing import FFV1, H264, assert_same_sound, paint

BEEPS = (0.2, 0.7)


def film(path: Path, codec: str, form: str, rate: int = 44100, tracks: int = 1) -> Path:
    """A second of gray with beeps of 20 ms at 0.2 and 0.7 s."""
    wave = np.zeros(rate, np.int16)
    for at in BEEPS:
        start = round(at * rate)
        wave[start : start + rate // 50] = 20000 * np.sin(np.arange(rate // 50) * 0.8)
    with av.open(str(path), "w", format=form) as output:
        video: Any = output.add_stream("mpeg4", rate=25)
        video.width, video.height = 64, 48
        streams: list[Any] = [
            output.add_stream(codec, rate=rate, layout="mono", bit_rate=64000)
            for _ in range(tracks)
        ]
        for index in range(25):
            frame = media.picture(media.luma(index))
            frame.pts, frame.time_base = index, Fraction(1, 25)
            output.mux(video.encode(frame))
        output.mux(video.encode())
        for stream in streams:
            sound = av.AudioFrame.from_ndarray(wave[None], "s16", "mono")
            sound.sample_rate, sound.pts, sound.time_base = rate, 0, Fraction(1, rate)
            output.mux(stream.encode(sound))
            output.mux(stream.encode())
    return path


def finish(
    source: Path, output: Path, audio: AudioChoice = "copy", drop: Sequence[str] = ()
) -> MuxPlan:
    how = FFV1 if output.suffix == ".mkv" else H264
    plan = plan_mux(source, output, probe(source), how, drop, audio=audio)
    mux(plan, paint(source, how), output, {})
    return plan


def heard(path: Path) -> tuple[list[float], str]:
    """When beeps begin, in seconds, and the codec of the first track."""
    with av.open(str(path)) as file:
        rate = file.streams.audio[0].codec_context.sample_rate
        wave = np.zeros(3 * rate)
        for frame in file.decode(audio=0):
            samples = frame.to_ndarray().astype(float)
            samples = samples.reshape(-1, frame.samples).mean(axis=0)
            at = round(float((frame.pts or 0) * frame.time_base) * rate)  # type: ignore[operator]
            if at >= 0:
                wave[at : at + frame.samples] = samples
        codec = file.streams.audio[0].codec_context.name
    loud = np.flatnonzero(np.abs(wave) > 0.3 * np.abs(wave).max())
    starts = [loud[0], *loud[1:][np.diff(loud) > rate // 10]]
    return [float(start / rate) for start in starts], codec


def samples(path: Path) -> Any:
    with av.open(str(path)) as file:
        return np.concatenate([f.to_ndarray().astype(float) for f in file.decode(audio=0)], axis=1)


# -- copied ----------------------------------------------------------------------------------------

WINDOWS = [
    ("film.wmv", "wmav2", "asf", 44100),
    ("film.wmv", "wmav1", "asf", 44100),
    ("film.avi", "adpcm_ms", "avi", 44100),
    ("film.avi", "adpcm_ima_wav", "avi", 44100),
    ("film.avi", "pcm_mulaw", "avi", 8000),
    ("film.avi", "pcm_alaw", "avi", 8000),
    ("film.mov", "pcm_mulaw", "mov", 8000),
]


@pytest.mark.parametrize(("name", "codec", "form", "rate"), WINDOWS, ids=lambda v: str(v))
def test_matroska_holds_what_has_a_windows_format(
    tmp_path: Path, name: str, codec: str, form: str, rate: int
) -> None:
    source = film(tmp_path / name, codec, form, rate)
    output = tmp_path / "out.mkv"
    assert not [note for note in finish(source, output).notes if "audio" in note]
    assert_same_sound(source, output, within=Fraction(1, 1000))
    np.testing.assert_array_equal(samples(output), samples(source))


def test_where_it_is_refused_the_remedies_are_named(tmp_path: Path) -> None:
    source = film(tmp_path / "film.wmv", "wmav2", "asf")
    with pytest.raises(MediaError) as caught:
        finish(source, tmp_path / "out.mp4")
    assert str(caught.value) == (
        'film.wmv has audio stream 1 (wmav2), which mp4 cannot hold; write to .mkv, or audio="aac", '
        'or drop={"audio"}'
    )
    plain = film(tmp_path / "film.mp4", "aac", "mp4")
    with pytest.raises(MediaError, match=r"webm cannot hold; write to \.mp4"):
        plan_mux(plain, tmp_path / "o.webm", probe(plain), EncodeSettings("av1", preset="12"))


# -- encoded anew ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "audio", "codec"),
    [
        (".mp4", "aac", "aac"),
        (".mov", "aac", "aac"),
        (".mp4", "flac", "flac"),
        (".mp4", "pcm", "pcm_s16le"),
        (".mov", "pcm", "pcm_s16le"),
    ],
)
@pytest.mark.parametrize("rate", [44100, 8000])
def test_refused_sound_is_encoded_and_keeps_its_time(
    tmp_path: Path, suffix: str, audio: Any, codec: str, rate: int
) -> None:
    source = film(tmp_path / "film.avi", "adpcm_ima_wav", "avi", rate)
    output = tmp_path / f"out{suffix}"
    plan = finish(source, output, audio)
    before, _ = heard(source)
    after, name = heard(output)
    assert name == codec
    assert after == pytest.approx(before, abs=0.004)
    assert (
        f"audio stream 1 (adpcm_ima_wav) is encoded as {audio}: {suffix[1:]} cannot hold it as it is"
        in (plan.notes)
    )
    if audio != "aac":
        np.testing.assert_array_equal(samples(output)[0], _as_int(samples(source)[0]))


def _as_int(wave: Any) -> Any:
    return wave if np.abs(wave).max() > 2 else np.rint(wave * 32768)


def test_what_the_container_holds_is_copied_all_the_same(tmp_path: Path) -> None:
    source = film(tmp_path / "film.mkv", "flac", "matroska")
    plan = finish(source, tmp_path / "out.mp4", "aac")
    assert_same_sound(source, tmp_path / "out.mp4", within=Fraction(1, 2000))
    assert not [note for note in plan.notes if "encoded" in note]


def test_a_container_without_a_codec_refuses_it(tmp_path: Path) -> None:
    source = film(tmp_path / "film.wmv", "wmav2", "asf")
    with pytest.raises(
        MediaError, match=r"which mov cannot hold; write to \.mkv, or audio=\"aac\""
    ):
        finish(source, tmp_path / "out.mov", "flac")


def test_holes_in_encoded_sound_are_silence(tmp_path: Path) -> None:
    """Half a second is missing; what comes after keeps its time."""
    plain = film(tmp_path / "plain.mkv", "flac", "matroska")
    source = tmp_path / "film.mkv"
    with av.open(str(plain)) as whole, av.open(str(source), "w") as copy:
        streams = [copy.add_stream_from_template(s, opaque=True) for s in whole.streams]
        for packet in whole.demux():
            if packet.size and packet.pts is not None and packet.dts is not None:
                if packet.stream.index == 1:
                    if 300 < packet.pts < 500:
                        continue
                    late = 1000 if packet.pts > 400 else 0
                    packet.pts, packet.dts = packet.pts + late, packet.dts + late
                packet.stream = streams[packet.stream.index]
                copy.mux(packet)
    finish(source, tmp_path / "out.mov", "pcm")
    starts, name = heard(tmp_path / "out.mov")
    assert name == "pcm_s16le"
    assert starts == pytest.approx([0.2, 1.7], abs=0.004)


def test_24_bits_stay_24_bits(tmp_path: Path) -> None:
    source = media.write_film(tmp_path / "film.mov", 25, audio="pcm_f32be")
    for audio, name in (("flac", "flac"), ("pcm", "pcm_f32le")):
        finish(source, tmp_path / f"{audio}.mkv", audio)  # type: ignore[arg-type]
        with av.open(str(tmp_path / f"{audio}.mkv")) as file:
            assert file.streams.audio[0].codec_context.name == name
        want, got = samples(source), samples(tmp_path / f"{audio}.mkv")
        scale = np.abs(got).max() / np.abs(want).max()
        assert np.abs(got / scale - want).max() < 2e-7


# -- left out --------------------------------------------------------------------------------------


def iphone(path: Path) -> Path:
    """A good track, and one in a codec that FFmpeg does not read."""
    source = film(path.with_name("two.mp4"), "aac", "mp4", tracks=2)
    data = bytearray(source.read_bytes())
    for old, new in ((b"mp4a", b"apac"), (b"esds", b"dapa")):
        at = data.rfind(old)
        data[at : at + 4] = new
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("suffix", [".mov", ".mp4", ".mkv"])
def test_one_of_several_tracks_is_left_out(tmp_path: Path, suffix: str) -> None:
    source = iphone(tmp_path / "film.mov")
    output = tmp_path / f"out{suffix}"
    with pytest.raises(MediaError, match=r"audio stream 2 \(unknown\).*; drop={\"audio:2\"}$"):
        finish(source, output)
    plan = finish(source, output, drop=["audio:2"])
    assert "audio stream 2 (unknown) is dropped, as asked" in plan.notes
    with av.open(str(output)) as file:
        assert len(file.streams.audio) == 1
    assert heard(output)[0] == pytest.approx(BEEPS, abs=0.03)


def test_what_cannot_be_left_out_is_told(tmp_path: Path) -> None:
    source = film(tmp_path / "film.mp4", "aac", "mp4", tracks=2)
    with pytest.raises(MediaError, match=r"film\.mp4 has no audio:7; it has audio:1, audio:2"):
        finish(source, tmp_path / "o.mp4", drop=["audio:7"])
    with pytest.raises(MediaError, match=r"film\.mp4 has no subtitles:1; it has no subtitles"):
        finish(source, tmp_path / "o.mp4", drop=["subtitles:1"])
    for word in ("audio:", "audio:x", "chapters:1", "sound", ":1", "audio:-1"):
        with pytest.raises(MediaError, match="or one stream by its number such as audio:2; got"):
            finish(source, tmp_path / "o.mp4", drop=[word])
