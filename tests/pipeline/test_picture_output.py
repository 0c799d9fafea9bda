"""Numbered pictures as output: whole or not there, luma exact, sound beside, resumed after a kill."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from c2e_video.cli import cli
from c2e_video.color.luma_range import LumaRange, convert
from c2e_video.errors import C2EError, MediaError
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from c2e_video.pipeline.output import default_output, outputs_for
from c2e_video.references.image import load_reference
from c2e_video.utils.choices import Codec
from c2e_video.video.decode.decoder import decode, probe
from c2e_video.video.encode import Encoder, EncodeSettings, settings_for
from c2e_video.video.encode.numbered_path import is_pattern, is_picture_of, picture_name
from c2e_video.video.frames import Crop
from c2e_video.video.mux import plan_mux, sequence
from tests.media import luma_frames, write_film
from tests.video.muxing import hiding_borders
from tests.video.test_image_sequence import write_pictures

SUFFIXES: dict[Codec, str] = {"png": ".png", "tiff": ".tif", "dpx": ".dpx", "exr": ".exr"}


def pictures(quick: Options, codec: Codec = "png", **other: Any) -> Options:
    return replace(quick, encode=EncodeSettings(codec), **other)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("bit_depth", [8, 10])
@pytest.mark.parametrize("codec", SUFFIXES)
def test_luma_and_sound_of_a_film(
    tmp_path: Path, reference: Path, quick: Options, codec: Codec, bit_depth: int
) -> None:
    form = "yuv420p" if bit_depth == 8 else "yuv420p10le"
    film = write_film(tmp_path / "film.mkv", 5, pixel_format=form, codec="ffv1", audio="pcm_s16le")
    pattern = tmp_path / "out" / f"f_%04d{SUFFIXES[codec]}"
    result = colorize_video(film, pattern, references=reference, options=pictures(quick, codec))
    assert result.output == pattern
    assert names(tmp_path / "out") == [f"f_{n:04d}{SUFFIXES[codec]}" for n in range(1, 6)]
    assert {"out", "out.json", "out.wav"} <= set(names(tmp_path))
    assert not list(tmp_path.glob("*.c2e"))
    info = probe(pattern)
    assert info.bit_depth == {"dpx": bit_depth, "exr": 16}.get(codec, 8 if bit_depth == 8 else 16)
    back = LumaRange(info.bit_depth, True), LumaRange(bit_depth, False)
    for frame, y in zip(decode(pattern, info), luma_frames(film), strict=True):
        difference = convert(frame.luma, *back).astype(int) - y
        # Computed here from steps that the reader has rounded already, where it has no finer ones.
        assert np.abs(difference).max() <= (1 if info.bit_depth == bit_depth else 0)
    np.testing.assert_array_equal(samples(tmp_path / "out.wav"), samples(film))


def samples(path: Path) -> Any:
    with av.open(str(path)) as file:
        frames = [frame.to_ndarray() for frame in file.decode(audio=0)]
    return np.concatenate(frames, axis=1)


@pytest.mark.parametrize("late", [Fraction(1, 5), Fraction(-1, 5)])
def test_sound_begins_with_the_first_picture(
    tmp_path: Path, reference: Path, quick: Options, late: Fraction
) -> None:
    """Silence before sound that comes later; what sounds before the picture is cut off."""
    plain = write_film(tmp_path / "plain.mkv", 15, codec="ffv1", audio="pcm_s16le")
    film = tmp_path / "film.mkv"
    with av.open(str(plain)) as source, av.open(str(film), "w") as copy:
        new = [copy.add_stream_from_template(s, opaque=True) for s in source.streams]
        packet: Any
        for packet in source.demux():
            if packet.size:
                moved = late if packet.stream.type == "audio" else 0
                ticks = round((Fraction(1) + moved) / packet.time_base)
                packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
                packet.stream = new[packet.stream_index]
                copy.mux(packet)
    colorize_video(film, tmp_path / "out" / "%d.png", references=reference, options=pictures(quick))
    heard, original = samples(tmp_path / "out.wav"), samples(plain)
    with av.open(str(plain)) as source:
        sound: Any = source.streams.audio[0]
        shift = round(late * sound.sample_rate) * sound.channels  # packed samples
    if shift > 0:
        assert not heard[:, :shift].any()
        np.testing.assert_array_equal(heard[:, shift:], original)
    else:
        np.testing.assert_array_equal(heard, original[:, -shift:])


def test_an_interrupted_run_goes_on_to_the_same_pictures(
    film: Path, reference: Path, quick: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("c2e_video.pipeline.planned_film.SEGMENT_SECONDS", 0.1)
    options = pictures(quick, batch=2)
    whole, pattern = film.parent / "whole" / "%d.png", film.parent / "out" / "%d.png"
    colorize_video(film, whole, references=reference, options=options)
    write, count = Encoder.write, itertools.count(1)

    def dies(self: Encoder, batch: Any) -> None:
        if next(count) == 5:
            raise KeyboardInterrupt
        write(self, batch)

    monkeypatch.setattr(Encoder, "write", dies)
    with pytest.raises(KeyboardInterrupt):
        colorize_video(film, pattern, references=reference, options=options)
    assert not pattern.parent.exists()
    assert (film.parent / "out.c2e").is_dir()
    monkeypatch.setattr(Encoder, "write", write)
    colorize_video(film, pattern, references=reference, options=options)
    assert names(pattern.parent) == names(whole.parent)
    for name in names(pattern.parent):
        assert (pattern.parent / name).read_bytes() == (whole.parent / name).read_bytes()


def test_nothing_stands_half_written(
    film: Path, reference: Path, quick: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails between two pictures; the folder that is there stays as it is."""
    pattern = film.parent / "out" / "%d.png"
    colorize_video(film, pattern, references=reference, options=pictures(quick))
    before = {path.name: path.read_bytes() for path in pattern.parent.iterdir()}
    content, count = sequence._content, itertools.count(1)

    def full(*arguments: Any) -> bytes:
        if next(count) == 6:
            raise OSError(28, "No space left on device")
        return content(*arguments)

    monkeypatch.setattr(sequence, "_content", full)
    options = pictures(quick, size=48)
    with pytest.raises(MediaError, match="No space left on device"):
        colorize_video(film, pattern, references=reference, options=options, overwrite=True)
    assert {path.name: path.read_bytes() for path in pattern.parent.iterdir()} == before
    assert not list((film.parent / "out.c2e").glob("*.partial*"))
    monkeypatch.setattr(sequence, "_content", content)
    colorize_video(film, pattern, references=reference, options=options, overwrite=True)
    assert names(pattern.parent) == sorted(before)
    assert {path.name: path.read_bytes() for path in pattern.parent.iterdir()} != before


