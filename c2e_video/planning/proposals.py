"""Which frames are worth painting: a greedy set cover over the samples of shots and of similar shots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ..inference.matching import Match
from ..references.image import Reference
from ..utils.devices import release_memory
from ..utils.progress import Progress
from ..video.frames import VideoInfo
from .coverage import FilmMatcher, ShotCoverage, covered_share
from .samples import FrameSample

Floats = npt.NDArray[np.floating[Any]]

MAX_PROPOSALS = 10  # unless more are wanted
MAX_CANDIDATES = 40  # frames of one shot that are tried
LOOK_ALIKES = 8  # samples of other shots that each one is compared with, at most
# Cosine of two descriptors below which pictures of different shots are not compared: of 6,400 such pairs of
# frames of real film the half that is left out holds 1 % of what the pairs cover.
ALIKE = 0.86


@dataclass(frozen=True)
class Proposal:
    """A frame worth painting.

    Args:
        pts: The frame.
        shot: Index of its shot.
        frames: How many frames it would mend, after the proposals before it: uncovered ones that would
            fade or be covered, and fading ones that would be covered.
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
        references: Those that it has.
    """

    coverage: ShotCoverage
    samples: Sequence[FrameSample]
    frames: int
    references: tuple[Reference, ...] = ()

    @property
    def is_needy(self) -> bool:
        """Whether a still could mend anything."""
        return not self.coverage.gray and bool(self.coverage.lacking)


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
    needy = [_Needy(shot, film_matcher) for shot in shots if shot.is_needy]
    if not needy or not film_matcher.matcher.can_compare:
        return ()
    progress.stage("seeking stills", len(needy), "shot")
    candidates = _candidates(needy, film_matcher, progress)
    total = sum(shot.frames for shot in shots if not shot.coverage.gray)
    chosen: list[Proposal] = []
    while candidates and len(chosen) < limit:
        gains = [candidate.gain() for candidate in candidates]
        best = max(range(len(gains)), key=gains.__getitem__)
        if gains[best] < min_frames:
            break
        candidate = candidates.pop(best)
        before = [shot.levels() for shot in needy]
        mended = candidate.take(min(1.0, min_frames))
        left = sum(shot.left for shot in needy)
        better = sum(
            float((shot.levels() > levels) @ shot.frames)
            for shot, levels in zip(needy, before, strict=True)
        )
        frames = max(1, round(better))
        chosen.append(
            Proposal(candidate.pts, candidate.own.index, frames, mended, 1 - left / total)
        )
    return tuple(chosen)


class _Needy:
    """A shot that lacks coverage: its samples, and how far each is covered by what is chosen so far.

    A sample is covered by the keyframes next to it in time, the one before and the one after, for these
    colorize it. Only a shot without keyframes of its own borrows stills of others.
    """

    def __init__(self, shot: SampledShot, film_matcher: FilmMatcher) -> None:
        span, times = shot.coverage.shot, [sample.pts for sample in shot.samples]
        borders = [span.start, *((a + b) / 2 for a, b in pairwise(times)), span.stop]
        rate = shot.frames / (span.stop - span.start)
        self.index, self.samples, self.loss = span.index, shot.samples, shot.coverage.loss
        self.times = np.array(times)
        self.frames = np.diff(np.array(borders)) * rate  # each stands for those nearest to it
        known = {point.pts: point.confidence for point in shot.coverage.points}
        self.borrowed = np.array([covered_share(known.get(pts, 0.0)) for pts in times])
        self.keyframes: list[tuple[int, Floats]] = []
        for reference in shot.references:
            if reference.at is not None:
                self.add(reference.at, self._by(reference, film_matcher))

    def _by(self, reference: Reference, film_matcher: FilmMatcher) -> Floats:
        confidences = (film_matcher.match(s, reference).confidence for s in self.samples)
        return np.array([covered_share(confidence) for confidence in confidences])

    def add(self, at: int, covered: Floats) -> None:
        """A keyframe more."""
        self.keyframes = sorted([*self.keyframes, (at, covered)], key=lambda pair: pair[0])

    def covered(self, more: tuple[int, Floats] | None = None) -> Floats:
        """How far each sample is covered, with one keyframe ``more`` if it is given."""
        keyframes = list(self.keyframes)
        if more is not None:
            keyframes = sorted([*keyframes, more], key=lambda pair: pair[0])
        if not keyframes:
            return self.borrowed
        times = np.array([at for at, _ in keyframes])
        rows = np.stack([row for _, row in keyframes])
        after = np.searchsorted(times, self.times).clip(0, len(times) - 1)
        before = (np.searchsorted(times, self.times, side="right") - 1).clip(0)
        samples = np.arange(len(self.times))
        covered: Floats = np.maximum(rows[before, samples], rows[after, samples])
        return covered

    def levels(self) -> Any:
        """Of each sample 0 where it is uncovered, 1 where it is fading, 2 where it is covered."""
        covered = self.covered()
        return (covered > 0).astype(int) + (covered >= 1)

    @property
    def left(self) -> float:
        """The frames that are not covered."""
        return float((self.covered() < 1) @ self.frames)


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A sample that could be painted, and how far it would cover the samples of shots."""

    pts: int
    own: _Needy
    row: Floats
    others: tuple[tuple[_Needy, Floats], ...]

    def gain(self) -> float:
        """How many frames it would mend now; a fading frame counts by how far it has faded."""
        change = self.own.covered((self.pts, self.row)) - self.own.covered()
        borrowed = sum(
            float(np.maximum(row - shot.borrowed, 0) @ shot.frames) for shot, row in self._open()
        )
        return float(change @ self.own.frames) + borrowed

    def take(self, least: float) -> tuple[int, ...]:
        """Choose it; the indices of the shots of which it mends so many frames."""
        mended = {self.own.index}
        for shot, row in self._open():
            if float(np.maximum(row - shot.borrowed, 0) @ shot.frames) >= least:
                mended.add(shot.index)
            shot.borrowed = np.maximum(shot.borrowed, row)
        self.own.add(self.pts, self.row)
        return tuple(sorted(mended))

    def _open(self) -> list[tuple[_Needy, Floats]]:
        return [(shot, row) for shot, row in self.others if not shot.keyframes]


