"""Which frames are worth painting: a greedy set cover over the samples of shots and of look-alike shots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ..inference.matching import Match
from ..utils.progress import Progress
from ..video.frames import VideoInfo
from .coverage import FilmMatcher, ShotCoverage, covered_share
from .samples import FrameSample

Floats = npt.NDArray[np.floating[Any]]

MAX_PROPOSALS = 10  # unless more are asked for
MAX_CANDIDATES = 40  # frames of one shot that are tried
LOOK_ALIKES = 8  # samples of other shots that each one is compared with


@dataclass(frozen=True)
class Proposal:
    """A frame worth painting.

    Args:
        pts: The frame.
        shot: Index of its shot.
        frames: How many frames it would mend, after the proposals before it. A fading frame counts by
            how far it has faded.
        shots: Indices of all shots that it mends frames of.
        covered: Share of the film that is covered with it and those before it, in [0, 1].
    """

    pts: int
    shot: int
    frames: int
    shots: tuple[int, ...]
    covered: float

    def line(self, info: VideoInfo) -> str:
        """What it gains, in words."""
        others = len(self.shots) - (self.shot in self.shots)
        also = f" (also in {others} other shot{'s' * (others > 1)})" if others else ""
        return (
            f"shot {self.shot + 1}, frame at {info.timecode(self.pts)}: mends {self.frames} frames"
            f"{also}; {self.covered:.0%} of the film is covered then"
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "pts": self.pts,
            "shot": self.shot,
            "frames": self.frames,
            "shots": list(self.shots),
            "covered": self.covered,
        }


def summary(proposals: Sequence[Proposal]) -> str:
    """All proposals in a line."""
    count = len(proposals)
    if not count:
        return "no still is worth painting"
    verb = "covers" if count == 1 else "cover"
    return f"{count} still{'s' * (count > 1)} {verb} {proposals[-1].covered:.0%} of the film"


@dataclass(frozen=True, eq=False)
class SampledShot:
    """A shot with all that proposals need of it.

    Args:
        coverage: Its curve; without points where it has no reference yet.
        samples: Its small pictures.
        frames: How many frames it has.
    """

    coverage: ShotCoverage
    samples: Sequence[FrameSample]
    frames: int

    @property
    def is_needy(self) -> bool:
        """Whether a still could mend anything."""
        return not self.coverage.gray and bool(self.coverage.lacking)


@dataclass(frozen=True, eq=False)
class _Place:
    """A sample, the shot it is of, the frames it stands for, and how far it is covered now."""

    sample: FrameSample
    shot: SampledShot
    frames: float
    covered: float


def propose_stills(
    shots: Sequence[SampledShot],
    film_matcher: FilmMatcher,
    progress: Progress,
    *,
    limit: int = MAX_PROPOSALS,
    min_frames: float = 1,
) -> tuple[Proposal, ...]:
    """The frames that would mend the most, in order: each is chosen after those before it.

    Args:
        shots: The film.
        film_matcher: Compares samples with each other.
        progress: Is told of the shots that are done.
        limit: How many frames are proposed at most.
        min_frames: A frame that would mend fewer is not proposed.

    Returns:
        At most ``limit`` proposals, none where the network cannot compare pictures. The colours of a
        still are not known before it is painted: what it costs that a cell is not found in it is taken
        from the shot's present reference (:attr:`ShotCoverage.loss`).
    """
    places = [place for shot in shots if shot.is_needy for place in _places(shot)]
    if not places or not film_matcher.matcher.can_compare:
        return ()
    progress.stage("seeking stills", len(places), "frame")
    candidates, covered = _covered_by_candidates(places, film_matcher, progress)
    total = sum(shot.frames for shot in shots if not shot.coverage.gray)
    chosen: list[Proposal] = []
    now = np.array([place.covered for place in places])
    frames = np.array([place.frames for place in places])
    while len(chosen) < limit:
        gains = np.maximum(covered - now, 0) @ frames
        best = int(gains.argmax())
        if gains[best] < min_frames:
            break
        mended = (np.maximum(covered[best] - now, 0) * frames) >= min(1.0, min_frames)
        now = np.maximum(now, covered[best])
        left = float((1 - now) @ frames)
        place = places[candidates[best]]
        chosen.append(
            Proposal(
                place.sample.pts,
                place.shot.coverage.shot.index,
                max(1, round(float(gains[best]))),
                tuple(sorted({places[i].shot.coverage.shot.index for i in np.flatnonzero(mended)})),
                1 - left / total,
            )
        )
    return tuple(chosen)


def _places(shot: SampledShot) -> list[_Place]:
    """A shot's samples: each stands for the frames nearer to it than to the others."""
    times = [sample.pts for sample in shot.samples]
    span = shot.coverage.shot
    middles = [(a + b) / 2 for a, b in pairwise(times)]
    borders = [span.start, *middles, span.stop]
    known = {point.pts: point.confidence for point in shot.coverage.points}
    rate = shot.frames / (span.stop - span.start)
    return [
        _Place(sample, shot, rate * (stop - start), covered_share(known.get(sample.pts, 0.0)))
        for sample, (start, stop) in zip(shot.samples, pairwise(borders), strict=True)
    ]


def _covered_by_candidates(
    places: Sequence[_Place], film_matcher: FilmMatcher, progress: Progress
) -> tuple[list[int], Floats]:
    """How far each place would be covered by each candidate: numbers of those, and ``[C, places]``."""
    groups: dict[int, list[int]] = {}
    for number, place in enumerate(places):
        groups.setdefault(place.shot.coverage.shot.index, []).append(number)
    descriptors = np.stack([film_matcher.features(place.sample).descriptor for place in places])
    candidates: list[int] = []
    rows: list[Floats] = []
    for own in groups.values():
        for number in _spread([i for i in own if places[i].covered < 1]):
            row = np.zeros(len(places))
            for other in (*own, *_look_alikes(descriptors, number, own)):
                row[other] = _covered(places[other], places[number], film_matcher)
            candidates.append(number)
            rows.append(row)
        progress.advance(len(own))
    return candidates, np.stack(rows)


def _spread(numbers: Sequence[int]) -> list[int]:
    """At most ``MAX_CANDIDATES`` of them, evenly."""
    count = min(len(numbers), MAX_CANDIDATES)
    return [numbers[(2 * i + 1) * len(numbers) // (2 * count)] for i in range(count)]


def _look_alikes(descriptors: Floats, number: int, own: Sequence[int]) -> list[int]:
    """The places of other shots whose descriptors are nearest."""
    nearness = descriptors @ descriptors[number]
    nearness[list(own)] = -1
    nearest = np.argsort(nearness)[::-1][:LOOK_ALIKES]
    return [int(i) for i in nearest if nearness[i] > 0]


def _covered(place: _Place, candidate: _Place, film_matcher: FilmMatcher) -> float:
    """How far a place is covered by a candidate, as if that were painted."""
    if place is candidate:
        return 1.0
    features = film_matcher.features
    match = film_matcher.matcher.match(features(place.sample), features(candidate.sample))
    certainty = max(0.0, 1 - place.shot.coverage.loss * (1 - match.share))
    return covered_share(Match(match.share, certainty).confidence)
