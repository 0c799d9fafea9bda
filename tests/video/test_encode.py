"""Parts: luma bit for bit, time exact, and a clear word for what a codec cannot do."""

from __future__ import annotations

import os
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import av.logging
import cv2
import numpy as np
import pytest

from c2e_video.color.luma_range import LumaRange
from c2e_video.errors import MediaError
from c2e_video.utils.arrays import Plane
from c2e_video.video.encode import (
    Codec,
    Encoder,
    EncodeSettings,
    ProfileName,
    conversion,
    part_suffix,
    picture_format,
    settings_for,
)
from c2e_video.video.frames import ColorBatch, Frame, FrameBatch, Shot, VideoInfo
from tests import media
from tests.factories import video_info

CODECS: tuple[Codec, ...] = ("h264", "h265", "ffv1", "prores", "av1")
FAST = {"h264": "veryfast", "h265": "ultrafast", "av1": "12"}


def settings(codec: Codec) -> EncodeSettings:
    return EncodeSettings(codec, preset=FAST.get(codec))


def info(size: tuple[int, int] = (64, 48), bit_depth: int = 8, **other: Any) -> VideoInfo:
    usual = {"time_base": Fraction(1, 24000), "frame_rate": Fraction(24000, 1001)}
    return video_info(*size, bit_depth, **(usual | other))


def lumas(film: VideoInfo, count: int) -> list[Plane]:
    size = (film.width, film.height)
    return [media.luma(index, size=size, bit_depth=film.bit_depth) for index in range(count)]


def painted(film: VideoInfo, picture: Any, grays: list[Plane], pts: list[int]) -> ColorBatch:
    """Frames at ``pts`` with chroma that differs from sample to sample."""
    sx, sy = picture.subsampling
    shape = (len(grays), -(-film.height // sy), -(-film.width // sx))
    dtype = np.uint8 if picture.bit_depth == 8 else np.uint16
    slope = np.arange(np.prod(shape)).reshape(shape) % 64 + (96 << (picture.bit_depth - 8))
    frames = tuple(Frame(gray, at, 1001) for gray, at in zip(grays, pts, strict=True))
    shot = Shot(0, pts[0], pts[-1] + 1)
    return ColorBatch(FrameBatch(frames, shot), slope.astype(dtype), slope[:, ::-1].astype(dtype))


def write(path: Path, film: VideoInfo, how: EncodeSettings, pts: list[int]) -> tuple[Any, Any]:
    with Encoder(path, film, how) as encoder:
        batch = painted(film, encoder.picture, lumas(film, len(pts)), pts)
        encoder.write(batch)
        return encoder.close(), batch


def decoded(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as file:
        return list(file.decode(video=0))


def planes(frame: av.VideoFrame, bit_depth: int) -> list[Plane]:
    return [media.plane_array(plane, bit_depth).copy() for plane in frame.planes]


@pytest.mark.parametrize("size", [(64, 48), (65, 47), (640, 360)])
@pytest.mark.parametrize("bit_depth", [8, 10, 12, 16])
def test_ffv1_keeps_every_sample(tmp_path: Path, bit_depth: int, size: tuple[int, int]) -> None:
    film = info(size, bit_depth)
    part, batch = write(tmp_path / "part.mkv", film, EncodeSettings("ffv1"), [0, 1001, 2002])
    for frame, gray, cb, cr in zip(
        decoded(part.path), batch.gray.frames, batch.cb, batch.cr, strict=True
    ):
        for got, given in zip(planes(frame, bit_depth), (gray.luma, cb, cr), strict=True):
            np.testing.assert_array_equal(got, given)


def test_a_deeper_codec_gets_luma_shifted_left_exactly(tmp_path: Path) -> None:
    film = info(bit_depth=11)  # ffv1 has 12
    part, batch = write(tmp_path / "part.mkv", film, EncodeSettings("ffv1"), [0])
    (frame,) = decoded(part.path)
    assert frame.format.name == "yuv420p12le"
    np.testing.assert_array_equal(planes(frame, 12)[0], batch.gray.frames[0].luma << 1)


def test_prores_is_ten_bit_for_an_eight_bit_film(tmp_path: Path) -> None:
    film = info()
    part, batch = write(tmp_path / "part.mov", film, EncodeSettings("prores"), [0])
    (frame,) = decoded(part.path)
    assert frame.format.name == "yuv422p10le"
    error = planes(frame, 10)[0].astype(int) - (batch.gray.frames[0].luma.astype(int) << 2)
    assert np.abs(error).max() <= 16  # of 1023: ProRes is lossy


# What the source is, what the profile makes of it, and how luma must then be.
CONVERSIONS: list[tuple[ProfileName, dict[str, Any], str, str, bool]] = [
    ("web", {"bit_depth": 8}, "yuv420p", "", True),
    ("web", {"bit_depth": 10}, "yuv420p", "from 10 bits to 8", True),
    ("web", {"bit_depth": 16, "full_range": True}, "yuv420p", "from 16 bits to 8", True),
    ("archive", {"bit_depth": 12, "full_range": True}, "yuv420p12le", "", True),
    ("master", {"bit_depth": 8}, "yuv422p10le", "", False),
    ("master", {"bit_depth": 12}, "yuv422p10le", "from 12 bits to 10", False),
    ("master", {"full_range": True}, "yuv422p10le", "from full to limited range", False),
]


@pytest.mark.parametrize(("profile", "film", "form", "said", "exact"), CONVERSIONS)
def test_a_profile_has_its_depth_and_says_what_that_does_to_luma(
    tmp_path: Path, profile: ProfileName, film: dict[str, Any], form: str, said: str, exact: bool
) -> None:
    source = info(**film)
    lossless = {"crf": 0, "preset": "veryfast"} if profile == "web" else {}
    how = settings_for(profile, **lossless)  # type: ignore[arg-type]
    line = conversion(source, how)
    assert said in line if said and line else line is None
    part, batch = write(tmp_path / f"part{part_suffix(how)}", source, how, [0, 1001])
    picture = picture_format(source, how)
    before = LumaRange(source.bit_depth, source.full_range)
    (black, white), (low, high) = before.ends, LumaRange(picture.bit_depth, picture.full_range).ends
    for frame, gray in zip(decoded(part.path), batch.gray.frames, strict=True):
        assert frame.format.name.replace("yuvj", "yuv") == form
        assert frame.color_range == (2 if picture.full_range else 1)
        wanted = (gray.luma.astype(float) - black) * ((high - low) / (white - black)) + low
        error = np.abs(planes(frame, picture.bit_depth)[0] - wanted).max()
        assert error <= (0.5 if exact else 16)  # of 1023, and ProRes is lossy


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("web", "ffv1"), "profile web is h264 in .mp4, got codec ffv1; give one of the two"),
        (("cinema",), "profile is one of web, master, archive; got 'cinema'"),
        (("archive", None, 12.0), "crf 12.0 means nothing to ffv1"),
    ],
)
def test_profiles_that_cannot_be(arguments: Any, words: str) -> None:
    with pytest.raises(MediaError, match=words):
        settings_for(*arguments)


