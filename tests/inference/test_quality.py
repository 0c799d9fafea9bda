"""Presets fill in what is not asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from c2e_video.errors import C2EError
from c2e_video.inference.quality import QUALITIES
from c2e_video.pipeline.options import Options, colorizer_for
from c2e_video.utils.choices import LONGEST_INTERVAL, Quality


def test_each_quality_has_a_preset_and_each_costs_more() -> None:
    assert tuple(QUALITIES) == get_args(Quality)
    costs = [size**2 / interval for size, interval in QUALITIES.values()]
    assert costs == sorted(set(costs))
    assert all(1 <= preset.anchor_interval <= LONGEST_INTERVAL for preset in QUALITIES.values())


@pytest.mark.parametrize("quality", get_args(Quality))
def test_a_quality_is_its_size_unless_another_is_asked_for(quality: Quality) -> None:
    assert Options(quality=quality).size == QUALITIES[quality].size
    assert Options(quality=quality, size=100).size == 100
    assert replace(Options(size=100), anchor_interval=3).at_quality(quality) == Options(
        quality=quality
    )


def test_on_a_cpu_a_quality_is_its_interval_unless_another_is_asked_for() -> None:
    for quality, preset in QUALITIES.items():
        options = Options(quality=quality, device="cpu", precision="fp32", size=32)
        assert colorizer_for(options).anchor_interval == preset.anchor_interval
    asked = Options(device="cpu", precision="fp32", size=32, anchor_interval=5)
    assert colorizer_for(asked).anchor_interval == 5


def test_what_is_no_quality_or_interval_is_refused() -> None:
    with pytest.raises(C2EError, match="'draft', 'standard', 'best'; got 'good'"):
        Options(quality="good")  # type: ignore[arg-type]
    with pytest.raises(C2EError, match="1 to 12 frames, got 13"):
        Options(anchor_interval=13)
