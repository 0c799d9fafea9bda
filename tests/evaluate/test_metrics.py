"""Each figure against values known beforehand, and against scikit-image where it has the figure."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from c2e_video.errors import BadWeights, C2EError
from c2e_video.evaluate import metrics
from c2e_video.evaluate.lpips import Lpips
from c2e_video.evaluate.metrics import Doubles, Gray, Mean, Motion
from c2e_video.utils.arrays import Floats, Picture
from tests.factories import color_noise


def noise(seed: int = 0, size: tuple[int, int] = (40, 48)) -> Picture:
    return color_noise(seed, *size)


def flat(*color: int, size: tuple[int, int] = (40, 48)) -> Picture:
    return np.full((*size, 3), color, dtype=np.uint8)


def disturbed(picture: Picture, sigma: float) -> Picture:
    grain = np.random.default_rng(9).normal(0, sigma, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def texture(size: tuple[int, int] = (96, 128)) -> Gray:
    """Smooth random spots, which optical flow can follow."""
    coarse = np.random.default_rng(3).integers(0, 256, (size[0] // 8, size[1] // 8))
    fine = torch.from_numpy(coarse)[None, None].float()
    return F.interpolate(fine, size, mode="bicubic").clamp(0, 255)[0, 0].byte().numpy()


# --- pictures ---------------------------------------------------------------------------------


def test_gray_is_bt601_luma_rounded() -> None:
    colors = np.array([[(255, 0, 0), (0, 255, 0), (0, 0, 255), (10, 20, 30)]], np.uint8)
    assert metrics.to_gray(colors).tolist() == [[76, 150, 29, 18]]


def test_gray_of_gray_is_itself() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    assert (metrics.to_gray(ramp)[0] == np.arange(256)).all()


def test_lab_of_red_and_white() -> None:
    lab = metrics.lab_of(np.array([[(255, 0, 0), (255, 255, 255)]], np.uint8))
    assert lab[0, 0] == pytest.approx((53.24, 80.09, 67.20), abs=0.02)
    assert lab[0, 1] == pytest.approx((100, 0, 0), abs=0.01)


def test_mean_leaves_out_what_is_not_a_number() -> None:
    mean = Mean()
    assert math.isnan(mean.value)
    for value, weight in ((1.0, 1), (math.nan, 5), (4.0, 2)):
        mean.add(value, weight)
    assert mean.value == pytest.approx(3.0)


# --- nearness ---------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [1, 16, 100, 255])
def test_psnr_of_an_even_error(error: int) -> None:
    expected = 20 * math.log10(255 / error)
    assert metrics.psnr(flat(0, 0, 0), flat(error, error, error)) == pytest.approx(expected)
    assert metrics.psnr(flat(error, error, error), flat(0, 0, 0)) == pytest.approx(expected)


def test_psnr_of_one_channel_counts_a_third() -> None:
    expected = 10 * math.log10(255**2 / (30**2 / 3))
    assert metrics.psnr(flat(50, 50, 50), flat(50, 80, 50)) == pytest.approx(expected)


def test_psnr_ab_has_peak_255_and_ignores_lightness() -> None:
    truth = np.zeros((4, 5, 3), np.float32)
    prediction = truth + np.array((50, 10, -10), np.float32)
    assert metrics.psnr_ab(truth, prediction) == pytest.approx(20 * math.log10(25.5))


@pytest.mark.parametrize(("error", "wrapped_square"), [(1, 1), (15, 225), (17, 33), (200, 64)])
def test_wrapped_psnr_counts_modulo_256(error: int, wrapped_square: int) -> None:
    assert (error * error) % 256 == wrapped_square
    expected = 10 * math.log10(255**2 / wrapped_square)
    lower, upper = flat(20, 20, 20), flat(20 + error, 20 + error, 20 + error)
    assert metrics.psnr_wrapped(lower, upper) == pytest.approx(expected)
    assert metrics.psnr_wrapped(upper, lower) == pytest.approx(expected)


def test_an_error_of_16_is_none_when_wrapped_and_one_in_truth() -> None:
    pair = flat(0, 0, 0), flat(16, 16, 16)
    assert metrics.psnr_wrapped(*pair) == metrics.PSNR_CEILING
    assert metrics.psnr(*pair) < 25


def lab_psnr(truth: Picture, prediction: Picture) -> float:
    return metrics.psnr_ab(metrics.lab_of(truth), metrics.lab_of(prediction))


@pytest.mark.parametrize(
    ("figure", "best"), [(metrics.psnr, 100), (lab_psnr, 100), (metrics.ssim, 1)]
)
def test_nearness_is_symmetric_best_when_equal_and_falls_with_noise(
    figure: Callable[[Picture, Picture], float], best: float
) -> None:
    truth = np.repeat(texture()[..., None], 3, axis=2)
    values = [figure(truth, disturbed(truth, sigma)) for sigma in (0, 5, 20, 60)]
    assert values[0] == pytest.approx(best)
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 4
    assert figure(truth, noise(1, truth.shape[:2])) == pytest.approx(
        figure(noise(1, truth.shape[:2]), truth)
    )


@pytest.mark.parametrize("sigma", [3, 40])
def test_ssim_is_that_of_scikit_image(sigma: float) -> None:
    skimage = pytest.importorskip("skimage.metrics", reason="scikit-image, the extra 'eval'")
    truth = noise()
    prediction = disturbed(truth, sigma)
    expected = skimage.structural_similarity(truth, prediction, channel_axis=-1, data_range=255)
    assert metrics.ssim(truth, prediction) == pytest.approx(expected, abs=1e-9)


def lab_pixel(*values: float) -> Floats:
    return np.array(values, np.float32).reshape(1, 1, 3)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [  # pairs 1, 7, 14 and 25 of Sharma, Wu and Dalal's test data
        ((50.0000, 2.6772, -79.7751), (50.0000, 0.0000, -82.7485), 2.0425),
        ((50.0000, 0.0000, 0.0000), (50.0000, -1.0000, 2.0000), 2.3669),
        ((50.0000, -0.0010, 2.4900), (50.0000, 0.0011, -2.4900), 4.7461),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ],
)
def test_ciede2000_of_the_published_pairs(
    first: tuple[float, ...], second: tuple[float, ...], expected: float
) -> None:
    pytest.importorskip("skimage.color", reason="scikit-image, the extra 'eval'")
    pair = lab_pixel(*first), lab_pixel(*second)
    assert metrics.ciede2000(*pair) == pytest.approx(expected, abs=2e-3)
    assert metrics.ciede2000(*reversed(pair)) == pytest.approx(expected, abs=2e-3)


def test_ciede2000_through_our_lab_is_that_of_scikit_image() -> None:
    color = pytest.importorskip("skimage.color", reason="scikit-image, the extra 'eval'")
    truth, prediction = noise(1), noise(2)
    expected = color.deltaE_ciede2000(color.rgb2lab(truth), color.rgb2lab(prediction)).mean()
    ours = metrics.ciede2000(metrics.lab_of(truth), metrics.lab_of(prediction))
    assert ours == pytest.approx(expected, abs=1e-3)


def test_without_scikit_image_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skimage.color", None)
    with pytest.raises(C2EError, match=r"c2e-video\[eval\]") as raised:
        metrics.ciede2000(lab_pixel(50, 0, 0), lab_pixel(50, 0, 0))
    assert "\n" not in str(raised.value)


# --- the colours themselves -------------------------------------------------------------------


def test_colorfulness_of_gray_is_none() -> None:
    gray = np.repeat(texture()[..., None], 3, axis=2)
    assert metrics.colorfulness(gray) == 0


def test_colorfulness_of_one_color_is_its_distance_from_gray() -> None:
    # rg = 100, yb = 150 - 50 = 100, no spread
    assert metrics.colorfulness(flat(200, 100, 50)) == pytest.approx(0.3 * math.sqrt(2) * 100)


def test_colorfulness_keeps_signs() -> None:
    halves = np.concatenate((flat(255, 0, 0), flat(0, 255, 0)))
    # rg is +255 and -255: mean 0, spread 255 (absolute values would have it the other way round)
    assert metrics.colorfulness(halves) == pytest.approx(255 + 0.3 * 127.5)


# --- through time -----------------------------------------------------------------------------


def test_histograms_are_shares_by_channel() -> None:
    halves = np.concatenate((flat(255, 0, 7), flat(0, 0, 7)))
    shares = metrics.histograms(halves)
    assert shares.shape == (3, 256)
    assert shares.sum(1) == pytest.approx([1, 1, 1])
    assert [shares[0, 0], shares[0, 255], shares[1, 0], shares[2, 7]] == [0.5, 0.5, 1, 1]


def spread(*shares: float) -> Doubles:
    return np.array([shares], np.float64)


def test_js_divergence_of_known_distributions() -> None:
    one, even, other = spread(1, 0), spread(0.5, 0.5), spread(0, 1)
    assert metrics.js_divergence(one, one) == 0
    assert metrics.js_divergence(one, other) == pytest.approx(math.log(2))
    known = (math.log(4 / 3) + 0.5 * math.log(2 / 3) + 0.5 * math.log(2)) / 2
    assert metrics.js_divergence(one, even) == pytest.approx(known)
    assert metrics.js_divergence(even, one) == pytest.approx(known)


def consistency(frames: list[Picture]) -> float:
    measure = metrics.ColorConsistency()
    for frame in frames:
        measure.add(frame)
    return measure.value


def test_a_still_film_is_wholly_consistent() -> None:
    assert consistency([noise()] * 6) == 0


def test_consistency_weighs_the_three_lags_alike() -> None:
    day, night = flat(200, 150, 100), flat(10, 20, 30)
    # Alternating frames differ wholly at lag 1 and not at all at lags 2 and 4.
    assert consistency([day, night] * 4) == pytest.approx(math.log(2) / 3)
    # In a film whose every frame is new, all lags differ wholly.
    assert consistency([flat(i, i, i) for i in range(8)]) == pytest.approx(math.log(2))
    # A flickering channel alone counts a third of that.
    assert consistency([flat(i, 0, 0) for i in range(8)]) == pytest.approx(math.log(2) / 3)


def test_consistency_needs_five_frames() -> None:
    assert math.isnan(consistency([noise()] * 4))
    assert not math.isnan(consistency([noise()] * 5))


def test_motion_finds_a_shift_and_what_came_into_view() -> None:
    world = texture((96, 160))
    before, now = np.ascontiguousarray(world[:, 8:136]), np.ascontiguousarray(world[:, 4:132])
    motion = metrics.motion_between(before, now)  # everything moved right by 4
    inner = motion.origin[16:-16, 24:-24]
    rows, columns = np.mgrid[16:80, 24:104]
    assert np.abs(inner[..., 0] - (columns - 4)).mean() < 0.3
    assert np.abs(inner[..., 1] - rows).mean() < 0.3
    assert motion.visible[16:-16, 24:-24].mean() > 0.95
    assert not motion.visible[:, :3].any()  # its origin lies outside


def test_motion_masks_what_an_object_uncovers() -> None:
    ground = texture() // 2
    square = 128 + texture((96, 128))[::-1, ::-1] // 2
    before, now = ground.copy(), ground.copy()
    before[32:64, 48:80] = square[32:64, 48:80]
    now[32:64, 56:88] = square[32:64, 48:80]  # moved right by 8
    visible = metrics.motion_between(before, now).visible
    uncovered = visible[36:60, 48:56].mean()
    assert uncovered < 0.5
    assert visible[:, :32].mean() > 0.95
    assert visible[40:56, 62:82].mean() > 0.8


def still(shape: tuple[int, int]) -> Motion:
    rows, columns = np.indices(shape)
    origin = np.stack((columns, rows), axis=-1).astype(np.float32)
    return Motion(origin, np.ones(shape, np.bool_))


def test_warp_error_is_the_ab_distance_along_motion() -> None:
    before = np.random.default_rng(0).normal(0, 20, (20, 30, 3)).astype(np.float32)
    now = before + np.array((99, 3, -4), np.float32)
    assert metrics.warp_error(before, before, still((20, 30))) == 0
    assert metrics.warp_error(before, now, still((20, 30))) == pytest.approx(5, abs=1e-4)

    moved = np.roll(before, 2, axis=1)
    motion = still((20, 30))
    motion.origin[..., 0] -= 2
    motion.visible[:, :2] = False  # rolled in from the other side
    assert metrics.warp_error(before, moved, motion) == pytest.approx(0, abs=1e-4)
    assert metrics.warp_error(before, moved, still((20, 30))) > 10


def test_warp_error_leaves_out_what_is_hidden() -> None:
    before = np.zeros((20, 30, 3), np.float32)
    now = before.copy()
    now[:10, :, 1] = 50
    motion = still((20, 30))
    assert metrics.warp_error(before, now, motion) == pytest.approx(25)
    motion.visible[:10] = False
    assert metrics.warp_error(before, now, motion) == 0
    motion.visible[:] = False
    assert math.isnan(metrics.warp_error(before, now, motion))


# --- LPIPS ------------------------------------------------------------------------------------

SHAPES = ((0, 64, 3, 11), (3, 192, 64, 5), (6, 384, 192, 3), (8, 256, 384, 3), (10, 256, 256, 3))


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    """A network of the right shape that has learned nothing."""
    random = torch.Generator().manual_seed(5)
    stored = {}
    for tap, (number, out, into, side) in enumerate(SHAPES):
        scale = (2 / (into * side * side)) ** 0.5
        filters = torch.randn(out, into, side, side, generator=random) * scale
        stored[f"features.{number}.weight"] = filters.half()
        stored[f"features.{number}.bias"] = torch.randn(out, generator=random) * 0.1
        stored[f"lin{tap}.model.1.weight"] = torch.rand(1, out, 1, 1, generator=random)
    return stored


@pytest.fixture(scope="module")
def weights_file(weights: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lpips") / "lpips.safetensors"
    save_file(weights, path)
    return path


def lpips_by_hand(weights: dict[str, Tensor], first: Picture, second: Picture) -> float:
    """The formula once more, in float64, written from the paper's side."""

    def layers(picture: Picture) -> list[Tensor]:
        x = torch.from_numpy(picture).permute(2, 0, 1).double()[None] / 255 * 2 - 1
        shift = torch.tensor((-0.030, -0.088, -0.188), dtype=torch.float64)
        scale = torch.tensor((0.458, 0.448, 0.450), dtype=torch.float64)
        x = (x - shift[:, None, None]) / scale[:, None, None]
        found = []
        for number, stride, padding in ((0, 4, 2), (3, 1, 2), (6, 1, 1), (8, 1, 1), (10, 1, 1)):
            if number in (3, 6):
                x = F.max_pool2d(x, 3, 2)
            kernel, bias = (weights[f"features.{number}.{k}"].double() for k in ("weight", "bias"))
            x = F.conv2d(x, kernel, bias, stride, padding).relu()
            found.append(F.normalize(x, dim=1))
        return found

    total = 0.0
    for tap, (a, b) in enumerate(zip(layers(first), layers(second), strict=True)):
        head = weights[f"lin{tap}.model.1.weight"].double()
        total += float(((a - b) ** 2 * head[0]).sum(1).mean())
    return total


