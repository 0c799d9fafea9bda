"""Clips read, made gray, painted and measured: from tiny films to the printed table."""

from __future__ import annotations

import json
import math
import weakref
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from c2e_video.errors import C2EError, MediaError
from c2e_video.evaluate import clips, evaluator, metrics, report
from c2e_video.evaluate.baselines import (
    FrameByFrame,
    GrayBaseline,
    MeanColorBaseline,
    WithoutMemory,
)
from c2e_video.evaluate.evaluator import evaluate_clips, evaluate_pairs
from c2e_video.evaluate.lpips import Lpips
from c2e_video.evaluate.metrics import Gray
from c2e_video.evaluate.scores import Results, Scores
from c2e_video.inference.colorizer import Colorizer
from c2e_video.utils.arrays import Picture

pytest.importorskip("skimage", reason="evaluation needs scikit-image, the extra 'eval'")

SIZE = (40, 56)


def frame(number: int, size: tuple[int, int] = SIZE) -> Picture:
    """A smooth, colourful texture that moves to the right by two pixels a frame."""
    coarse = np.random.default_rng(7).integers(40, 216, (8, 12, 3), dtype=np.uint8)
    smooth = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
    return np.roll(smooth, 2 * number, axis=1).astype(np.uint8)


def frame_of(color: tuple[int, ...]) -> Picture:
    return np.full((*SIZE, 3), color, np.uint8)


def write_picture(path: Path, picture: Picture) -> Path:
    assert cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return path


def folder(path: Path, count: int = 6, size: tuple[int, int] = SIZE) -> Path:
    path.mkdir()
    for number in range(count):  # unpadded numbers: 10 comes after 9
        write_picture(path / f"{number}.png", frame(number, size))
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return folder(tmp_path / "clip")


class Oracle(FrameByFrame):
    """Knows the true colours of the grays it is shown, and writes down what it is asked."""

    def __init__(self, truths: list[Picture]) -> None:
        self.answers = {metrics.to_gray(truth).tobytes(): truth for truth in truths}
        self.references: list[Picture] = []
        self.embeddings: list[int] = []

    def embed(self, reference: Picture) -> int:
        self.references.append(reference)
        return len(self.references) - 1

    def colorize_image(self, gray: Gray, embedding: int) -> Picture:
        self.embeddings.append(embedding)
        return self.answers[gray.tobytes()]


# --- reading ----------------------------------------------------------------------------------


def test_frames_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    read = list(clips.read_clip(folder(tmp_path / "c", 12)))
    assert len(read) == 12
    assert all((got == frame(number)).all() for number, got in enumerate(read))


BT601, BT709, BT2020 = (0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593)  # Kr, Kb
UNTOLD = 2  # H.273's code point for a matrix nobody named


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize(
    ("weights", "code", "width"),
    [(BT601, 6, 64), (BT709, 1, 64), (BT2020, 9, 64), (BT601, UNTOLD, 64), (BT709, UNTOLD, 1920)],
)
def test_a_film_is_read_by_its_own_matrix_and_range(
    weights: tuple[float, float], code: int, width: int, full_range: bool, tmp_path: Path
) -> None:
    kr, kb = weights
    rgb = np.array((200, 60, 90))
    luma = rgb @ (kr, 1 - kr - kb, kb) / 255
    cb, cr = (rgb[2] / 255 - luma) / (2 - 2 * kb), (rgb[0] / 255 - luma) / (2 - 2 * kr)
    wide, low, narrow = (255, 0, 255) if full_range else (219, 16, 224)
    picture = av.VideoFrame(width, 48, "yuv444p")
    samples = (low + wide * luma, 128 + narrow * cb, 128 + narrow * cr)
    for plane, sample in zip(picture.planes, samples, strict=True):
        plane.update(bytes([round(sample)]) * plane.buffer_size)
    path = tmp_path / "film.mkv"
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=Fraction(24))
        stream.width, stream.height, stream.pix_fmt = width, 48, "yuv444p"
        for tagged in (stream.codec_context, picture):
            tagged.colorspace, tagged.color_range = (
                code,
                2 if full_range else 1,
            )
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    (read,) = clips.read_clip(path)
    assert read.shape == (48, width, 3)
    assert np.abs(read.astype(int) - rgb).max() <= 2


