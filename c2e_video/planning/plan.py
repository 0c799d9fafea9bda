"""A plan: the shots of a film, their references, why they have them, and how far they are covered."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..references.image import Reference
from ..references.reference_map import ReferenceMap
from ..references.reference_table import ReferenceTable
from ..references.table_file import write_table
from ..utils.progress import Progress
from ..video.frames import Shot, VideoInfo
from .analysis import VideoAnalysis
from .candidates import ScoredCandidate
from .coverage import FilmMatcher, ShotCoverage
from .disagreements import Disagreement
from .proposals import MAX_PROPOSALS, Proposal, SampledShot, propose_stills
from .samples import FrameSample
from .shot_lists import write_shot_list

MAX_CANDIDATES = 5  # references of a shot that are named with their scores
MIN_GAIN_SECONDS = 0.25  # a still that mends less of the film is not proposed

Source = Literal["frame", "nearest", "map", "gray", "open"]


@dataclass(frozen=True, eq=False)
class Assignment:
    """Why a shot has its reference, and how sure that is.

    Args:
        shot: The shot.
        source: "frame" where the references are frames of the shot, "nearest" where the reference is
            the candidate of the highest score, "map" where a person said so, "gray" where it is left
            gray, "open" where it has no reference yet.
        similarity: Of frames the correlation of their luma with the reference's; of the nearest its
            score. NaN otherwise, and where the network cannot compare.
        candidates: The best candidates for the shot, best first.
        added: References that were found for it now; the others are as the table has them.
    """

    shot: Shot
    source: Source
    similarity: float = math.nan
    candidates: tuple[ScoredCandidate, ...] = ()
    added: tuple[Reference, ...] = ()


@dataclass(frozen=True, eq=False)
class Plan:
    """A film's shots and their references: all that is decided before the first frame is colorized.

    Args:
        source: The film.
        info: What its picture track holds.
        analysis: What one pass over the film found.
        shots: The shots.
        reference_map: The references of each shot, none for a shot that is open; None where none were
            given.
        assignments: Why each shot has its references; empty where none were given.
        table: The table that was given, its times on frames; None where none was.
        notes: What is to be said of how references and tables were read.
        disagreements: References of one shot that give the same thing different colours.
        coverage: The curve of each shot.
        samples: The small pictures of each shot.
    """

    source: Path
    info: VideoInfo
    analysis: VideoAnalysis
    shots: tuple[Shot, ...]
    reference_map: ReferenceMap | None = None
    assignments: tuple[Assignment, ...] = ()
    coverage: tuple[ShotCoverage, ...] = ()
    samples: tuple[tuple[FrameSample, ...], ...] = ()
    table: ReferenceTable | None = None
    unused: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()

    @property
    def lacking(self) -> list[ShotCoverage]:
        """The shots worth another keyframe, those that lack the most frames first."""
        if self.reference_map is None:
            return []
        lacking = [curve for curve in self.coverage if curve.lacking]
        return sorted(lacking, key=lambda curve: -self.frames_lacking(curve))

    @property
    def open_shots(self) -> list[Shot]:
        """The shots that have no reference yet."""
        return [a.shot for a in self.assignments if a.source == "open"]

    def remarks(self, most: int = 1000) -> list[str]:
        """Notes for the user.

        Args:
            most: At most so many shots are named; of more their number is told.

        Returns:
            How tables were read, a line for every shot that is not covered throughout, those that lack
            the most frames first, and one for every disagreement and every reference that colours no shot.
        """
        return [
            *self.notes,
            *self.warnings(most),
            *(f"{path.name} colours no shot: others are nearer to each" for path in self.unused),
        ]

    def warnings(self, most: int = 1000) -> list[str]:
        """A line for every shot that is not covered throughout, and for every disagreement.

        Args:
            most: At most so many shots are named; of more their number is told.
        """
        lacking = self.lacking
        lines = [self._line(curve) for curve in lacking]
        if len(lacking) > most:
            lines = [
                f"{len(lacking)} of {len(self.shots)} shots are not covered throughout; "
                "`c2e-video plan` with --sheet shows which"
            ]
        return [*lines, *(disagreement.line(self.info) for disagreement in self.disagreements)]

    def changes(self) -> list[str]:
        """What planning did to the table that was given; empty where none was."""
        if self.table is None:
            return []
        filled = [a for a in self.assignments if a.added and a.source != "map"]
        added = sum(len(a.added) for a in self.assignments if a.source == "map")
        kept = len(self.shots) - len(filled) - len(self.open_shots)
        parts = [f"{kept} shots kept as they are written", f"{len(filled)} filled"]
        if added:
            parts.append(f"{added} keyframes added to shots that have some")
        if self.open_shots:
            parts.append(f"{len(self.open_shots)} still open")
        return [f"{self.table.path}: {', '.join(parts)}"]

    @property
    def changed(self) -> bool:
        """Whether the table that was given would be written with other content."""
        if self.table is None or any(a.added for a in self.assignments):
            return True
        return self.table.coverage not in (None, self.verdicts())

    def verdicts(self) -> tuple[str, ...]:
        """The coverage of each shot in words; empty words where it is open or nothing was given."""
        return tuple(
            curve.verdict(self.info) if curve.points or curve.gray else ""
            for curve in self.coverage
        )

    def _line(self, curve: ShotCoverage) -> str:
        shot = curve.shot
        return (
            f"shot {shot.index + 1} at {self.info.timecode(shot.start)}: {curve.verdict(self.info)} "
            f"({self.frames_lacking(curve)} of {self.frames_of(shot)} frames"
            f"{self._nearest(shot)})"
        )

    def _nearest(self, shot: Shot) -> str:
        """The shot's reference, where the most similar one was chosen."""
        assignment = self.assignments[shot.index]
        if assignment.source != "nearest" or self.reference_map is None:
            return ""
        name = self.reference_map.references[shot.index][0].path.name
        return f"; nearest reference {name}, {assignment.similarity:.2f}"

    def summary(self) -> str:
        """The plan in a line."""
        line = f"{self.source.name}: {self.size()}"
        if self.reference_map is None:
            return f"{line}, no references yet"
        found = sum(assignment.source == "frame" for assignment in self.assignments)
        used = len(self.reference_map.distinct())
        return (
            f"{line} ({found} with a keyframe of their own), {used} references in use, "
            f"{self.covered:.0%} of the frames covered"
        )

    def size(self) -> str:
        """The film's frames and shots in words."""
        count = len(self.shots)
        return f"{len(self.analysis.pts)} frames, {count} shot{'s' * (count != 1)}"

    @property
    def covered(self) -> float:
        """The share of the film's frames that are covered or left gray, in [0, 1]."""
        return 1 - sum(map(self.frames_lacking, self.coverage)) / len(self.analysis.pts)

    def frames_of(self, shot: Shot) -> int:
        """How many frames a shot has."""
        return self.analysis.count(shot.start, shot.stop)

    def frames_lacking(self, curve: ShotCoverage) -> int:
        """How many frames of a shot are fading or uncovered."""
        return sum(self.analysis.count(s.start, s.stop) for s in curve.lacking)

    def proposals(
        self, film_matcher: FilmMatcher, progress: Progress, limit: int = MAX_PROPOSALS
    ) -> tuple[Proposal, ...]:
        """The frames worth painting, best first (:func:`~.proposals.propose_stills`)."""
        shots = [
            SampledShot(curve, samples, self.frames_of(curve.shot), self._references_of(curve.shot))
            for curve, samples in zip(self.coverage, self.samples, strict=True)
        ]
        seconds = self.info.seconds(self.shots[-1].stop - self.shots[0].start)
        return propose_stills(
            shots,
            film_matcher,
            progress,
            limit=limit,
            min_frames=MIN_GAIN_SECONDS * len(self.analysis.pts) / seconds,
        )

    def with_guesses(self, guesses: ReferenceMap) -> Plan:
        """The plan with guessed references, which are written to its list."""
        rows = zip(self.shots, guesses.references, strict=True)
        assignments = tuple(Assignment(shot, "open", added=row) for shot, row in rows)
        return replace(self, assignments=assignments)

    def _references_of(self, shot: Shot) -> tuple[Reference, ...]:
        return () if self.reference_map is None else self.reference_map.references[shot.index]

    def write(self, path: Path) -> None:
        """Write the table (.csv), or the shots alone (.edl, .otio). Raises C2EError if it cannot be."""
        if path.suffix.lower() != ".csv":
            write_shot_list(self.shots, path, self.info)
            return
        known = self.table
        table = ReferenceTable.new(path, self.shots) if known is None else known.moved_to(path)
        for index, assignment in enumerate(self.assignments):
            if assignment.added:
                table = table.with_references(index, assignment.added, Path())
        write_table(table.with_coverage(self.verdicts()), self.info)