def test_a_film_of_pictures_keeps_its_numbers(
    tmp_path: Path, reference: Path, quick: Options
) -> None:
    numbers = [998, 999, 1000, 1003]
    folder = write_pictures(tmp_path / "scans", numbers, "a_%04d.png")
    result = colorize_video(
        folder,
        tmp_path / "out" / "b_%04d.dpx",
        references=reference,
        options=pictures(quick, "dpx"),
    )
    assert names(tmp_path / "out") == [f"b_{n:04d}.dpx" for n in numbers]
    assert "numbers 1001 to 1002 are missing, for the film has no frame there" in result.notes
    cut = colorize_video(
        folder,
        tmp_path / "cut" / "%d.dpx",
        references=reference,
        options=pictures(quick, "dpx", start=Fraction(1, 24)),
    )
    assert cut.frames == 3
    assert names(tmp_path / "cut") == ["1000.dpx", "1003.dpx", "999.dpx"]


def test_a_rate_that_varies_is_told(tmp_path: Path, reference: Path, quick: Options) -> None:
    film = write_film(
        tmp_path / "film.mkv",
        6,
        codec="ffv1",
        pts=[0, 40, 50, 60, 100, 140],
        time_base=Fraction(1, 1000),
    )
    result = colorize_video(
        film, tmp_path / "out" / "%d.png", references=reference, options=pictures(quick)
    )
    assert len(names(tmp_path / "out")) == 6
    assert any("frame rate varies" in note for note in result.notes)


def refusal(source: Path, output: Path, reference: Path, options: Options, **other: Any) -> str:
    with pytest.raises(C2EError) as error:
        colorize_video(source, output, references=reference, options=options, **other)
    return str(error.value)