def test_size_shrinks_the_short_side_and_never_enlarges(clip: Path) -> None:
    assert next(clips.read_clip(clip, 32)).shape == (32, 45, 3)
    assert next(clips.read_clip(clip, 400)).shape == (*SIZE, 3)


# --- floors -----------------------------------------------------------------------------------


def test_the_gray_floor_is_the_gray_film() -> None:
    gray = metrics.to_gray(frame(0))
    method = GrayBaseline()
    method.embed(frame(0))
    colorized = method.colorize_image(gray, None)
    assert (colorized == gray[..., None]).all()


@pytest.mark.parametrize("color", [(200, 80, 60), (60, 90, 180), (250, 250, 10)])
def test_the_mean_color_floor_keeps_luma_and_takes_the_mean(color: tuple[int, ...]) -> None:
    method = MeanColorBaseline()
    plain = np.full((32, 32, 3), color, np.uint8)
    colorized = method.colorize_image(metrics.to_gray(plain), method.embed(plain))
    assert np.abs(colorized.astype(int) - color).max() <= 2

    ramp = np.arange(256, dtype=np.uint8)[None].repeat(3, axis=0)
    back = metrics.to_gray(method.colorize_image(ramp, method.embed(plain)))
    assert np.abs(back.astype(int) - ramp).max() <= 1


def test_the_mean_is_over_the_whole_reference() -> None:
    red, green = np.full((32, 32, 3), (200, 60, 60), np.uint8), np.full((32, 32, 3), 0, np.uint8)
    green[:] = (60, 200, 60)
    mean = (metrics.lab_of(red)[0, 0] + metrics.lab_of(green)[0, 0])[1:] / 2
    method = MeanColorBaseline()
    embedding = method.embed(np.concatenate((red, green)))
    colorized = metrics.lab_of(method.colorize_image(np.full((4, 4), 150, np.uint8), embedding))
    assert colorized[0, 0, 1:] == pytest.approx(mean, abs=1)


# --- measuring --------------------------------------------------------------------------------


def test_the_truth_itself_scores_best(clip: Path) -> None:
    method = Oracle([frame(number) for number in range(6)])
    (result,) = evaluate_clips(method, [clip]).clips
    scores = result.scores["prediction"]
    assert (result.name, result.frames, result.height, result.width) == ("clip", 6, *SIZE)
    assert (scores.psnr, scores.psnr_ab, scores.psnr_wrapped) == (100, 100, 100)
    assert scores.ssim == pytest.approx(1)
    assert scores.ciede2000 == 0
    assert scores.colorfulness == scores.colorfulness_truth > 10
    assert scores.cdc == scores.cdc_truth
    assert scores.warp == scores.warp_truth > 0
    assert scores.warp_difference == scores.cdc_difference == scores.colorfulness_difference == 0
    assert math.isnan(scores.lpips)


def test_the_floors_are_always_there_and_measured(clip: Path) -> None:
    (result,) = evaluate_clips({}, [clip]).clips
    assert list(result.scores) == ["gray", "mean ab"]
    gray, mean = result.scores.values()
    truths = [frame(number) for number in range(6)]
    grays = [np.repeat(metrics.to_gray(truth)[..., None], 3, axis=2) for truth in truths]
    pairs = list(zip(truths, grays, strict=True))
    assert gray.psnr == pytest.approx(np.mean([metrics.psnr(*pair) for pair in pairs]))
    assert gray.ssim == pytest.approx(np.mean([metrics.ssim(*pair) for pair in pairs]))
    assert gray.psnr_wrapped == pytest.approx(
        np.mean([metrics.psnr_wrapped(*pair) for pair in pairs])
    )
    assert gray.colorfulness == 0
    assert gray.colorfulness_difference == -gray.colorfulness_truth < -10
    assert gray.warp == pytest.approx(0, abs=1e-3)
    assert mean.psnr_ab > gray.psnr_ab  # the mean is the nearest of all single colours
    assert gray.colorfulness_truth == mean.colorfulness_truth


class Flickering(MeanColorBaseline):
    """Every other frame without colour."""

    def __init__(self) -> None:
        self.count = 0

    def colorize_image(self, gray: Gray, embedding: Picture) -> Picture:
        self.count += 1
        return embedding[gray] if self.count % 2 else GrayBaseline().colorize_image(gray)


