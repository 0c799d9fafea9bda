"""Pictures of RGB: luma comes back exactly, and colours are those that were painted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from c2e_video.color.chroma import ab_to_chroma, quantize
from c2e_video.color.luma_range import LumaRange
from c2e_video.color.matrices import LUMA_WEIGHTS, Matrix
from c2e_video.utils.choices import Codec
from c2e_video.video.encode import Encoder, EncodeSettings, picture_format
from c2e_video.video.encode.rgb import rgb_steps
from c2e_video.video.frames import ColorBatch, Frame, FrameBatch, Shot, VideoInfo
from tests.factories import video_info

CASES: list[tuple[Codec, int, int]] = [
    ("png", 8, 8),
    ("png", 10, 16),
    ("png", 16, 16),
    ("tiff", 8, 8),
    ("tiff", 12, 16),
    ("tiff", 16, 16),
    ("dpx", 8, 8),
    ("dpx", 9, 10),
    ("dpx", 10, 10),
    ("dpx", 12, 12),
    ("dpx", 16, 16),
]


def colorized(info: VideoInfo) -> ColorBatch:
    """Every kind of luma from black to white, under strong colours, as the network's are fitted to it."""
    black, white = info.luma_range.ends
    rng = np.random.default_rng(info.bit_depth)
    kind: Any = np.uint8 if info.bit_depth == 8 else np.uint16
    luma = rng.integers(black, white + 1, (info.height, info.width)).astype(kind)
    luma[0, :4] = (black, black + 1, white - 1, white)
    gray = torch.from_numpy((luma.astype(np.float32) - black) / (white - black))[None, None]
    ab = torch.from_numpy(rng.uniform(-80, 80, (1, 2, *luma.shape)).astype(np.float32))
    picture = picture_format(info, EncodeSettings("png"))
    layout = LumaRange(picture.bit_depth, picture.full_range)
    chroma = [quantize(p, layout).numpy() for p in ab_to_chroma(gray, ab, info.colorimetry)]
    return ColorBatch(FrameBatch((Frame(luma, 0, 1),), Shot(0, 0, 1)), *chroma)


def written(path: Path, info: VideoInfo, codec: Codec) -> tuple[ColorBatch, av.VideoFrame]:
    """A batch, and the picture that is in its part."""
    batch = colorized(info)
    with Encoder(path, info, EncodeSettings(codec)) as encoder:
        encoder.write(batch)
    with av.open(str(path)) as part:
        return batch, next(part.decode(video=0))


def luma_of(red: Any, green: Any, blue: Any, info: VideoInfo, depth: int) -> Any:
    """The film's samples, computed from R, G and B by its matrix and range."""
    kr, kg, kb = LUMA_WEIGHTS[info.matrix]
    black, white = info.luma_range.ends
    unit = (kr * red + kg * green + kb * blue) / ((1 << depth) - 1)
    return np.rint(unit * (white - black) + black)


@pytest.mark.parametrize("full_range", [True, False])
@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
@pytest.mark.parametrize(("codec", "bit_depth", "depth"), CASES)
def test_luma_comes_back_exactly(
    tmp_path: Path, codec: Codec, bit_depth: int, depth: int, matrix: Matrix, full_range: bool
) -> None:
    info = video_info(97, 61, bit_depth, matrix=matrix, full_range=full_range)
    batch, picture = written(tmp_path / "part.mov", info, codec)
    layout = "gbrp" if depth in (10, 12) else "rgb24" if depth == 8 else "rgb48"
    assert picture.format.name.startswith(layout)
    array = picture.to_ndarray().astype(np.float64)
    found = luma_of(array[..., 0], array[..., 1], array[..., 2], info, depth)
    np.testing.assert_array_equal(found, batch.gray.luma[0])


@pytest.mark.parametrize("tags", [("bt709", 1, 1), ("bt2020", 9, 16), ("bt709", 12, 13)])
@pytest.mark.parametrize("full_range", [True, False])
@pytest.mark.parametrize(("bit_depth", "form"), [(8, "16"), (10, "16"), (12, "32"), (16, "32")])
def test_openexr_holds_light_of_which_luma_comes_back(
    tmp_path: Path, bit_depth: int, form: str, full_range: bool, tags: tuple[Matrix, int, int]
) -> None:
    matrix, primaries, transfer = tags
    info = video_info(
        *(97, 61, bit_depth),
        full_range=full_range,
        matrix=matrix,
        primaries=primaries,
        transfer=transfer,
    )
    batch, picture = written(tmp_path / "part.mov", info, "exr")
    assert picture.format.name == f"gbrpf{form}le"
    planes: Any = picture.planes
    green, blue, red = (
        np.frombuffer(plane, f"<f{int(form) // 8}").reshape(61, -1)[:, :97].astype(np.float64)
        for plane in planes
    )
    film = info.colorimetry
    light = torch.from_numpy(np.stack((red, green, blue)))
    encoded = film.curve.encode(light).numpy()
    found = luma_of(encoded[0], encoded[1], encoded[2], info, 1)
    np.testing.assert_array_equal(found, batch.gray.luma[0])


def test_colours_are_those_that_were_painted(tmp_path: Path) -> None:
    """A sample of each, from the formulas of BT.709: white, gray, and a red of luma 0.2126."""
    info = video_info(3, 1, 8, full_range=True, matrix="bt709")
    luma = np.array([[255, 128, 54]], np.uint8)
    middle = 1 << 15
    cb = np.array([[middle, middle, middle - round(65535 * 0.2126 / 1.8556)]], np.uint16)
    cr = np.array([[middle, middle, 65535]], np.uint16)
    red, green, blue = rgb_steps(luma, cb, cr, info, 8)
    assert red.tolist() == [[255, 128, 255]]
    assert green.tolist() == [[255, 128, 0]]
    assert blue.tolist() == [[255, 128, 0]]


def test_luma_outside_black_and_white_is_cut_off() -> None:
    info = video_info(4, 1, 8)
    luma = np.array([[0, 16, 235, 255]], np.uint8)
    middle = np.full((1, 4), 1 << 15, np.uint16)
    for plane in rgb_steps(luma, middle, middle, info, 8):
        assert plane.tolist() == [[0, 0, 255, 255]]


@pytest.mark.parametrize(
    ("primaries", "transfer", "tags"),
    [(2, 2, (1, 13)), (1, 1, (1, 13)), (12, 13, (12, 13)), (9, 16, (9, 16))],
)
def test_png_says_what_its_colours_are(
    tmp_path: Path, primaries: int, transfer: int, tags: tuple[int, int]
) -> None:
    info = video_info(8, 8, 8, primaries=primaries, transfer=transfer)
    _, picture = written(tmp_path / "part.mov", info, "png")
    assert (picture.color_primaries, picture.color_trc) == tags
