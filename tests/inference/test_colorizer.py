"""References become looks, batches become chroma."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from c2e_video.color.chroma import ChromaOffsets, chroma_to_rgb, quantize
from c2e_video.color.chroma_table import table_chroma
from c2e_video.color.luma_range import LumaRange
from c2e_video.errors import BadWeights, C2EError
from c2e_video.inference.batching import frames_held
from c2e_video.inference.colorizer import Colorizer
from c2e_video.inference.luma_planes import network_size
from c2e_video.model import save_weights
from c2e_video.utils.devices import find_device, find_dtype
from c2e_video.video.frames import Frame, FrameBatch, PictureFormat, Shot, VideoInfo
from tests.color.test_colorimetry import displayed
from tests.factories import TINY, color_noise, random_model, video_info

SHOT = Shot(0, 0, 100)
YUV420 = PictureFormat("yuv420p", 8, (2, 2), "bt601", False)


def film(width: int = 64, height: int = 48, depth: int = 8, full: bool = False) -> VideoInfo:
    return video_info(width, height, depth, full_range=full)


def batch(count: int = 3, width: int = 64, height: int = 48, depth: int = 8) -> FrameBatch:
    rng = np.random.default_rng(0)
    top = 235 << depth - 8
    dtype = np.uint8 if depth == 8 else np.uint16
    lumas = rng.integers(16 << depth - 8, top, (count, height, width)).astype(dtype)
    return FrameBatch(tuple(Frame(luma, i, 1) for i, luma in enumerate(lumas)), SHOT)


def picture(seed: int, height: int = 40, width: int = 56) -> Any:
    return color_noise(seed, height, width)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_weights(random_model(), path)
    return path


@pytest.fixture(scope="module")
def colorizer(weights: Path) -> Colorizer:
    return Colorizer(weights, device="cpu", precision="fp32", size=32, saturation=4.0)


@pytest.mark.parametrize(
    ("form", "depth", "size"),
    [
        (YUV420, 8, (24, 32)),
        (PictureFormat("yuv422p10le", 10, (2, 1), "bt709", False), 8, (48, 32)),
        (PictureFormat("yuv444p12le", 12, (1, 1), "bt2020", True), 12, (48, 64)),
    ],
)
def test_chroma_has_the_formats_size_and_depth(
    colorizer: Colorizer, form: PictureFormat, depth: int, size: tuple[int, int]
) -> None:
    gray = batch(depth=depth)
    painted = colorizer.colorize(gray, colorizer.embed(picture(1)), film(depth=depth), form)
    assert painted.gray is gray
    assert painted.cb.shape == painted.cr.shape == (3, *size)
    assert painted.cb.dtype == (np.uint8 if form.bit_depth == 8 else np.uint16)
    assert painted.cb.max() < 1 << form.bit_depth
    assert painted.cb.std() > 0


@pytest.mark.parametrize(("primaries", "transfer"), [(12, 13), (5, 6), (6, 6), (9, 16), (9, 18)])
def test_wide_films_look_as_plain_ones(colorizer: Colorizer, primaries: int, transfer: int) -> None:
    """The same light of gray, under other tags, is seen in the same colours; its luma is not touched."""
    plain, wide = (
        replace(film(depth=16, full=True), primaries=p, transfer=t)
        for p, t in ((1, 13), (primaries, transfer))
    )
    curve = wide.colorimetry.curve
    light = torch.linspace(0.05, 0.4, 64 * 48, dtype=torch.float64).view(48, 64)
    form = PictureFormat("yuv444p16le", 16, (1, 1), "bt601", True)
    embedding = colorizer.embed(picture(1))
    seen = []
    for info in (plain, wide):
        scene = light ** (1 / (curve.system_gamma or 1)) if info is wide else light
        code = info.colorimetry.curve.encode(scene).mul(65535).round().numpy().astype(np.uint16)
        painted = colorizer.colorize(FrameBatch((Frame(code, 0, 1),), SHOT), embedding, info, form)
        planes = (
            torch.from_numpy(p.astype(np.float64) / 65535 - 0.5) for p in (painted.cb, painted.cr)
        )
        gray = torch.from_numpy(code / 65535)[None, None]
        rgb = chroma_to_rgb(gray, ChromaOffsets(*planes), "bt601")
        seen.append(displayed(rgb.float(), info.colorimetry))
    saturated = seen[0][:, 1:].abs().mean()
    assert saturated > 3
    assert (seen[0] - seen[1])[:, 1:].abs().mean() < 0.15 * saturated
    assert (seen[0] - seen[1])[:, 1:].abs().median() < 0.5


def test_odd_and_tiny_sizes(colorizer: Colorizer) -> None:
    embedding = colorizer.embed(picture(1))
    for width, height in ((1, 1), (17, 33), (3, 200)):
        painted = colorizer.colorize(
            batch(2, width, height), embedding, film(width, height), YUV420
        )
        assert painted.cb.shape == (2, -(-height // 2), -(-width // 2))


def test_one_look_and_the_same_look_a_frame_are_equal(colorizer: Colorizer) -> None:
    embedding = colorizer.embed(picture(1))
    once = colorizer.colorize(batch(), embedding, film(), YUV420)
    each = colorizer.colorize(batch(), [embedding] * 3, film(), YUV420)
    assert np.abs(once.cb.astype(int) - each.cb).max() <= 1
    assert (once.cb != each.cb).mean() < 0.01


def test_a_frame_is_painted_the_same_in_any_batch(colorizer: Colorizer) -> None:
    embedding, frames = colorizer.embed(picture(1)), batch(5)
    whole = colorizer.colorize(frames, embedding, film(), YUV420)
    alone = colorizer.colorize(FrameBatch(frames.frames[3:4], SHOT), embedding, film(), YUV420)
    np.testing.assert_array_equal(alone.cr[0], whole.cr[3])


def test_looks_change_the_colour_and_blend_between(colorizer: Colorizer) -> None:
    first, second = (
        colorizer.embed(picture(1)),
        colorizer.embed(np.full((40, 56, 3), (200, 30, 30), np.uint8)),
    )

    def painted(embedding: Any) -> Any:
        return colorizer.colorize(batch(1), embedding, film(), YUV420).cr.astype(float)

    assert first.blend(second, 0) is first
    assert first.blend(second, 1) is second
    a, b = painted(first), painted(second)
    steps = [painted(first.blend(second, t)) for t in np.linspace(0, 1, 21)]
    jumps = [np.abs(y - x).mean() for x, y in pairwise(steps)]
    assert np.abs(a - b).mean() > 0.1
    assert max(jumps) < 0.5 * np.abs(a - b).mean() + 0.1


def test_equal_pictures_have_equal_digests(colorizer: Colorizer) -> None:
    one, same, other = (colorizer.embed(picture(seed)) for seed in (1, 1, 2))
    assert one.digest == same.digest != other.digest
    assert one.vector.shape == (16,)


def test_saturation_zero_is_gray(weights: Path) -> None:
    gray = Colorizer(weights, device="cpu", size=32, saturation=0)
    painted = gray.colorize(batch(), gray.embed(picture(1)), film(), YUV420)
    assert set(np.unique(painted.cb)) == set(np.unique(painted.cr)) == {128}


def test_paint_keeps_luma(colorizer: Colorizer) -> None:
    gray = np.random.default_rng(3).integers(0, 256, (37, 50), dtype=np.uint8)
    rgb = colorizer.colorize_image(gray, colorizer.embed(picture(1)))
    luma = rgb @ np.array([0.299, 0.587, 0.114])
    assert rgb.shape == (37, 50, 3)
    assert np.abs(luma - gray).max() <= 1


def test_a_cpu_paints_a_frame_with_each_of_its_cores(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("c2e_video.inference.batching.processors", lambda: 2)
    painter = Colorizer(weights, device="cpu", precision="fp32", size=32)
    embeddings = [painter.embed(picture(seed)) for seed in (1, 2, 1, 3, 1)]
    alone = [
        painter.colorize(
            replace(batch(5), frames=batch(5).frames[k : k + 1]), embeddings[k], film(), YUV420
        )
        for k in range(5)
    ]
    paint, together = Colorizer._predict_batch, threading.Barrier(2, timeout=60)
    threads = []

    def met(self: Colorizer, *rest: Any) -> Any:
        threads.append((threading.current_thread().name, torch.get_num_threads()))
        if len(threads) <= 2:
            together.wait()
        return paint(self, *rest)

    monkeypatch.setattr(Colorizer, "_predict_batch", met)
    before = torch.get_num_threads()
    painted = painter.colorize(batch(5), embeddings, film(), YUV420)
    np.testing.assert_array_equal(painted.cb, np.concatenate([one.cb for one in alone]))
    assert {count for _, count in threads} == {1}
    assert len({name for name, _ in threads}) == 2
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(("size", "most"), [((256, 448), 21), ((480, 848), 3), ((1024, 1792), 1)])
def test_frames_at_once_are_bounded_by_memory(size: tuple[int, int], most: int) -> None:
    assert frames_held(size) == most


def test_black_and_white_stay_neutral(colorizer: Colorizer) -> None:
    luma = np.full((48, 64), 16, np.uint8)
    luma[:, 32:] = 235
    gray = FrameBatch((Frame(luma, 0, 1),), SHOT)
    painted = colorizer.colorize(gray, colorizer.embed(picture(1)), film(), YUV420)
    inner = np.r_[0:15, 17:32]  # beside the edge a chroma sample covers both
    np.testing.assert_array_equal(painted.cb[0][:, inner], 128)
    np.testing.assert_array_equal(painted.cr[0][:, inner], 128)


def test_similarities_are_shares_and_need_a_memory(colorizer: Colorizer, tmp_path: Path) -> None:
    frame, info = Frame(np.zeros((48, 64), np.uint8), 0, 1), film()
    embeddings = [colorizer.embed(picture(seed)) for seed in (1, 2, 3)]
    shares = colorizer.similarities(frame, embeddings, info)
    assert len(shares) == 3
    assert all(0 <= share <= 1 for share in shares)
    save_weights(random_model(replace(TINY, memory=0)), tmp_path / "paper.safetensors")
    plain = Colorizer(tmp_path / "paper.safetensors", device="cpu", precision="fp32", size=32)
    (share,) = plain.similarities(frame, [plain.embed(picture(1))], info)
    assert math.isnan(share)


def test_out_of_memory_halves_the_batch(
    colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    embedding = colorizer.embed(picture(1))
    whole = colorizer.colorize(batch(5), embedding, film(), YUV420)
    paint, sizes = Colorizer._predict_batch, []

    def starved(self: Colorizer, lumas: list[Any], *rest: Any) -> Any:
        sizes.append(len(lumas))
        if len(lumas) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return paint(self, lumas, *rest)

    monkeypatch.setattr(Colorizer, "_predict_batch", starved)
    monkeypatch.setattr(colorizer.batch_runner, "is_parallel", False)
    monkeypatch.setattr(colorizer.batch_runner, "max_batch", 1 << 30)
    for _ in range(2):  # what did not fit is not tried again
        halved = colorizer.colorize(batch(5), embedding, film(), YUV420)
        np.testing.assert_array_equal(halved.cb, whole.cb)
    assert sizes == [5, 2, 2, 1, 2, 2, 1]
    assert caplog.text.count("out of memory") == 1


def test_memory_may_also_run_out_on_the_way_to_chroma(
    colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedding = colorizer.embed(picture(1))
    whole = colorizer.colorize(batch(5), embedding, film(), YUV420)

    def starved(gray: torch.Tensor, *rest: Any) -> Any:
        if len(gray) > 2:
            raise RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate")
        return table_chroma(gray, *rest)

    monkeypatch.setattr("c2e_video.inference.rendering.table_chroma", starved)
    monkeypatch.setattr(colorizer.batch_runner, "is_parallel", False)
    monkeypatch.setattr(colorizer.batch_runner, "max_batch", 1 << 30)
    halved = colorizer.colorize(batch(5), embedding, film(), YUV420)
    np.testing.assert_array_equal(halved.cr, whole.cr)
    assert colorizer.batch_runner.max_batch == 2


def test_one_frame_without_memory_is_an_error_never_gray(
    colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedding = colorizer.embed(picture(1))

    def starved(*_: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(colorizer.batch_runner, "is_parallel", False)
    monkeypatch.setattr(colorizer.batch_runner, "max_batch", 1 << 30)
    monkeypatch.setattr(Colorizer, "_predict_batch", starved)
    with pytest.raises(C2EError, match="smaller size="):
        colorizer.colorize(batch(2), embedding, film(), YUV420)


def test_other_errors_stay_themselves(
    colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedding = colorizer.embed(picture(1))

    def broken(*_: Any) -> Any:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Colorizer, "_predict_batch", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        colorizer.colorize(batch(2), embedding, film(), YUV420)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 8}, "size is 16"),
        ({"size": 9999}, "got 9999"),
        ({"saturation": -1.0}, "saturation"),
    ],
)
def test_settings_out_of_range(weights: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(C2EError, match=message):
        Colorizer(weights, **settings)


def test_missing_weights(tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match="no weights"):
        Colorizer(tmp_path / "none.safetensors")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there() -> None:
    with pytest.raises(C2EError, match=r"no device 'cuda' on this machine; there is: .*cpu"):
        find_device("cuda")


def test_named_precisions() -> None:
    cpu = torch.device("cpu")
    assert find_dtype("bf16", cpu) == torch.bfloat16
    assert find_dtype("auto", cpu) in (torch.float32, torch.bfloat16)


@pytest.mark.parametrize(
    ("shape", "size", "wanted"),
    [
        ((480, 854), 256, (256, 448)),
        ((1080, 1920), 256, (256, 448)),
        ((100, 60), 256, (96, 64)),
        ((1, 1), 256, (16, 16)),
        ((854, 480), 256, (448, 256)),
    ],
)
def test_network_size(shape: tuple[int, int], size: int, wanted: tuple[int, int]) -> None:
    assert network_size(shape, size) == wanted


@pytest.mark.parametrize("depth", [8, 10, 12])
@pytest.mark.parametrize("full", [False, True])
def test_luma_range_maps_black_and_white(depth: int, full: bool) -> None:
    scale, offset = LumaRange(depth, full).to_unit
    black, white = (0, (1 << depth) - 1) if full else (16 << depth - 8, 235 << depth - 8)
    assert (black - offset) * scale == pytest.approx(0)
    assert (white - offset) * scale == pytest.approx(1)


@pytest.mark.parametrize(
    ("depth", "full", "samples"),
    [
        (8, False, (16, 128, 240)),
        (10, False, (64, 512, 960)),
        (8, True, (0, 128, 255)),
        (12, True, (0, 2048, 4095)),
    ],
)
def test_quantized_chroma(depth: int, full: bool, samples: tuple[int, ...]) -> None:
    """H.273: limited-range chroma spans 224 steps of 8 bits around the middle, full range all."""
    planes = quantize(torch.tensor([[[-0.5, 0.0, 0.5]]]), LumaRange(depth, full)).numpy()
    np.testing.assert_allclose(planes.ravel().astype(int), samples, atol=1)


def test_an_embedding_does_not_depend_on_the_number_of_threads(colorizer: Colorizer) -> None:
    threads: list[int] = []
    embed = colorizer._model.embed

    def watched(reference: torch.Tensor) -> Any:
        threads.append(torch.get_num_threads())
        return embed(reference)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(colorizer._model, "embed", watched)
        colorizer.embed(picture(1))
    assert threads == [1]