def test_a_row_may_be_painted_without_the_memory(clip: Path, tiny_weights: Path) -> None:
    whole, other = (
        Colorizer(tiny_weights, device="cpu", precision="fp32", size=32) for _ in range(2)
    )
    beside = evaluate_clips({"prediction": whole, "bare": WithoutMemory(whole)}, [clip]).mean()
    alone = evaluate_clips(WithoutMemory(other), [clip]).mean()["prediction"]
    assert beside["bare"].psnr == pytest.approx(alone.psnr)
    assert beside["prediction"].psnr != pytest.approx(alone.psnr, abs=1e-3)


def test_flicker_shows_in_both_figures_of_time(tmp_path: Path) -> None:
    still = tmp_path / "still"
    still.mkdir()
    for number in range(6):
        write_picture(still / f"{number}.png", frame_of((200, 80, 60)))
    (result,) = evaluate_clips(
        {"steady": MeanColorBaseline(), "flicker": Flickering()}, [still]
    ).clips
    steady, flicker = result.scores["steady"], result.scores["flicker"]
    assert steady.warp == steady.cdc == steady.cdc_truth == steady.warp_truth == 0
    strength = float(np.hypot(*metrics.lab_of(frame_of((200, 80, 60)))[0, 0, 1:]))
    assert flicker.warp_difference == pytest.approx(strength, rel=0.02)
    assert flicker.cdc_difference == pytest.approx(math.log(2) / 3)


def test_the_first_frame_is_the_reference_unless_told(clip: Path) -> None:
    method = Oracle([frame(number) for number in range(6)])
    evaluate_clips(method, [clip])
    assert [(reference == frame(0)).all() for reference in method.references] == [True]
    method.references.clear()
    evaluate_clips(method, [clip], reference=3, max_frames=2)  # it may lie past the limit
    assert [(reference == frame(3)).all() for reference in method.references] == [True]


def test_every_n_takes_a_new_reference_each_n_frames(clip: Path) -> None:
    method = Oracle([frame(number) for number in range(6)])
    evaluate_clips(method, [clip], reference_interval=4)
    first, second = method.references
    assert (first == frame(0)).all()
    assert (second == frame(4)).all()
    assert method.embeddings == [0, 0, 0, 0, 1, 1]