def test_a_profile_takes_its_own_codec_and_web_no_odd_sizes() -> None:
    assert settings_for("master", "prores") == EncodeSettings("prores", profile="master")
    assert settings_for(None) == EncodeSettings()
    with pytest.raises(MediaError, match="even sizes only, got 65x48; use codec h264 without"):
        picture_format(info((65, 48)), settings_for("web"))


def test_the_archives_slices_have_their_checksums(tmp_path: Path) -> None:
    """A bit turned over in a slice is found by the decoder."""
    part, _ = write(tmp_path / "part.mkv", info(), settings_for("archive"), [0])
    data = bytearray(part.path.read_bytes())
    packet = media.packets(part.path, "video")[0].data
    data[data.index(packet) + len(packet) // 2] ^= 1
    part.path.write_bytes(data)
    before = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    with av.logging.Capture() as lines, av.open(str(part.path)) as file:
        file.streams.video[0].codec_context.thread_count = 1
        list(file.decode(video=0))
    av.logging.set_level(before)
    assert any("slice CRC mismatch" in line for _, _, line in lines)


def test_luma_may_be_a_view_of_padded_rows(tmp_path: Path) -> None:
    film = info((62, 48))
    wide = media.luma(0, size=(128, 48))
    with Encoder(tmp_path / "part.mkv", film, EncodeSettings("ffv1")) as encoder:
        encoder.write(painted(film, encoder.picture, [wide[:, 3:65]], [0]))
        part = encoder.close()
    np.testing.assert_array_equal(planes(decoded(part.path)[0], 8)[0], wide[:, 3:65])


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("count", [1, 2, 12])
def test_times_are_exact_with_a_hole_and_a_variable_rate(
    tmp_path: Path, codec: Codec, count: int
) -> None:
    film, how = info(), settings(codec)
    pts = [
        88211,
        89212,
        90213,
        90714,
        93000,
        105012,
        106013,
        107014,
        108015,
        110017,
        111018,
        111519,
    ]
    part, _ = write(tmp_path / f"part{part_suffix(how)}", film, how, pts[:count])
    assert part.pts == tuple(pts[:count])
    assert part.durations == (1001,) * count
    times = media.video_pts(part.path)
    assert len(times) == count
    if codec != "ffv1":  # whose part has a clock of milliseconds
        assert times == pts[:count]


def test_x264_uses_b_frames(tmp_path: Path) -> None:
    how = EncodeSettings("h264", crf=30, preset="medium")
    part, _ = write(tmp_path / "part.mp4", info(), how, [1001 * k for k in range(12)])
    times = [packet.pts or 0 for packet in media.packets(part.path, "video")]
    assert any(after < before for before, after in pairwise(times))


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("full_range", [False, True])
def test_colour_tags_are_on_the_part(tmp_path: Path, codec: Codec, full_range: bool) -> None:
    if codec == "prores" and full_range:
        pytest.skip("refused")
    film = info(matrix="bt709", transfer=1, primaries=1, full_range=full_range)
    part, _ = write(tmp_path / f"part{part_suffix(settings(codec))}", film, settings(codec), [0])
    (frame,) = decoded(part.path)
    tags = frame.colorspace, frame.color_trc, frame.color_primaries, frame.color_range
    assert tags == (1, 1, 1, 2 if full_range else 1)


def test_unknown_tags_stay_unknown(tmp_path: Path) -> None:
    part, _ = write(tmp_path / "part.mp4", info(), settings("h264"), [0])
    (frame,) = decoded(part.path)
    assert (frame.colorspace, frame.color_trc, frame.color_primaries) == (6, 2, 2)


@pytest.mark.parametrize(
    ("codec", "size", "bit_depth", "pixel_format", "subsampling"),
    [
        ("h264", (64, 48), 8, "yuv420p", (2, 2)),
        ("h264", (64, 48), 9, "yuv420p10le", (2, 2)),
        ("h264", (65, 48), 8, "yuv444p", (1, 1)),
        ("h265", (64, 47), 12, "yuv444p12le", (1, 1)),
        ("h265", (64, 48), 12, "yuv420p12le", (2, 2)),
        ("ffv1", (65, 47), 14, "yuv420p14le", (2, 2)),
        ("prores", (65, 47), 8, "yuv422p10le", (2, 1)),
        ("av1", (65, 47), 10, "yuv420p10le", (2, 2)),
    ],
)
def test_formats(
    tmp_path: Path,
    codec: Codec,
    size: tuple[int, int],
    bit_depth: int,
    pixel_format: str,
    subsampling: tuple[int, int],
) -> None:
    film, how = info(size, bit_depth), settings(codec)
    picture = picture_format(film, how)
    assert (picture.pixel_format, picture.subsampling) == (pixel_format, subsampling)
    part, _ = write(tmp_path / f"part{part_suffix(how)}", film, how, [0, 1001])
    assert [(frame.width, frame.height) for frame in decoded(part.path)] == [size] * 2


@pytest.mark.parametrize(
    ("codec", "film", "words"),
    [
        ("h264", info(bit_depth=12), "12-bit luma, which h264 cannot hold; use codec h265 or ffv1"),
        ("prores", info(bit_depth=16), "use codec ffv1"),
        ("prores", info(full_range=True), "use codec h264 or h265 or ffv1 or dnxhr or av1"),
        ("h265", info((15, 15)), "at least 16x16, got 15x15"),
        ("av1", info((3, 64)), "at least 4x4, got 3x64"),
    ],
)
def test_what_a_codec_cannot_hold(codec: Codec, film: VideoInfo, words: str) -> None:
    with pytest.raises(MediaError, match=words):
        picture_format(film, EncodeSettings(codec))


def test_an_encoder_that_refuses_says_so_before_the_first_frame(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="the ffv1 encoder refuses 3x200 pictures"):
        Encoder(tmp_path / "part.mkv", info((3, 200)), EncodeSettings("ffv1"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"codec": "vp9"},
            "codec is one of h264, h265, ffv1, .*, exr; got 'vp9'",
        ),
        ({"codec": "ffv1", "crf": 12}, "crf 12 means nothing to ffv1"),
        ({"codec": "prores", "preset": "slow"}, "preset slow means nothing to prores"),
        ({"codec": "h264", "crf": 52}, "crf is 0 to 51 for h264, got 52"),
        ({"codec": "h264", "crf": -1}, "got -1"),
        ({"codec": "h264", "crf": float("nan")}, "got nan"),
        ({"codec": "av1", "crf": 24.5}, "a whole number from 0 to 63 for av1, got 24.5"),
        ({"codec": "h265", "preset": "quick"}, "preset is one of ultrafast, .* got 'quick'"),
        ({"codec": "av1", "preset": "14"}, "preset is one of 0, 1, .* got '14'"),
    ],
)
def test_settings_that_make_no_sense(given: dict[str, Any], words: str) -> None:
    with pytest.raises(MediaError, match=words):
        EncodeSettings(**given)


