"""How long colorizing takes is measured at each quality."""

from __future__ import annotations

from pathlib import Path

import pytest

from c2e_video.inference.video_colorizer import VideoColorizer
from c2e_video.pipeline import time_estimate
from c2e_video.pipeline.options import Options, colorizer_for
from c2e_video.pipeline.time_estimate import estimate_seconds, in_words
from c2e_video.planning.planner import make_plan
from c2e_video.references.image import load_reference
from c2e_video.references.reference_map import ReferenceMap
from c2e_video.utils.progress import Silent
from c2e_video.video.decode.decoder import probe
from c2e_video.video.frames import Shot


def test_each_quality_has_its_time_and_gray_shots_take_none(
    film: Path, reference: Path, quick: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second a frame, of the eight frames of the shot that is not gray."""
    info = probe(film)
    colorizer = VideoColorizer(colorizer_for(quick), info)
    tick = round(1 / (25 * info.time_base))
    shots = (Shot(0, 0, 8 * tick), Shot(1, 8 * tick, 14 * tick))
    mapped = ReferenceMap(shots, ((load_reference(reference),), ()))
    plan = make_plan(film, info, mapped, colorizer, Silent())
    asked = []

    def seconds(*given: object) -> float:
        asked.append(given[1])
        return 1.0

    measured = estimate_seconds(plan, quick)
    assert set(measured) == {"draft", "standard", "best"}
    assert min(measured.values()) > 0
    monkeypatch.setattr(time_estimate, "_seconds_a_frame", seconds)
    counted = estimate_seconds(plan, quick)
    assert all(8 <= value < 16 for value in counted.values())
    assert [options.quality for options in asked] == ["draft", "standard", "best"]  # type: ignore[attr-defined]


def test_a_plan_without_references_has_no_time(film: Path, quick: Options) -> None:
    colorizer = VideoColorizer(colorizer_for(quick), probe(film))
    assert not estimate_seconds(make_plan(film, probe(film), (), colorizer, Silent()), quick)


def test_times_in_words() -> None:
    assert in_words({"draft": 0.2, "standard": 600, "best": 4800}) == (
        "about 1 s (draft), 10 min (standard), 1 h 20 min (best)"
    )
