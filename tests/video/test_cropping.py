"""What a container hides of its pictures is hidden in the output as well; pixels keep their shape."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from c2e_video.video.decode.decoder import decode, probe
from c2e_video.video.encode import Codec, EncodeSettings
from c2e_video.video.frames import Crop
from c2e_video.video.mux import plan_mux
from c2e_video.video.mux.matroska import set_pixel_shape
from c2e_video.video.quicktime import clap_of, with_clap
from tests import media
from tests.video.muxing import FFV1, finish, hiding_borders

SIZE = (72, 48)
CROP = Crop(left=8, top=3, right=4, bottom=1)


def hiding(path: Path, crop: Crop, sar: Fraction = Fraction(10, 11)) -> Path:
    """A film whose container hides the borders of its pictures."""
    plain = media.write_film(path.with_name("plain.mp4"), 4, SIZE, b_frames=2)
    hiding_borders(plain, path, crop, sar)
    if path.suffix == ".mkv" and sar != 1:
        with open(path, "r+b") as file:
            assert set_pixel_shape(file, sar)
    return path


@pytest.mark.parametrize(
    ("output", "codec"),
    [
        ("out.mov", "h264"),
        ("out.mov", "prores"),
        ("out.mp4", "h264"),
        ("out.mp4", "h265"),
        ("out.mkv", "h264"),
        ("out.mkv", "ffv1"),
    ],
)
@pytest.mark.parametrize("suffix", [".mov", ".mp4", ".mkv"])
def test_cropping_is_carried_and_pixels_keep_their_shape(
    tmp_path: Path, suffix: str, output: str, codec: Codec
) -> None:
    source = hiding(tmp_path / f"film{suffix}", CROP)
    if suffix != ".mkv":
        assert b"clap" in source.read_bytes()
    before = probe(source)
    assert (before.crop, before.sample_aspect_ratio) == (CROP, Fraction(10, 11))
    presets = {"h264": "veryfast", "h265": "ultrafast"}
    plan = finish(source, tmp_path / output, EncodeSettings(codec, preset=presets.get(codec)))
    after = probe(tmp_path / output)
    assert (after.width, after.height) == SIZE
    assert after.crop == CROP
    assert after.sample_aspect_ratio == before.sample_aspect_ratio
    assert not [note for note in plan.notes if "keep" in note]
    if output != "out.mkv":
        assert b"clap" in (tmp_path / output).read_bytes()


def test_webm_hides_as_well(tmp_path: Path) -> None:
    source = hiding(tmp_path / "film.mkv", CROP, Fraction(1))
    finish(source, tmp_path / "out.webm", EncodeSettings("av1", preset="12"))
    assert probe(tmp_path / "out.webm").crop == CROP


def test_the_pictures_themselves_stay_whole(tmp_path: Path) -> None:
    source = hiding(tmp_path / "film.mkv", CROP, Fraction(1))
    finish(source, tmp_path / "out.mkv", FFV1)
    made = tmp_path / "out.mkv"
    for got, given in zip(decode(made, probe(made)), decode(source, probe(source)), strict=True):
        np.testing.assert_array_equal(got.luma, given.luma)


@pytest.mark.parametrize("crop", [Crop(0, 3, 0, 3), Crop(8, 0, 0, 0), Crop(0, 0, 0, 1)])
def test_one_side_is_enough(tmp_path: Path, crop: Crop) -> None:
    source = hiding(tmp_path / "film.mkv", crop)
    finish(source, tmp_path / "out.mov")
    assert probe(tmp_path / "out.mov").crop == crop


def test_a_film_that_hides_nothing_has_no_crop(tmp_path: Path) -> None:
    for suffix in (".mkv", ".mov", ".mp4", ".ts", ".avi"):
        film = media.write_film(tmp_path / f"film{suffix}", 2)
        assert probe(film).crop is None


def test_the_size_shown_is_that_of_what_is_not_hidden(tmp_path: Path) -> None:
    """Matroska says the size after cropping: 60x44 samples of 10:11 in a film of 72x48."""
    source = hiding(tmp_path / "film.mov", CROP)
    finish(source, tmp_path / "out.mkv", FFV1)
    with av.open(str(tmp_path / "out.mkv")) as film:
        next(film.decode(video=0))
        assert film.streams.video[0].sample_aspect_ratio == Fraction(10, 11)


def test_a_crop_that_is_lost_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = hiding(tmp_path / "film.mov", CROP)
    info = probe(source)

    def plain(part: av.container.InputContainer, crop: Crop) -> io.BytesIO:
        return io.BytesIO(Path(part.name.removeprefix("file:")).read_bytes())

    monkeypatch.setattr("c2e_video.video.mux.writer.cropped_template", plain)
    (note,) = plan_mux(source, tmp_path / "out.mp4", info, EncodeSettings("h264")).notes
    assert note == f"mp4 does not keep what the film hides of its picture: {CROP}"


# -- by way of QuickTime ---------------------------------------------------------------------------


def test_a_clean_aperture_is_read_and_written(tmp_path: Path) -> None:
    film = media.write_film(tmp_path / "film.mov", 4, SIZE, b_frames=2)
    for crop in (CROP, Crop(8, 3, 8, 3), Crop(1, 0, 0, 0)):
        data = with_clap(film.read_bytes(), *SIZE, crop)
        assert clap_of(data, *SIZE) == crop
        (tmp_path / "hiding.mov").write_bytes(data)
        assert probe(tmp_path / "hiding.mov").crop == crop
    assert clap_of(film.read_bytes(), *SIZE) is None
    assert clap_of(b"no boxes at all", *SIZE) is None


def test_codecs_that_matroska_does_not_take_from_quicktime_are_cropped_as_well(
    tmp_path: Path,
) -> None:
    plain = media.write_film(tmp_path / "plain.mov", 3, SIZE, codec="mpeg2video")
    source = tmp_path / "film.mov"
    source.write_bytes(with_clap(plain.read_bytes(), *SIZE, CROP))
    info = probe(source)
    assert info.crop == CROP
    assert len(list(decode(source, info))) == 3
    finish(source, tmp_path / "out.mp4")
    assert probe(tmp_path / "out.mp4").crop == CROP