def test_crf_and_preset_reach_the_encoder(tmp_path: Path) -> None:
    sizes = []
    for crf in (10, 40):
        how = EncodeSettings("h264", crf=crf, preset="ultrafast")
        part, _ = write(
            tmp_path / f"{crf}.mp4", info((320, 240)), how, [1001 * k for k in range(4)]
        )
        sizes.append(part.path.stat().st_size)
    assert sizes[1] < sizes[0] / 2


def test_an_exception_leaves_no_file(tmp_path: Path) -> None:
    film = info()

    def fail() -> None:
        with Encoder(tmp_path / "part.mp4", film, settings("h264")) as encoder:
            encoder.write(painted(film, encoder.picture, lumas(film, 2), [0, 1001]))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert not list(tmp_path.iterdir())


def test_a_change_of_size_is_named(tmp_path: Path) -> None:
    film = info()
    other = info((32, 32))
    with (
        pytest.raises(MediaError, match=r"changes from 64x48 to 32x32 at 0\.042 s"),
        Encoder(tmp_path / "part.mkv", film, EncodeSettings("ffv1")) as encoder,
    ):
        encoder.write(painted(other, encoder.picture, lumas(other, 1), [1001]))


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="No such file or directory"):
        Encoder(tmp_path / "none" / "part.mp4", info(), settings("h264"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("codec", ["h264", "ffv1"])
def test_a_full_disk_is_one_line(tmp_path: Path, codec: Codec) -> None:
    film = info((320, 240))
    path = tmp_path / f"part{part_suffix(settings(codec))}"
    path.symlink_to("/dev/full")
    with pytest.raises(MediaError, match="No space left on device"):
        write(path, film, settings(codec), [1001 * k for k in range(8)])
    assert not path.is_symlink()


def test_any_file_name_will_do(tmp_path: Path) -> None:
    path = tmp_path / "-12:30 'ü\n.mp4"
    part, _ = write(path, info(), settings("h264"), [0])
    assert part.path == path
    assert path.stat().st_size > 0


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs processors to choose from")
def test_the_pictures_do_not_depend_on_the_number_of_processors(tmp_path: Path) -> None:
    """x264 bounds vertical motion by its number of threads."""
    allowed = os.sched_getaffinity(0)
    if len(allowed) < 2:
        pytest.skip("needs two processors")
    film, pts = info((640, 368)), list(range(0, 40040, 1001))
    noise = np.random.default_rng(0).integers(16, 235, (23, 40), dtype=np.uint8)
    texture = cv2.resize(noise, (640, 368), interpolation=cv2.INTER_CUBIC)
    falling: Any = [np.roll(texture, 2 * k * k, 0) for k in range(len(pts))]

    def pictures(name: str) -> list[bytes]:
        with Encoder(tmp_path / name, film, EncodeSettings("h264")) as encoder:
            encoder.write(painted(film, encoder.picture, falling, pts))
            part = encoder.close()
        return [plane.tobytes() for frame in decoded(part.path) for plane in planes(frame, 8)]

    many = pictures("many.mp4")
    os.sched_setaffinity(0, {min(allowed)})
    try:
        one = pictures("one.mp4")
    finally:
        os.sched_setaffinity(0, allowed)
    assert one == many


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs a list of threads")
def test_an_encoder_takes_no_priority_over_other_programs(tmp_path: Path) -> None:
    """SVT-AV1, run as root, takes the highest there is, for itself and for its caller."""
    policy = os.sched_getscheduler(0)
    with Encoder(tmp_path / "a.mp4", info(), EncodeSettings("av1")) as encoder:
        threads = [int(task.name) for task in Path("/proc/self/task").iterdir()]
        assert {os.sched_getscheduler(thread) for thread in threads} == {policy}
        encoder.write(painted(info(), encoder.picture, [np.zeros((48, 64), np.uint8)], [0]))
        encoder.close()


def test_h264_looks_few_frames_ahead_unless_a_preset_is_asked_for(tmp_path: Path) -> None:
    """x264 writes its settings into the film."""
    for name, preset, frames in (("usual", None, b"20"), ("slow", "slow", b"50")):
        how = EncodeSettings("h264", preset=preset).with_preset()
        part, _ = write(tmp_path / f"{name}.mp4", info(), how, [0])
        assert b"rc_lookahead=" + frames + b" " in part.path.read_bytes()
