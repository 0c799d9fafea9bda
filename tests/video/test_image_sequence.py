"""Numbered pictures as a film: luma exact, numbers are time, what is missing is named."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from c2e_video.errors import MediaError
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.digests import film_digest
from c2e_video.pipeline.options import Options
from c2e_video.video.decode import DecodeReport, numbered
from c2e_video.video.decode.decoder import decode, probe
from c2e_video.video.encode import EncodeSettings, settings_for
from tests.media import luma, luma_frames, picture, video_pts

ENCODERS = {
    ".png": "png",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".dpx": "dpx",
    ".jpg": "mjpeg",
    ".jp2": "jpeg2000",
    ".j2k": "jpeg2000",
    ".bmp": "bmp",
    ".tga": "targa",
}


def write_pictures(
    folder: Path,
    numbers: Any = range(4),
    name: str = "scan_%05d.png",
    pixel_format: str = "gray",
    depth: int = 8,
    size: tuple[int, int] = (64, 48),
) -> Path:
    folder.mkdir(exist_ok=True)
    for number in numbers:
        encoder: Any = av.CodecContext.create(ENCODERS[Path(name).suffix.lower()], "w")
        encoder.width, encoder.height, encoder.pix_fmt = *size, pixel_format
        encoder.options = {"pred": "dwt53"} if encoder.name == "jpeg2000" else {}  # lossless
        encoder.time_base = Fraction(1, 25)
        made = picture(luma(number, size=size, bit_depth=depth), pixel_format)
        packets = [*encoder.encode(made), *encoder.encode(None)]
        (folder / (name % number)).write_bytes(b"".join(map(bytes, packets)))
    return folder


@pytest.mark.parametrize(
    ("suffix", "pixel_format", "depth"),
    [
        ("png", "gray", 8),
        ("png", "gray16be", 16),
        ("png", "rgb24", 8),
        ("png", "rgb48be", 16),
        ("tif", "gray", 8),
        ("tiff", "gray16le", 16),
        ("tiff", "rgb48le", 16),
        ("dpx", "rgb24", 8),
        ("dpx", "gbrp10be", 10),
        ("dpx", "gbrp12le", 12),
        ("dpx", "rgb48be", 16),
        ("dpx", "gray", 8),
        ("jp2", "gray", 8),
        ("j2k", "gray16le", 16),
        ("jp2", "rgb48le", 16),
        ("bmp", "gray", 8),
        ("bmp", "bgr24", 8),
        ("tga", "gray", 8),
        ("tga", "bgr24", 8),
        ("TGA", "bgra", 8),
    ],
)
def test_luma_is_exact(tmp_path: Path, suffix: str, pixel_format: str, depth: int) -> None:
    """RGB too, because the pictures are gray, R = G = B."""
    folder = write_pictures(tmp_path / "scans", range(3), f"a_%04d.{suffix}", pixel_format, depth)
    info = probe(folder)
    assert (info.bit_depth, info.full_range) == (depth, True)
    frames = list(decode(folder, info))
    assert [frame.pts for frame in frames] == [0, 1, 2]
    for number, frame in enumerate(frames):
        np.testing.assert_array_equal(frame.luma, luma(number, bit_depth=depth))


@pytest.mark.parametrize(
    ("pixel_format", "options", "error"),
    [
        ("gbrpf32le", {}, 0),
        ("grayf32le", {"compression": "zip16"}, 0),
        ("gbrpf32le", {"format": "half"}, 24),  # this encoder cuts off after 11 bits
    ],
)
def test_openexr_is_linear_light(
    tmp_path: Path, pixel_format: str, options: dict[str, str], error: int
) -> None:
    """It comes as 16 bits of the sRGB curve, so that it looks as in a viewer."""
    wanted = np.linspace(0, 65535, 48 * 64).round().astype(np.uint16).reshape(48, 64)
    unit = wanted / 65535
    light = np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    light[0, :2] = (-0.5, np.nan)
    light[-1, -2:] = (1.0, 7.5)
    wanted[0, :2], wanted[-1, -2:] = 0, 65535
    for number in (1, 2):
        encoder: Any = av.CodecContext.create("exr", "w")
        encoder.width, encoder.height, encoder.pix_fmt = 64, 48, pixel_format
        encoder.time_base, encoder.options = Fraction(1, 25), options
        made = av.VideoFrame(64, 48, pixel_format)
        planes: Any = made.planes
        for plane in planes:
            np.frombuffer(plane, np.float32).reshape(48, -1)[:, :64] = light
        packets = [*encoder.encode(made), *encoder.encode(None)]
        (tmp_path / f"a_{number}.exr").write_bytes(b"".join(map(bytes, packets)))
    info = probe(tmp_path)
    assert (info.bit_depth, info.full_range, info.transfer) == (16, True, 13)
    for frame in decode(tmp_path, info):
        assert np.abs(frame.luma.astype(int) - wanted).max() <= error


def test_webp_pictures(tmp_path: Path) -> None:
    for number in range(3):
        y = luma(number)
        Image.fromarray(np.stack([y] * 3, -1)).save(tmp_path / f"{number}.webp", lossless=True)
    frames = list(decode(tmp_path, probe(tmp_path)))
    for number, frame in enumerate(frames):
        np.testing.assert_array_equal(frame.luma, luma(number))


def test_suffixes_may_differ_in_case(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "scans", [1, 2, 4], "a_%03d.tif")
    write_pictures(folder, [3], "a_%03d.TIF")
    write_pictures(folder, [5], "a_%03d.Tif")
    for path in (folder, folder / "a_%03d.tif", folder / "a_%03d.TIF"):
        assert [frame.pts for frame in decode(path, probe(path))] == [0, 1, 2, 3, 4]
    run = numbered(folder)
    assert run is not None
    assert run.pattern == "a_%03d.tif"  # as most are
    assert run.notes(None) == ["5 pictures a_%03d.tif are taken as 24 a second (fps=…)"]


def test_two_copies_in_two_cases_are_told_apart_by_the_pattern(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "scans", range(3), "a_%d.tif")
    write_pictures(folder, range(3), "a_%d.TIF")
    with pytest.raises(MediaError, match=r"two pictures with number 0, 'a_0\.TIF' and 'a_0\.tif'"):
        probe(folder)
    run = numbered(folder / "a_%d.TIF")
    assert run is not None
    assert [file.name for file in run.files] == ["a_0.TIF", "a_1.TIF", "a_2.TIF"]


@pytest.mark.parametrize("given", ["a_001.tif", "a_003.TIF"])
def test_one_picture_of_a_run_offers_the_run(
    tmp_path: Path, reference: Path, quick: Options, given: str
) -> None:
    folder = write_pictures(tmp_path / "scans", [1, 2, 4], "a_%03d.tif")
    write_pictures(folder, [3], "a_%03d.TIF")
    write_pictures(folder, [1], "poster %d.tif")
    offered = re.escape(repr(str(folder / "a_%03d.tif")))
    with pytest.raises(MediaError, match=f"one of 4 numbered pictures; for all .*{offered}"):
        colorize_video(folder / given, references=reference, options=quick)
    assert probe(folder / "a_%03d.tif").frame_count == 4


def test_a_picture_alone_is_a_film_of_one_frame(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "scans", range(2), "a_%d.png")
    write_pictures(folder, [1], "poster %d.png")
    assert len(list(decode(folder / "poster 1.png", probe(folder / "poster 1.png")))) == 1


@pytest.mark.parametrize("fps", [None, Fraction(18), Fraction(24000, 1001)])
def test_numbers_are_time(tmp_path: Path, fps: Fraction | None) -> None:
    numbers = [98, 99, 100, 103, 104]
    folder = write_pictures(tmp_path / "scans", numbers, "%d.png")
    info, rate = probe(folder, fps), fps or Fraction(24)
    frames = list(decode(folder, info))
    assert [frame.pts * info.time_base for frame in frames] == [(n - 98) / rate for n in numbers]
    assert [frame.duration * info.time_base * rate for frame in frames] == [1, 1, 3, 1, 1]
    assert (info.frame_rate, info.frame_count) == (rate, 5)
    pts = [frame.pts for frame in frames]
    for first in range(5):
        part = list(decode(folder, info, start=pts[first], stop=pts[-1]))
        assert [frame.pts for frame in part] == pts[first:-1]
        if part:
            np.testing.assert_array_equal(part[0].luma, luma(numbers[first]))
    assert len(list(decode(folder, info, deinterlace="on"))) == 5


def test_a_picture_of_another_kind_is_named_where_it_is_left_out(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "scans", range(3), "a_%d.png")
    (folder / "a_3.jpg").write_bytes((folder / "a_0.png").read_bytes())
    run = numbered(folder)
    assert run is not None
    assert run.notes(None)[-1] == "not among a_%01d.png, and left out: a_3.jpg"


def test_a_pattern_names_one_run_of_several(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "scans [a]")
    write_pictures(folder, range(2), "other-%03d.png")
    with pytest.raises(MediaError, match=r"2 runs of pictures: other-%03d.png \(2\), scan_%05d"):
        probe(folder)
    assert probe(folder / "scan_%05d.png").frame_count == 4
    assert probe(folder / "other-%d.png").frame_count == 2
    with pytest.raises(MediaError, match=r"holds no picture named none_%d\.png"):
        probe(folder / "none_%d.png")


@pytest.mark.parametrize("name", ["scan_%04d_2k.png", "reel 3 %d v2.png", "16mm%03d.x1.png"])
def test_digits_may_stand_behind_the_number(tmp_path: Path, name: str) -> None:
    folder = write_pictures(tmp_path / "scans", range(8, 12), name)
    for path in (folder, folder / name):
        frames = list(decode(path, probe(path)))
        assert [frame.pts for frame in frames] == [0, 1, 2, 3]
        np.testing.assert_array_equal(frames[1].luma, luma(9))


def test_two_sizes_of_one_scan_are_two_runs(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "scans", range(4), "a_%04d_2k.png")
    write_pictures(folder, range(4), "a_%04d_4k.png")
    with pytest.raises(MediaError, match=r"2 runs .*: a_%04d_2k\.png \(4\), a_%04d_4k\.png \(4\)"):
        probe(folder)
    assert probe(folder / "a_%04d_4k.png").frame_count == 4


def test_a_systems_own_files_are_no_pictures(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "scans")
    for file in list(folder.iterdir()):
        file.with_name(f"._{file.name}").write_bytes(b"resource fork")
    assert probe(folder).frame_count == 4


def test_what_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="is a folder without numbered pictures"):
        probe(tmp_path)
    with pytest.raises(MediaError, match="is a folder without numbered pictures"):
        probe(write_pictures(tmp_path / "posters", [1], "poster %d.png"))
    folder = write_pictures(tmp_path / "scans", [1], "%d.png")
    write_pictures(folder, [1], "%02d.png")
    with pytest.raises(MediaError, match=r"two pictures with number 1, '01\.png' and '1\.png'"):
        probe(folder)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "1.png").write_bytes(b"no picture")
    (broken / "2.png").touch()
    with pytest.raises(MediaError, match="none of its 2 numbered pictures can be decoded"):
        probe(broken)


def test_damaged_pictures_are_counted_and_cost_no_time(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "scans", range(5))
    (folder / "scan_00001.png").write_bytes(b"no picture")
    report = DecodeReport()
    frames = list(decode(folder, probe(folder), report=report))
    assert [frame.pts for frame in frames] == [0, 2, 3, 4]
    assert report.corrupt_packets == 1


def test_the_digest_sees_every_name_and_size(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "scans", range(40))
    before = film_digest(folder)
    assert film_digest(folder / "scan_%05d.png") == before
    (folder / "scan_00021.png").unlink()
    assert film_digest(folder / "scan_%05d.png") != before


def test_a_folder_is_painted(tmp_path: Path, reference: Path, quick: Options) -> None:
    folder = write_pictures(tmp_path / "scans", [1, 2, 3, 7, 8, 10])
    options = Options(**{**vars(quick), "encode": EncodeSettings("ffv1")})
    result = colorize_video(folder, references=reference, options=options)
    assert result.output == tmp_path / "scans.color.mkv"
    assert result.notes[:2] == (
        "6 pictures scan_%05d.png are taken as 24 a second (fps=…)",
        "missing in scan_%05d.png: 4 to 6, 9; the picture before stays",
    )
    for number, y in zip((1, 2, 3, 7, 8, 10), luma_frames(result.output), strict=True):
        np.testing.assert_array_equal(y, luma(number))
    assert video_pts(result.output) == [round((n - 1) * 1000 / 24) for n in (1, 2, 3, 7, 8, 10)]


def test_scans_of_sixteen_bits_have_profiles(
    tmp_path: Path, reference: Path, quick: Options
) -> None:
    folder = write_pictures(tmp_path / "scans", range(1, 5), "film %d.tif", "rgb48le", 16)
    pattern = folder / "film %d.tif"
    with pytest.raises(MediaError, match="16-bit luma, which h264 cannot hold; use codec ffv1"):
        colorize_video(pattern, references=reference, options=quick)
    for profile, name in (("web", "film.color.mp4"), ("master", "film.color.mov")):
        encode: Any = settings_for(profile)  # type: ignore[arg-type]
        options = Options(**{**vars(quick), "encode": encode, "fps": Fraction(18)})
        result = colorize_video(pattern, references=reference, options=options, overwrite=True)
        assert result.output == folder / name
        assert f"profile {profile} takes luma from 16 bits" in result.notes[1]
        with av.open(str(result.output)) as film:
            assert film.streams.video[0].average_rate == 18


def test_fps_is_for_pictures_alone(film: Path) -> None:
    with pytest.raises(MediaError, match="fps=… is for numbered pictures"):
        probe(film, Fraction(24))