def test_a_clip_is_streamed(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the clip, a handful of its frames are alive at any time."""
    alive: list[weakref.ref[Any]] = []
    most = 0

    def endless(path: Path, size: int | None) -> Iterator[Picture]:
        nonlocal most
        for number in range(30):
            picture = frame(number % 6).copy()
            alive.append(weakref.ref(picture))
            most = max(most, sum(one() is not None for one in alive))
            yield picture

    monkeypatch.setattr(evaluator, "read_clip", endless)
    method = Oracle([frame(number) for number in range(6)])
    method.embed = lambda reference: 0  # type: ignore[method-assign]
    (result,) = evaluate_clips(method, [clip], max_frames=24).clips
    assert result.frames == 24
    assert most <= 4


def test_limit_and_size_hold_and_frames_are_counted(clip: Path) -> None:
    heard: list[tuple[str, int]] = []
    (result,) = evaluate_clips(
        {}, [clip], max_frames=3, size=32, on_frame=lambda *frame: heard.append(frame)
    ).clips
    assert (result.frames, result.width, result.height) == (3, 45, 32)
    assert heard == [("clip", 0), ("clip", 1), ("clip", 2)]
    assert math.isnan(result.scores["gray"].cdc)  # three frames have no two that are 4 apart
    assert not math.isnan(result.scores["gray"].warp)


def test_lpips_is_measured_where_weights_are_given(clip: Path) -> None:
    method = Oracle([frame(number) for number in range(6)])
    (result,) = evaluate_clips(method, [clip], max_frames=2, lpips=Lpips().eval()).clips
    assert result.scores["prediction"].lpips == 0
    assert result.scores["gray"].lpips != 0


def test_the_two_means_weigh_clips_and_frames(tmp_path: Path) -> None:
    short, long = folder(tmp_path / "short", 2), folder(tmp_path / "long", 6)
    for number in range(6):
        write_picture(long / f"{number}.png", frame_of((200, 60, 60)))
    results = evaluate_clips({}, [short, long])
    first, second = (clip.scores["gray"].ciede2000 for clip in results.clips)
    assert first != pytest.approx(second, rel=0.05)
    assert results.mean()["gray"].ciede2000 == pytest.approx((first + second) / 2)
    assert results.mean("frames")["gray"].ciede2000 == pytest.approx((first * 2 + second * 6) / 8)
    assert results.mean()["gray"].cdc == results.clips[1].scores["gray"].cdc  # the only one


def test_pairs_take_the_reference_beside_them(tmp_path: Path) -> None:
    for number in range(3):
        write_picture(tmp_path / f"{number}.png", frame(number))
    file = tmp_path / "pairs.csv"
    file.write_text("reference, target\n0.png,1.png\n\n2.png, 0.png\n")
    method = Oracle([frame(number) for number in range(3)])
    results = evaluate_pairs(method, file)
    assert [clip.name for clip in results.clips] == ["1", "0"]
    assert all((method.references[i] == frame(n)).all() for i, n in enumerate((0, 2)))
    scores = results.mean()["prediction"]
    assert scores.psnr == 100
    assert math.isnan(scores.warp)
    assert math.isnan(scores.cdc_difference)
    assert list(results.clips[0].pictures) == ["reference", "truth", "gray", "prediction"]


# --- mistakes ---------------------------------------------------------------------------------


def csv_of(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "pairs.csv"
    file.write_text(text)
    return file


def odd_folder(tmp_path: Path, **pictures: tuple[int, int]) -> Path:
    path = tmp_path / "odd"
    path.mkdir()
    for name, size in pictures.items():
        write_picture(path / f"{name}.png", frame(0, size))
    return path


def broken(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"this is no film" * 20)
    return path


MISTAKES: dict[str, Callable[[Path, Path], object]] = {
    "no clip": lambda clip, tmp: evaluate_clips({}, []),
    "there is no such file": lambda clip, tmp: evaluate_clips({}, [clip, tmp / "none.mp4"]),
    "film.mp4": lambda clip, tmp: evaluate_clips({}, [broken(tmp)]),
    "has no frame 6": lambda clip, tmp: evaluate_clips({}, [clip], reference=6),
    "exclude each other": lambda clip, tmp: evaluate_clips(
        {}, [clip], reference=1, reference_interval=2
    ),
    "reference_interval is 0": lambda clip, tmp: evaluate_clips({}, [clip], reference_interval=0),
    "reference is -1": lambda clip, tmp: evaluate_clips({}, [clip], reference=-1),
    "max_frames is 0": lambda clip, tmp: evaluate_clips({}, [clip], max_frames=0),
    "size is 31": lambda clip, tmp: evaluate_clips({}, [clip], size=31),
    "holds no frame": lambda clip, tmp: evaluate_clips({}, [odd_folder(tmp)]),
    "has no number": lambda clip, tmp: evaluate_clips({}, [odd_folder(tmp, nameless=SIZE)]),
    "too small": lambda clip, tmp: evaluate_clips({}, [odd_folder(tmp, f1=(40, 31))]),
    "frame 1 is 48x40": lambda clip, tmp: evaluate_clips(
        {}, [odd_folder(tmp, f1=SIZE, f2=(40, 48))]
    ),
    "line 2: 3 columns": lambda clip, tmp: evaluate_pairs({}, csv_of(tmp, "a.png,b.png\n1,2,3")),
    "holds no pair": lambda clip, tmp: evaluate_pairs({}, csv_of(tmp, "reference,target\n")),
    "a.png: there is no": lambda clip, tmp: evaluate_pairs({}, csv_of(tmp, "a.png,b.png")),
    "cannot be read as a picture": lambda clip, tmp: evaluate_pairs(
        {}, csv_of(tmp, f"{csv_of(tmp, '').name},{csv_of(tmp, '').name}")
    ),
    "cannot be read as CSV": lambda clip, tmp: evaluate_pairs({}, tmp / "none.csv"),
}


@pytest.mark.parametrize("said", MISTAKES)
def test_a_mistake_is_told_in_one_line(said: str, clip: Path, tmp_path: Path) -> None:
    with pytest.raises(C2EError) as raised:
        MISTAKES[said](clip, tmp_path)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_painter_that_paints_another_size_is_a_bug(clip: Path) -> None:
    class Halving(GrayBaseline):
        def colorize_image(self, gray: Gray, embedding: None = None) -> Picture:
            return super().colorize_image(gray[::2])

    with pytest.raises(ValueError, match="got uint8"):
        evaluate_clips(Halving(), [clip])


# --- reports ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    tmp_path = tmp_path_factory.mktemp("results")
    long = folder(tmp_path / ("a clip with a very long name " * 3), 6)
    method = Oracle([frame(number) for number in range(6)])
    return evaluate_clips(method, [long, folder(tmp_path / "short", 2)])


def test_the_table_is_aligned_and_fits_a_terminal(results: Results) -> None:
    near, film, notes = report.table(results).split("\n\n")
    assert all(len(line) <= 120 for part in (near, film, notes) for line in part.splitlines())
    for part in (near, film):
        head, *lines = part.splitlines()
        assert len(lines) == 4 * 3  # two clips and two means, three rows each
        assert len({len(line) for line in lines}) == 1  # figures end in one column
        assert len(head) == len(lines[0])
    assert "100.00" in near.splitlines()[3]
    assert near.splitlines()[4].startswith("short ")
    assert "mean of 2 clips" in near
    assert "mean of 8 frames" in near
    colorized = next(line for line in film.splitlines() if "prediction" in line)
    assert "+0.00" in colorized
    assert film.splitlines()[4].split().count("-") == 3  # two frames have no CDC


def test_large_figures_still_fit(results: Results) -> None:
    wide = {field.name: 100.0 for field in fields(Scores)}
    wide |= {"cdc": math.log(2), "cdc_truth": 0.0, "colorfulness": 300.0, "colorfulness_truth": 0.0}
    scores = {"a painter of a long, long name": Scores(**wide)}
    grown = replace(results.clips[0], scores=scores)
    table = report.table(Results([grown], {}))
    assert max(map(len, table.splitlines())) <= 120


def test_many_pairs_are_summed_up(results: Results) -> None:
    many = Results(results.clips * 50, {})
    assert len(report.table(many).splitlines()) < 40
    assert "mean of 100 clips" in report.table(many)
    assert len(json.loads(report.to_json(many))["clips"]) == 100


def test_json_holds_every_figure_and_null_for_none(results: Results, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    report.write_json(results, path)
    read = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert read["conditions"]["reference"] == "frame 0"
    assert [clip["frames"] for clip in read["clips"]] == [6, 2]
    colorized = read["clips"][0]["scores"]["prediction"]
    assert colorized["psnr"] == 100
    assert colorized["lpips"] is None
    assert colorized["warp_difference"] == 0
    assert read["mean"]["gray"]["psnr"] == results.mean()["gray"].psnr
    assert read["mean_of_frames"]["gray"]["psnr"] == results.mean("frames")["gray"].psnr


def test_the_sheet_shows_truth_gray_and_painted(results: Results, tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    report.write_sheet(results, path)
    height, width = SIZE
    label = report.LABEL_HEIGHT
    shown = clips.read_picture(path)
    assert shown.shape == (2 * (height + label), 3 * (width + report.GAP), 3)
    first = shown[label : label + height]
    truth, gray, colorized = (first[:, i * (width + report.GAP) :][:, :width] for i in range(3))
    assert (truth == frame(4)).all()  # of six frames the last whose number is a power of two
    assert (colorized == truth).all()
    assert (gray == metrics.to_gray(frame(4))[..., None]).all()
    assert shown[:label].max() > 200  # a label stands above


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (report.write_json, "no/such/folder/r.json"),
        (report.write_sheet, "no/such/folder/s.png"),
        (report.write_sheet, "sheet.what"),
    ],
)
def test_what_cannot_be_written_is_told(
    write: Callable[[Results, Path], None], name: str, results: Results, tmp_path: Path
) -> None:
    with pytest.raises(C2EError, match="cannot be written") as raised:
        write(results, tmp_path / name)
    assert "\n" not in str(raised.value)


def test_a_missing_film_is_a_media_error(tmp_path: Path) -> None:
    with pytest.raises(MediaError):
        next(clips.read_clip(tmp_path / "none.mp4"))
