"""The curve of a shot: where it is covered, where it fades, and what it says of that."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from c2e_video.inference.matching import Match
from c2e_video.planning.coverage import (
    CoveragePoint,
    FilmMatcher,
    ShotCoverage,
    covered_share,
    measure_coverage,
)
from c2e_video.planning.samples import FrameSample
from c2e_video.references.image import Reference
from c2e_video.references.reference_map import ReferenceMap
from c2e_video.video.frames import Shot
from tests.factories import color_noise, video_info

INFO = video_info()
SHOT = Shot(0, 0, 100)


def curve(*points: tuple[int, float]) -> ShotCoverage:
    return ShotCoverage(SHOT, tuple(CoveragePoint(*point) for point in points))


def spans(coverage: ShotCoverage) -> list[tuple[int, int, str]]:
    return [(s.start, s.stop, s.state) for s in coverage.stretches()]


def test_a_falling_curve_fades_and_is_uncovered_where_it_crosses_the_bounds() -> None:
    falling = curve((0, 1.0), (50, 0.5), (99, 0.01))
    assert spans(falling) == [(0, 25, "covered"), (25, 50, "fading"), (50, 100, "uncovered")]
    assert falling.verdict(INFO) == (
        "fading from 00:00:01.000 to 00:00:02.000, uncovered from 00:00:02.000 on"
    )


def test_a_keyframe_in_the_middle_covers_both_ways() -> None:
    both = curve((0, 0.6), (40, 1.0), (80, 0.6))
    assert spans(both) == [(0, 15, "fading"), (15, 65, "covered"), (65, 100, "fading")]
    assert both.verdict(INFO) == "fading until 00:00:00.600, fading from 00:00:02.600 on"


def test_two_bounds_may_be_crossed_between_two_points() -> None:
    assert spans(curve((10, 1.0), (20, 0.0))) == [
        (0, 13, "covered"),
        (13, 15, "fading"),
        (15, 100, "uncovered"),
    ]
    assert spans(curve((10, 0.0), (20, 1.0))) == [
        (0, 15, "uncovered"),
        (15, 18, "fading"),
        (18, 100, "covered"),
    ]


@pytest.mark.parametrize(
    ("confidence", "verdict"),
    [(0.9, "covered"), (0.75, "covered"), (0.7, "fading"), (0.1, "uncovered")],
)
def test_a_level_curve_is_a_word(confidence: float, verdict: str) -> None:
    assert curve((0, confidence), (99, confidence)).verdict(INFO) == verdict


def test_gray_shots_and_shots_without_references() -> None:
    assert ShotCoverage(SHOT, gray=True).verdict(INFO) == "left gray"
    assert not ShotCoverage(SHOT, gray=True).lacking
    assert spans(ShotCoverage(SHOT)) == [(0, 100, "uncovered")]
    assert curve((0, math.nan)).verdict(INFO) == "the network cannot tell"
    assert not curve((0, math.nan)).lacking


def test_a_curve_is_plain_values() -> None:
    assert curve((0, 0.9), (99, math.nan)).as_json() == {
        "shot": 0,
        "points": [
            {"pts": 0, "confidence": 0.9, "reference": ""},
            {"pts": 99, "confidence": None, "reference": ""},
        ],
        "stretches": [
            {"start": 0, "stop": 49, "state": "covered"},
            {"start": 49, "stop": 100, "state": "unknown"},
        ],
    }


def test_fading_frames_count_by_how_far_they_are_covered() -> None:
    assert [covered_share(c) for c in (0.2, 0.5, 0.625, 0.75, 1.0)] == [0, 0, 0.5, 1, 1]


class Remembered(FilmMatcher):
    """Finds samples by a table of their pts and the reference's name."""

    def __init__(self, known: dict[tuple[int, str], Match]) -> None:
        self.known = known
        self._keys = {}

    def match_all(self, pairs: Iterable[Any]) -> list[Match]:
        return [self.known[sample.pts, load().path.stem] for sample, _, load in pairs]


def test_of_two_keyframes_the_better_one_counts_where_both_have_weight() -> None:
    a, b = (
        Reference(color_noise(i), Path(name), at) for i, name, at in ((1, "a", 0), (2, "b", 90))
    )
    samples = [FrameSample(pts, b"") for pts in (0, 45, 90)]
    known = {
        (0, "a"): Match(1, 1),
        (45, "a"): Match(1, 0.3),
        (45, "b"): Match(1, 0.6),
        (90, "b"): Match(1, 1),
    }
    measured = measure_coverage(SHOT, samples, ReferenceMap((SHOT,), ((a, b),)), Remembered(known))
    assert [(p.confidence, p.reference) for p in measured.points] == [
        (1, "a"),
        (0.6, "b"),
        (1, "b"),
    ]


def test_blank_frames_need_no_colour() -> None:
    samples = [FrameSample(5, b"", is_blank=True)]
    only = ReferenceMap((SHOT,), ((Reference(color_noise(1), Path("a")),),))
    assert measure_coverage(SHOT, samples, only, Remembered({})).verdict(INFO) == "covered"


def test_what_a_missing_cell_costs_is_read_off_the_curve() -> None:
    """Half the cells are not found, and a tenth of the certainty is gone: a loss of 0.2."""
    samples = [FrameSample(5, b"")]
    only = ReferenceMap((SHOT,), ((Reference(color_noise(1), Path("a")),),))
    for match, loss in ((Match(0.5, 0.9), 0.2), (Match(0.1, 0.9), 0.6), (Match(0.9, 0.1), 1.5)):
        found = measure_coverage(SHOT, samples, only, Remembered({(5, "a"): match}))
        assert found.loss == pytest.approx(loss)


def test_confidence_is_certainty_times_a_root_of_the_share() -> None:
    assert Match(1 / 16, 0.8).confidence == pytest.approx(0.4)
    assert Match(0.0, 0.8).confidence == 0
    assert np.isnan(Match(math.nan, math.nan).confidence)
