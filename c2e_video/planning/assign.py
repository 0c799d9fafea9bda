"""Every shot gets its references: those of the table, its own keyframes, or the nearest candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..inference.semantic_matching import SemanticMatcher
from ..references.image import Reference
from ..references.reference_map import ReferenceMap
from ..references.reference_table import TableShot
from ..utils.progress import Progress
from ..video.frames import Shot
from .candidates import COMPARED_SAMPLES, Candidate, CandidatePool, ScoredCandidate, spread
from .coverage import FilmMatcher
from .keyframes import Match
from .plan import MAX_CANDIDATES, Assignment, Plan
from .samples import FrameSample

SAME_SCENE = 0.62  # score from which a picture is taken to show the shot's own scene
MAX_TOGETHER = 4  # references of other scenes that a shot has at once
Found = Sequence[Match[Candidate]]


def assign_references(
    plan: Plan, pool: CandidatePool, film_matcher: FilmMatcher, progress: Progress
) -> Plan:
    """Give each shot its references.

    Args:
        plan: Its shots, their samples, and the table, if one was given.
        pool: Serve the shots that are open, and those of which they are frames.
        film_matcher: Compares candidates with shots.
        progress: Is told of the shots.

    Returns:
        The plan with its map, the assignments, and the candidates that colour no shot.

    Raises:
        BadReference: A picture cannot be read.
    """
    progress.stage("comparing shots", len(plan.shots), "shot")
    chooser = _Chooser(pool, film_matcher, plan.analysis.matches)
    rows: list[tuple[Reference, ...]] = []
    saturations: list[float] = []
    assignments = []
    notes = []
    for shot, samples in zip(plan.shots, plan.samples, strict=True):
        own = plan.table.shots[shot.index] if plan.table is not None else None
        if own is None or own.is_open:
            assignment = chooser.choose(shot, samples)
            rows.append(assignment.added)
        else:
            assert plan.table is not None
            row = plan.table.references(own)
            assignment = chooser.add(shot, samples, own, row)
            rows.append(tuple(sorted((*row, *assignment.added), key=lambda r: r.at or 0)))
            notes += chooser.set_aside(shot, own, row)
        saturations.append(1.0 if own is None else own.saturation)
        assignments.append(assignment)
        progress.advance(1)
    return replace(
        plan,
        reference_map=ReferenceMap(plan.shots, tuple(rows), tuple(saturations)),
        assignments=tuple(assignments),
        unused=_unused(pool, chooser.used),
        notes=(*plan.notes, *notes),
    )


def _unused(pool: CandidatePool, used: set[object]) -> tuple[Path, ...]:
    """The pictures that a user gave for nothing; of many pictures, and of films, none is named."""
    if not pool.is_small:
        return ()
    return tuple(c.path for c in pool.candidates if c.loaded is not None and c.path not in used)


class _Chooser:
    """Chooses among the candidates, and remembers which are used."""

    def __init__(self, pool: CandidatePool, film_matcher: FilmMatcher, matches: Found) -> None:
        self.pool, self.film_matcher, self.matches = pool, film_matcher, matches
        self.used: set[object] = set()
        self._loaded: dict[object, Reference] = {}
        self._semantic = SemanticMatcher(film_matcher.matcher.network)

    def choose(self, shot: Shot, samples: Sequence[FrameSample]) -> Assignment:
        """For a shot that is open: its own keyframes, else the candidate of the highest score."""
        found = _found_in(shot, self.matches)
        if not found and not len(self.pool):
            return Assignment(shot, "open")
        ranked = self.pool.ranked(samples, self.film_matcher)
        best = tuple(ranked[:MAX_CANDIDATES])
        if found:
            added = tuple(self._load(match.reference).moved(match.pts) for match in found)
            similarity = min(match.similarity for match in found)
            return Assignment(shot, "frame", similarity, best, added)
        chosen = self._of_other_scenes(ranked, samples) or (self._load(ranked[0].candidate),)
        return Assignment(shot, "nearest", ranked[0].score, best, chosen)

    def _of_other_scenes(
        self, ranked: Sequence[ScoredCandidate], samples: Sequence[FrameSample]
    ) -> tuple[Reference, ...]:
        """References that together are most similar to the shot, where all show other scenes; else none."""
        has_semantics = self._semantic.network.has_semantics
        if ranked[0].score >= SAME_SCENE or len(ranked) == 1 or not has_semantics:
            return ()
        some = spread(samples, COMPARED_SAMPLES)
        pictures = [one.candidate for one in ranked]
        chosen = self._semantic.choose(
            [self._semantic.encode_once(sample.pts, sample.picture) for sample in some],
            [self._semantic.encode_once(c.key, lambda c=c: c.load().image) for c in pictures],  # type: ignore[misc]
            MAX_TOGETHER,
        )
        return tuple(self._load(ranked[number].candidate) for number in chosen)

    def add(
        self,
        shot: Shot,
        samples: Sequence[FrameSample],
        own: TableShot,
        row: Sequence[Reference],
    ) -> Assignment:
        """For a shot of the table that has references: keyframes are added where all of these have a time."""
        if own.is_gray:
            return Assignment(shot, "gray")
        best = (
            self.pool.ranked(samples, self.film_matcher)[:MAX_CANDIDATES] if len(self.pool) else []
        )
        times = {reference.at for reference in row}
        added: tuple[Reference, ...] = ()
        if None not in times:
            new = [m for m in _found_in(shot, self.matches) if m.pts not in times]
            added = tuple(self._load(match.reference).moved(match.pts) for match in new)
        return Assignment(shot, "map", candidates=tuple(best), added=added)

    def set_aside(self, shot: Shot, own: TableShot, row: Sequence[Reference]) -> list[str]:
        """A line for each keyframe of a shot that keeps the picture of another."""
        if own.is_gray or all(reference.at is not None for reference in row):
            return []
        return [
            f"shot {shot.index + 1} keeps {row[0].path.name}, as the table says; "
            f"{match.reference.path.name} is one of its frames: leave its reference empty to take that"
            for match in _found_in(shot, self.matches)
        ]

    def _load(self, candidate: Candidate) -> Reference:
        self.used.add(candidate.path)
        if candidate.path not in self._loaded:
            self._loaded[candidate.path] = candidate.load()
        return self._loaded[candidate.path]


def _found_in(shot: Shot, matches: Found) -> list[Match[Candidate]]:
    """The keyframes that are frames of ``shot``, by time; of two for one frame, the likelier."""
    at: dict[int, Match[Candidate]] = {}
    for match in sorted(matches, key=lambda match: match.similarity):
        if match.pts is not None and match.pts in shot:
            at[match.pts] = match
    return [at[pts] for pts in sorted(at)]