def _candidates(
    needy: Sequence[_Needy], film_matcher: FilmMatcher, progress: Progress
) -> list[_Candidate]:
    """The samples that are not covered, each compared with those of its shot and with look-alikes."""
    places = [(shot, number) for shot in needy for number in range(len(shot.samples))]
    descriptors = np.stack(
        [film_matcher.features(shot.samples[number]).descriptor for shot, number in places]
    )
    found = []
    first = 0
    for shot in needy:
        last = first + len(shot.samples)
        for number in _spread(np.flatnonzero(shot.covered() < 1).tolist()):
            sample = shot.samples[number]
            row = np.array([_covered(s, sample, shot.loss, film_matcher) for s in shot.samples])
            nearness = descriptors @ descriptors[first + number]
            nearness[first:last] = -1
            nearest = np.argsort(nearness)[::-1][:LOOK_ALIKES]
            alike = [places[i] for i in nearest if nearness[i] >= ALIKE]
            others = _rows_of(sample, alike, film_matcher)
            found.append(_Candidate(sample.pts, shot, row, others))
        first = last
        release_memory()
        progress.advance(1)
    return found


def _rows_of(
    still: FrameSample, places: Sequence[tuple[_Needy, int]], film_matcher: FilmMatcher
) -> tuple[tuple[_Needy, Floats], ...]:
    """How far a still would cover these samples of other shots; 0 for the rest of their samples."""
    rows: dict[int, tuple[_Needy, Floats]] = {}
    for shot, number in places:
        if shot.keyframes:
            continue
        _, row = rows.setdefault(shot.index, (shot, np.zeros(len(shot.samples))))
        row[number] = _covered(shot.samples[number], still, shot.loss, film_matcher)
    return tuple(rows.values())


def _spread(numbers: Sequence[int]) -> list[int]:
    """At most ``MAX_CANDIDATES`` of them, evenly."""
    count = min(len(numbers), MAX_CANDIDATES)
    return [numbers[(2 * i + 1) * len(numbers) // (2 * count)] for i in range(count)]


def _covered(
    sample: FrameSample, still: FrameSample, loss: float, film_matcher: FilmMatcher
) -> float:
    """How far a sample is covered by another, as if that were painted."""
    if sample is still:
        return 1.0
    features = film_matcher.features
    match = film_matcher.matcher.match(features(sample), features(still))
    certainty = max(0.0, 1 - loss * (1 - match.share))
    return covered_share(Match(match.share, certainty).confidence)
