"""The shipped weights and the sample film: real pictures, really painted."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from PIL import Image

from c2e_video.color.lab import rgb_to_lab
from c2e_video.inference.colorizer import Colorizer
from c2e_video.inference.matching import PictureMatcher
from c2e_video.inference.network import default_weights
from c2e_video.model import load_weights
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from c2e_video.planning.coverage import UNCOVERED
from c2e_video.planning.samples import FrameSample
from c2e_video.references.reference_map import ReferenceMap
from c2e_video.video.decode.decoder import decode, probe
from c2e_video.video.encode import EncodeSettings
from c2e_video.video.frames import Shot
from tests.media import packets, video_pts

SAMPLES = Path(__file__).parents[2] / "samples"
FILM = SAMPLES / "film.mp4"
pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    return Colorizer(device="cpu", precision="fp32", size=128)


def small(path: Path) -> Any:
    return np.asarray(Image.open(path).convert("RGB").resize((320, 180)))


def read_shots() -> tuple[Shot, ...]:
    return ReferenceMap.from_csv(SAMPLES / "references.csv", probe(FILM)).shots


def gray_of(rgb: Any) -> Any:
    return np.round(rgb @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)


def lab_of(rgb: Any) -> Any:
    """a* and b*, ``[2, H, W]``."""
    planes = torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float() / 255
    return rgb_to_lab(planes)[0, 1:].numpy()


def psnr(a: Any, b: Any) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))


def test_they_are_light_and_load() -> None:
    path = default_weights()
    assert path.stat().st_size < 45 << 20
    config = load_weights(path).config
    assert config.width == 32
    assert config.memory > 0


def test_a_wheel_has_them_where_they_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).parents[2]
    with open(root / "pyproject.toml", "rb") as file:
        wheel = tomllib.load(file)["tool"]["hatch"]["build"]["targets"]["wheel"]
    monkeypatch.setattr(Path, "exists", lambda path: True)
    assert default_weights() == root / wheel["force-include"]["weights/c2e-w32.safetensors"]


def test_the_papers_own_form_lies_beside_them() -> None:
    path = default_weights().with_name("paper-w32.safetensors")
    assert path.stat().st_size < 45 << 20
    config = load_weights(path).config
    assert config == replace(load_weights(default_weights()).config, memory=0, semantic=0, prior=0)
    painter = Colorizer(path, device="cpu", precision="fp32", size=128)
    keyframe = small(SAMPLES / "keyframe-3.jpg")
    embedding = painter.embed(keyframe)
    assert embedding.memory is None
    assert np.abs(painter.predict_ab(gray_of(keyframe).astype(np.uint8), embedding)).mean() > 2


def test_a_keyframe_paints_its_own_frame(colorizer: Colorizer) -> None:
    """The gray of a keyframe, painted with the keyframe, is far nearer to it than the gray is."""
    for path in sorted(SAMPLES.glob("keyframe-*")):
        truth = small(path)
        gray = gray_of(truth)
        painted = colorizer.colorize_image(gray, colorizer.embed(truth))
        assert psnr(painted, truth) > psnr(gray[..., None], truth) + 2, path.name


def test_colours_come_from_the_reference_not_from_habit(colorizer: Colorizer) -> None:
    """With its hues turned half around, the reference turns the painting's hues too."""
    truth = small(sorted(SAMPLES.glob("keyframe-*"))[0])
    gray = gray_of(truth)

    def mean_ab(rgb: Any) -> Any:
        return lab_of(rgb).mean((1, 2))

    swapped = truth[:, :, ::-1].copy()
    plain, turned = (
        mean_ab(colorizer.colorize_image(gray, colorizer.embed(r))) for r in (truth, swapped)
    )
    wanted = mean_ab(swapped) - mean_ab(truth)
    moved = turned - plain
    assert wanted @ moved > 0.3 * (wanted @ wanted)


def test_a_keyframe_covers_its_own_shot(colorizer: Colorizer) -> None:
    """Another frame of the same shot has confidence in it, the other shots have none."""
    info, matcher = probe(FILM), PictureMatcher(colorizer)
    keyframes = [matcher.encode(small(path)) for path in sorted(SAMPLES.glob("keyframe-*"))]
    for number, shot in enumerate(read_shots()):
        late = shot.start + (shot.stop - shot.start) * 9 // 10
        frame = FrameSample.of(next(decode(FILM, info, start=late)), info)
        found = matcher.encode(frame.picture())
        scores = [matcher.match(found, keyframe).confidence for keyframe in keyframes]
        assert scores.pop(number) > UNCOVERED
        assert max(scores) < UNCOVERED


@pytest.mark.slow
def test_from_one_keyframe_to_another_no_step_is_larger_than_grain(colorizer: Colorizer) -> None:
    """From a keyframe to the same in other colours in two seconds: no frame far from the next."""
    truth = small(sorted(SAMPLES.glob("keyframe-*"))[1])[::2, ::2]
    first, last = colorizer.embed(truth), colorizer.embed(truth[:, :, ::-1].copy())
    gray = gray_of(truth)
    painted = [lab_of(colorizer.colorize_image(gray, first.blend(last, k / 47))) for k in range(48)]
    steps = [abs(after - before).mean() for before, after in pairwise(painted)]
    assert abs(painted[-1] - painted[0]).mean() > 2
    assert max(steps) < 0.7  # by shares alone the last would be 2.2


def test_the_sample_film_is_what_it_says() -> None:
    info = probe(FILM)
    reference_map = ReferenceMap.from_csv(SAMPLES / "references.csv", info)
    assert len(reference_map.shots) >= 3
    assert len(reference_map.distinct()) == len(reference_map.shots)
    assert FILM.stat().st_size < 3 << 20
    frames = video_pts(FILM)
    for shot, row in zip(reference_map.shots, reference_map.references, strict=True):
        assert any(
            abs(info.seconds(t) - info.seconds(shot.start)) < 0.001 for t in frames if t is not None
        )
        assert row[0].at is not None
    assert packets(FILM, "audio")


def test_the_demo_film_has_colour_and_all_that_the_gray_one_has(tmp_path: Path) -> None:
    """What `make demo` does, with a small network size."""
    options = Options(EncodeSettings(preset="ultrafast"), device="cpu", size=64)
    result = colorize_video(
        FILM, tmp_path / "out.mp4", references=SAMPLES / "references.csv", options=options
    )
    assert len(result.references.shots) == 4
    assert video_pts(result.output) == video_pts(FILM)
    assert [p[:4] for p in packets(result.output, "audio")] == [
        p[:4] for p in packets(FILM, "audio")
    ]
    with av.open(str(result.output)) as film:
        planes = [frame.to_ndarray() for frame in film.decode(video=0)]
    assert len(planes) == result.frames == 216
    height = planes[0].shape[0] * 2 // 3
    assert min(plane[height:].std() for plane in planes) > 1.5
