"""Which frames are worth painting, on films made of places that a fake network compares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from c2e_video.inference.matching import Match
from c2e_video.planning.coverage import CoveragePoint, FilmMatcher, ShotCoverage
from c2e_video.planning.proposals import SampledShot, propose_stills, summary
from c2e_video.planning.samples import FrameSample
from c2e_video.references.image import Reference
from c2e_video.utils.progress import Silent
from c2e_video.video.frames import Shot
from tests.factories import color_noise, video_info


class Line:
    """A network for which every frame lies at a place of a line: what is near is found again."""

    can_compare = True

    def __init__(self, reach: float) -> None:
        self.reach = reach

    def match(self, frame: Any, reference: Any) -> Match:
        return Match(1.0 if abs(frame.place - reference.place) <= self.reach else 0.0, 1.0)


class Place:
    def __init__(self, place: float) -> None:
        self.place = place
        self.descriptor = np.array([np.cos(place / 100), np.sin(place / 100)])


class LineMatcher(FilmMatcher):
    def features(self, sample: FrameSample) -> Any:
        return Place(float(sample.jpeg))


def shot(index: int, start: int, places: list[float], confidence: float | None) -> SampledShot:
    """Of one frame a place, and of that confidence throughout; without points for None."""
    own = Shot(index, start, start + len(places))
    samples = [FrameSample(start + i, str(place).encode()) for i, place in enumerate(places)]
    points = () if confidence is None else tuple(CoveragePoint(s.pts, confidence) for s in samples)
    return SampledShot(ShotCoverage(own, points), samples, len(places))


def proposed(shots: list[SampledShot], reach: float, **how: Any) -> Any:
    return propose_stills(shots, LineMatcher(Line(reach)), Silent(), **how)  # type: ignore[arg-type]


def test_a_tracking_shot_that_needs_four_pictures_gets_four() -> None:
    travel = shot(0, 0, [float(i) for i in range(28)], None)
    stills = proposed([travel], 3)
    assert len(stills) == 4
    assert min(still.frames for still in stills) >= 6
    assert stills[-1].covered > 0.97
    assert summary(stills) == "4 stills cover 98% of the film"


def test_the_still_that_mends_the_most_comes_first_and_look_alikes_are_mended_too() -> None:
    first = shot(0, 0, [0.0] * 4, 0.2)
    again = shot(1, 4, [0.0] * 6, 0.2)
    other = shot(2, 10, [50.0] * 5, 0.2)
    stills = proposed([first, again, other], 1)
    assert [(still.frames, still.shots) for still in stills] == [(10, (0, 1)), (5, (2,))]
    assert "also in 1 other shot" in stills[0].line(video_info())


def test_what_is_covered_or_gray_needs_nothing() -> None:
    covered = shot(0, 0, [0.0] * 4, 0.9)
    gray = shot(1, 4, [9.0] * 4, None)
    gray = SampledShot(ShotCoverage(gray.coverage.shot, gray=True), gray.samples, gray.frames)
    assert proposed([covered, gray], 1) == ()
    assert summary(()) == "no still is worth painting"
    lone = shot(2, 8, [5.0] * 4, 0.1)
    (still,) = proposed([covered, gray, lone], 1)
    assert (still.shot, still.covered) == (2, 1.0)


def test_at_most_so_many_and_none_that_mends_little() -> None:
    travel = shot(0, 0, [10.0 * i for i in range(20)], 0.1)
    assert len(proposed([travel], 1)) == 10
    assert len(proposed([travel], 1, limit=3)) == 3
    assert proposed([travel], 1, min_frames=2) == ()


class Named(LineMatcher):
    """References lie at the places that their names tell."""

    def match(self, sample: FrameSample, reference: Reference) -> Match:
        return self.matcher.match(self.features(sample), Place(float(reference.path.name)))  # type: ignore[arg-type]


def test_a_still_takes_over_what_comes_after_it() -> None:
    """Someone walks through for one frame: a keyframe of that would colour the frames after it, too."""
    there = [0.0, 0.0, 0.0, 50.0, 0.0, 0.0, 0.0]
    samples = [FrameSample(i, str(place).encode()) for i, place in enumerate(there)]
    points = tuple(CoveragePoint(i, 0.1 if place else 0.9) for i, place in enumerate(there))
    first = Reference(color_noise(1), Path("0"), 0)
    shot = SampledShot(ShotCoverage(Shot(0, 0, 7), points), samples, 7, (first,))
    assert not propose_stills([shot], Named(Line(1)), Silent())  # type: ignore[arg-type]
    last = Reference(color_noise(2), Path("0"), 6)
    both = SampledShot(shot.coverage, samples, 7, (first, last))
    (still,) = propose_stills([both], Named(Line(1)), Silent())  # type: ignore[arg-type]
    assert (still.pts, still.frames) == (3, 1)
