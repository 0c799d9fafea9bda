"""What "auto" comes to is decided by the workers' device, and is the same for all."""

from __future__ import annotations

from pathlib import Path

import pytest

from c2e_video.cluster.colorize import common_options, common_precision, planning_colorizer
from c2e_video.inference.quality import STANDARD
from c2e_video.pipeline.options import Options
from c2e_video.utils import devices
from c2e_video.utils.choices import Device


@pytest.mark.parametrize(
    ("device", "interval", "precision"),
    [("cuda", 1, "fp16"), ("cpu", STANDARD.anchor_interval, "bf16")],
)
def test_auto_is_what_the_workers_would_take(
    monkeypatch: pytest.MonkeyPatch, device: Device, interval: int, precision: str
) -> None:
    monkeypatch.setattr(devices, "bf16_is_faster", lambda: True)
    assert common_options(Options(), device).anchor_interval == interval
    assert common_precision(Options(), device) == precision
    asked = Options(anchor_interval=3, precision="fp32")
    assert common_options(asked, device).anchor_interval == 3
    assert common_precision(asked, device) == "fp32"


def test_a_machine_without_the_workers_device_plans_on_its_own(
    monkeypatch: pytest.MonkeyPatch, tiny_weights: Path
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    options = common_options(Options(weights=tiny_weights, device="cuda"), "cuda")
    colorizer = planning_colorizer(options, "cuda", "fp16")
    assert colorizer.device.type == "cpu"
    assert colorizer.anchor_interval == 1
    same = planning_colorizer(options, "cpu", "fp32")
    assert same.precision == "fp32"
