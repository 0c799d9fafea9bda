"""Luma is the decoder's own, in every container and pixel format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from c2e_video.utils.arrays import Plane
from c2e_video.video.decode import DecodeReport
from c2e_video.video.decode.decoder import probe
from c2e_video.video.decode.luma import luma_of
from tests.media import luma, luma_frames, plane_array, video_pts, write_film
from tests.video.decoding import frames_of, made_info


@pytest.mark.parametrize("name", ["f.mp4", "f.mov", "f.ts", "f.mkv", "f.avi", "f.nut", "f.webm"])
def test_luma_and_time_of_every_container(tmp_path: Path, name: str) -> None:
    film = write_film(tmp_path / name, shots=[7, 6])
    report = DecodeReport()
    frames = frames_of(film, report=report)
    expected = [luma(i) for i in range(7)] + [luma(i, shot=1) for i in range(6)]
    assert [frame.pts for frame in frames] == video_pts(film)
    for frame, y in zip(frames, expected, strict=True):
        assert np.array_equal(frame.luma, y)
    assert report == DecodeReport(frames=13)
    assert report.problems() == []


@pytest.mark.parametrize(
    ("codec", "pixel_format", "depth"),
    [
        ("ffv1", "yuv420p", 8),
        ("ffv1", "yuv422p", 8),
        ("ffv1", "yuv444p", 8),
        ("ffv1", "yuv410p", 8),
        ("ffv1", "yuva420p", 8),
        ("ffv1", "yuv420p9le", 9),
        ("ffv1", "yuv422p10le", 10),
        ("ffv1", "yuv444p12le", 12),
        ("ffv1", "yuv420p14le", 14),
        ("ffv1", "yuv420p16le", 16),
        ("ffv1", "gray", 8),
        ("ffv1", "gray10le", 10),
        ("ffv1", "gray12le", 12),
        ("ffv1", "gray16le", 16),
        ("ffv1", "ya8", 8),
        ("ffv1", "bgr0", 8),
        ("ffv1", "gbrp10le", 10),
        ("ffv1", "gbrp12le", 12),
        ("ffv1", "rgb48le", 16),
        ("mjpeg", "yuvj420p", None),
        ("rawvideo", "yuv420p10be", 10),
        ("rawvideo", "gray12be", 12),
        ("rawvideo", "nv12", 8),
        ("rawvideo", "yuyv422", 8),
        ("rawvideo", "uyvy422", 8),
        ("rawvideo", "rgb24", 8),
        ("rawvideo", "gbrp", 8),
        ("rawvideo", "rgb48be", 16),
        ("rawvideo", "pal8", 8),
        ("v210", "yuv422p10le", 10),
        ("png", "rgb48be", 16),
        ("png", "gray16be", 16),
    ],
)
def test_luma_of_every_pixel_format(
    tmp_path: Path, codec: str, pixel_format: str, depth: int | None
) -> None:
    """Bit for bit; for RGB because the pictures are gray, R = G = B."""
    suffix = {"rawvideo": "nut", "v210": "mov", "png": "mov", "mjpeg": "avi"}.get(codec, "mkv")
    film = write_film(tmp_path / f"f.{suffix}", 3, (50, 38), codec=codec, pixel_format=pixel_format)
    info, frames = probe(film), frames_of(film)
    assert len(frames) == 3
    if depth is None:
        expected: list[Plane] = luma_frames(film)
    else:
        expected = [luma(i, size=(50, 38), bit_depth=depth) for i in range(3)]
        assert info.bit_depth == depth
    for frame, y in zip(frames, expected, strict=True):
        assert frame.luma.dtype == (np.uint8 if info.bit_depth == 8 else np.uint16)
        assert np.array_equal(frame.luma, y)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (63, 47), (17, 1)])
def test_odd_and_tiny_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    film = write_film(tmp_path / "f.mkv", 3, size, codec="ffv1")
    info = probe(film)
    assert (info.width, info.height) == size
    for index, frame in enumerate(frames_of(film)):
        assert np.array_equal(frame.luma, luma(index, size=size))


@pytest.mark.parametrize(
    ("colorspace", "weights"), [(5, (0.299, 0.114)), (1, (0.2126, 0.0722)), (9, (0.2627, 0.0593))]
)
@pytest.mark.parametrize(
    ("pixel_format", "depth"), [("gbrp", 8), ("gbrp10le", 10), ("gbrp16le", 16)]
)
def test_rgb_is_weighted_to_the_nearest_step(
    tmp_path: Path, colorspace: int, weights: tuple[float, float], pixel_format: str, depth: int
) -> None:
    random_samples = np.random.default_rng(0)
    colored = av.VideoFrame(32, 24, pixel_format)
    planes: Sequence[Any] = colored.planes
    green, blue, red = (plane_array(plane, depth) for plane in planes)
    for plane in (green, blue, red):
        plane[:] = random_samples.integers(0, 1 << depth, plane.shape)
    colored.pts = 0
    info = made_info(32, 24, pixel_format, depth, {5: "bt601", 1: "bt709", 9: "bt2020"}[colorspace])
    y = luma_of(colored, info, DecodeReport())
    kr, kb = weights
    exact = kr * red.astype(float) + (1 - kr - kb) * green.astype(float) + kb * blue.astype(float)
    assert np.abs(y - exact).max() < 0.5 + 2**depth * 2e-5


def test_luma_is_a_view_that_cannot_be_written(tmp_path: Path) -> None:
    frame = frames_of(write_film(tmp_path / "f.mkv", 1, (50, 38), codec="ffv1"))[0]
    assert frame.luma.strides[0] > 50  # the decoder's rows are padded: no copy was made
    with pytest.raises(ValueError, match="read-only"):
        frame.luma[0, 0] = 0


def test_a_frame_outlives_its_film(tmp_path: Path) -> None:
    kept = frames_of(write_film(tmp_path / "f.mp4", 40, b_frames=2))
    assert all(np.array_equal(frame.luma, luma(i)) for i, frame in enumerate(kept))