def test_places_that_are_refused(
    tmp_path: Path, reference: Path, quick: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    film, options = write_film(tmp_path / "film.mp4", 3), pictures(quick)
    scans = write_pictures(tmp_path / "scans", range(1, 4), "%d.png")

    def refused(output: str, source: Path = film) -> str:
        return refusal(source, Path(output), reference, options, overwrite=True)

    assert "a folder of their own, such as 'out/%d.png'" in refused("%d.png")
    assert "holds the pictures of the film 'scans'" in refused("scans/%d.png", Path("scans"))
    assert "holds the pictures of" in refused("scans/b_%d.png", scans / "%d.png")
    (tmp_path / "link").symlink_to(scans)
    assert "holds the pictures of" in refused("link/%d.png", Path("scans"))
    assert "no folder 'none'" in refused("none/out/%d.png")
    assert "is a file; give the pictures another folder" in refused("film.mp4/%d.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("dear")
    (tmp_path / "out" / "1.png").write_text("")
    assert "holds other files (letter.txt), and it is replaced as a whole" in refused("out/%d.png")
    assert (tmp_path / "out" / "letter.txt").read_text() == "dear"
    assert "write to a pattern such as 'still/%06d.png', got 'still.png'" in refused("still.png")
    assert "png does not hold h264; write to .mp4" in refusal(
        film, Path("new/%d.png"), reference, quick
    )
    assert names(scans) == ["1.png", "2.png", "3.png"]
    assert not (tmp_path / "new").exists()


def test_what_is_there_is_replaced_only_where_asked(
    film: Path, reference: Path, quick: Options
) -> None:
    pattern, options = film.parent / "out" / "%d.png", pictures(quick)
    pattern.parent.mkdir()
    (pattern.parent / ".DS_Store").write_bytes(b"a system's own")
    colorize_video(film, pattern, references=reference, options=options)  # into an empty folder
    assert "holds 14 pictures; overwrite=True" in refusal(film, pattern, reference, options)
    for path in pattern.parent.iterdir():
        path.unlink()
    (film.parent / "out.json").unlink()
    assert "out.wav' exists; overwrite=True" in refusal(film, pattern, reference, options)


def test_streams_that_pictures_cannot_hold(tmp_path: Path, reference: Path, quick: Options) -> None:
    words: Any = [(0, 0.1, "x")]
    film = write_film(
        tmp_path / "film.mkv", 4, subtitles=words, chapters=[(0, 1, "one")], metadata={"title": "T"}
    )
    output = tmp_path / "out" / "%d.png"
    line = refusal(film, output, reference, pictures(quick))
    assert "which png pictures cannot hold; write to .mkv" in line
    assert 'drop={"subtitles"}' in line
    options = pictures(quick, drop=frozenset({"subtitles"}))
    notes = colorize_video(film, output, references=reference, options=options).notes
    assert any("do not keep the film's title" in note for note in notes)
    assert "png pictures do not keep the film's 1 chapters" in notes
    assert not (tmp_path / "out.wav").exists()


def test_dpx_says_that_it_is_video(tmp_path: Path, reference: Path, quick: Options) -> None:
    film = write_film(tmp_path / "film.mp4", 2)
    output = tmp_path / "out" / "%d.dpx"
    colorize_video(film, output, references=reference, options=pictures(quick, "dpx"))
    head = (tmp_path / "out" / "1.dpx").read_bytes()[:2048]
    assert (head[801], head[802]) == (6, 6)  # ITU-R BT.709, by SMPTE ST 268-1


def test_the_command_line_takes_the_codec_from_the_suffix(
    film: Path, reference: Path, quick: Options
) -> None:
    arguments = [
        str(film),
        "--ref",
        str(reference),
        "--weights",
        str(quick.weights),
        "--size",
        "32",
    ]
    output = film.parent / "out" / "f_%03d.TIF"
    result = CliRunner().invoke(cli, [*arguments, "-o", str(output)])
    assert result.exit_code == 0, result.output
    assert names(film.parent / "out")[0] == "f_001.TIF"


def test_default_places() -> None:
    film = Path("a/film.mov")
    assert default_output(film, EncodeSettings("dpx")) == Path("a/film.color/%06d.dpx")
    assert default_output(film, EncodeSettings("tiff")) == Path("a/film.color/%06d.tif")
    assert outputs_for([film, Path("b.mkv")], Path(os.curdir), EncodeSettings("png")) == [
        Path("film.color/%06d.png"),
        Path("b.color/%06d.png"),
    ]
    assert settings_for(None, output=Path("x/%d.exr")).codec == "exr"
    assert settings_for(None, output=Path("x.mxf")).codec == "dnxhr"
    assert settings_for("web", output=Path("x.mp4")).codec == "h264"


def test_names_of_pictures() -> None:
    assert picture_name("a_%06d.png", 12) == "a_000012.png"
    assert picture_name("100% %d.png", 7) == "100% 7.png"
    assert is_picture_of("a_%04d.png", "a_123456.png")
    assert not is_picture_of("a_%04d.png", "a_12.png.txt")
    assert is_pattern(Path("x/%d.TIFF"))
    for name in ("x/a.png", "x/%d_%d.png", "x/%d.mp4", "x/%s.png"):
        assert not is_pattern(Path(name))


def test_stills_do_not_go_among_the_films_own_pictures(tmp_path: Path, quick: Options) -> None:
    scans = write_pictures(tmp_path / "scans", range(1, 4), "%d.png")
    arguments = ["plan", str(scans), "--stills", "1", "--stills-folder", str(scans)]
    result = CliRunner().invoke(cli, [*arguments, "--weights", str(quick.weights)])
    assert "holds the pictures of the film" in str(result.exception)
    assert names(scans) == ["1.png", "2.png", "3.png"]


@pytest.mark.parametrize("rotation", [90, 180])
def test_pictures_are_as_players_show_the_film(
    tmp_path: Path, reference: Path, quick: Options, rotation: int
) -> None:
    plain = write_film(tmp_path / "plain.mp4", 2, (64, 48), rotation=rotation, sar=Fraction(4, 3))
    film = hiding_borders(plain, tmp_path / "film.mov", Crop(left=8, top=3, right=4, bottom=1))
    colorize_video(film, tmp_path / "out" / "%d.png", references=reference, options=pictures(quick))
    pattern = tmp_path / "out" / "%d.png"
    info = probe(pattern)
    assert (info.width, info.height) == ((44, 52) if rotation == 90 else (52, 44))
    assert info.sample_aspect_ratio == (Fraction(3, 4) if rotation == 90 else Fraction(4, 3))
    for frame, y in zip(decode(pattern, info), luma_frames(plain), strict=True):
        shown = np.rot90(y[3:47, 8:60], rotation // 90)
        found = convert(frame.luma, LumaRange(8, True), LumaRange(8, False)).astype(int)
        assert np.abs(found - shown).max() <= 1


@pytest.mark.parametrize(
    ("codec", "primaries", "said"),
    [
        ("tiff", 1, False),
        ("tiff", 9, True),
        ("dpx", 5, False),
        ("dpx", 9, True),
        ("png", 9, False),
        ("exr", 9, False),
    ],
)
def test_colours_that_pictures_cannot_say_are_told(
    tmp_path: Path, codec: Codec, primaries: int, said: bool
) -> None:
    film = write_film(tmp_path / "film.mkv", 1, codec="ffv1", color={"color_primaries": primaries})
    output = tmp_path / "out" / f"%d{SUFFIXES[codec]}"
    notes = plan_mux(film, output, probe(film), EncodeSettings(codec)).notes
    assert any(f"which primaries ({primaries})" in note for note in notes) == said


def test_a_picture_of_the_output_may_be_a_reference(
    film: Path, reference: Path, quick: Options
) -> None:
    """Its samples are read as they are: PNG says that they are sRGB."""
    output = film.parent / "out" / "%d.png"
    colorize_video(film, output, references=reference, options=pictures(quick))
    picture = film.parent / "out" / "1.png"
    np.testing.assert_array_equal(load_reference(picture).image, np.asarray(Image.open(picture)))


def test_what_a_killed_run_left_is_not_in_the_way(
    film: Path, reference: Path, quick: Options
) -> None:
    """A kill while pictures are written leaves some of them in the job folder."""
    output = film.parent / "out" / "%d.png"
    partial = film.parent / "out.c2e" / "film.partial.png" / "pictures"
    partial.mkdir(parents=True)
    (partial / "99.png").write_bytes(b"half")
    colorize_video(film, output, references=reference, options=pictures(quick))
    assert len(names(film.parent / "out")) == 14
    assert not (film.parent / "out.c2e").exists()


def test_without_a_temporary_folder_the_one_of_the_output_serves(
    film: Path, reference: Path, quick: Options, no_temporary_folder: None
) -> None:
    place = film.with_name("place")
    place.mkdir()
    colorize_video(film, place / "out" / "%d.png", references=reference, options=pictures(quick))
    assert names(place) == ["out", "out.json", "out.wav"]
