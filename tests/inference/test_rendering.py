"""Chroma planes are computed in strips that nobody sees."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from c2e_video.color.colorimetry import Colorimetry
from c2e_video.inference import rendering
from c2e_video.inference.luma_planes import LumaPlane
from c2e_video.inference.prediction import LabPrediction
from c2e_video.video.frames import PictureFormat


@pytest.mark.parametrize("samples", [1, 700, 4096])
def test_chroma_does_not_depend_on_the_strips(
    monkeypatch: pytest.MonkeyPatch, samples: int
) -> None:
    rng = np.random.default_rng(5)
    luma = LumaPlane(rng.integers(0, 256, (94, 150), dtype=np.uint8))
    prediction = LabPrediction(
        rng.uniform(0, 100, (32, 48)).astype(np.float32),
        rng.normal(0, 40, (2, 32, 48)).astype(np.float32),
    )
    picture = PictureFormat("yuv420p", 8, (2, 2), "bt709", False)
    work = ([luma], [prediction], picture, Colorimetry("bt709"), torch.device("cpu"))
    ((cb, cr),) = rendering.chroma_planes(*work)
    assert cb.shape == cr.shape == (47, 75)
    monkeypatch.setattr(rendering, "STRIP", samples)
    for whole, strips in zip((cb, cr), rendering.chroma_planes(*work)[0], strict=True):
        np.testing.assert_array_equal(whole, strips)