def test_lpips_is_the_formula(weights: dict[str, Tensor], weights_file: Path) -> None:
    pictures = noise(1, (64, 70)), flat(200, 30, 90, size=(64, 70))
    found = Lpips.load(weights_file).distances(pictures[0], [pictures[1], pictures[0]])
    assert found[0] == pytest.approx(lpips_by_hand(weights, *pictures), rel=1e-4)
    assert found[0] > 0.01
    assert found[1] == 0


def test_lpips_is_symmetric_and_grows_with_noise(weights_file: Path) -> None:
    measure = Lpips.load(weights_file)
    truth = np.repeat(texture()[..., None], 3, axis=2)
    worse = [disturbed(truth, sigma) for sigma in (2, 10, 40)]
    near = measure.distances(truth, worse)
    assert near == sorted(near)
    assert near[0] < near[2] / 2
    assert measure.distances(worse[2], [truth]) == pytest.approx(near[2:], rel=1e-4)


def test_lpips_refuses_other_weights(weights: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    with pytest.raises(BadWeights, match="not a readable safetensors"):
        Lpips.load(path)
    path.write_bytes(b"no weights at all")
    with pytest.raises(BadWeights, match="not a readable safetensors"):
        Lpips.load(path)
    save_file({k: v for k, v in weights.items() if k != "lin3.model.1.weight"}, path)
    with pytest.raises(BadWeights, match=r"lin3\.model\.1\.weight is missing"):
        Lpips.load(path)
    save_file(weights | {"features.3.bias": torch.zeros(7)}, path)
    with pytest.raises(BadWeights, match=r"features\.3\.bias is \(7,\), not \(192,\)"):
        Lpips.load(path)
