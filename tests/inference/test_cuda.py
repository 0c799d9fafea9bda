"""On a GPU films look as they do on a CPU. Skipped, visibly, where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from c2e_video.inference.colorizer import Colorizer
from c2e_video.utils.choices import Device, Precision
from c2e_video.video.frames import Frame, FrameBatch
from tests.inference.test_colorizer import SHOT, YUV420, film

pytestmark = [
    pytest.mark.weights,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here"),
]
GPU: Device = "cuda"
# In ab units, the mean over a picture: of rounding alone, and of fp16, in which now and then a place is
# found beside its own.
TOLERANCE: dict[Precision, float] = {"fp32": 0.05, "fp16": 0.5, "bf16": 1.5}
SAMPLE = Path(__file__).parents[2] / "samples" / "keyframe-1.jpg"


def sample() -> tuple[Any, Any]:
    """A keyframe, RGB and gray."""
    bgr: Any = cv2.imread(str(SAMPLE))
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)


@pytest.mark.parametrize("precision", TOLERANCE)
def test_colours_are_the_cpus(precision: Precision) -> None:
    rgb, gray = sample()
    painters = (
        Colorizer(device="cpu", precision="fp32"),
        Colorizer(device=GPU, precision=precision),
    )
    ours, theirs = (
        p.predict_ab(gray, p.embed(np.ascontiguousarray(rgb[:, ::-1]))) for p in painters
    )
    assert np.abs(ours).mean() > 3
    assert np.abs(ours - theirs).mean() < TOLERANCE[precision]


def test_a_batch_is_its_frames() -> None:
    """Whatever the batch: the kernels chosen for it may round in another way, no more."""
    rgb, gray = sample()
    frames = tuple(Frame(np.roll(gray, 8 * k, axis=1), k, 1) for k in range(5))
    painter = Colorizer(device=GPU)
    embedding, info = painter.embed(rgb), film(gray.shape[1], gray.shape[0], full=True)
    whole = painter.colorize(FrameBatch(frames, SHOT), embedding, info, YUV420)
    for k, frame in enumerate(frames):
        alone = painter.colorize(FrameBatch((frame,), SHOT), embedding, info, YUV420)
        assert np.abs(whole.cb[k].astype(int) - alone.cb[0]).mean() < 0.5
        assert np.abs(whole.cr[k].astype(int) - alone.cr[0]).mean() < 0.5
