"""The planning pass: the film is read once, every shot gets its references, and coverage is measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..errors import C2EError, MediaError
from ..inference.matching import PictureMatcher
from ..inference.video_colorizer import VideoColorizer
from ..references.image import Reference
from ..references.reference_map import ReferenceMap, snap_shots
from ..utils.progress import Progress
from ..video.decode.decoder import frames_at
from ..video.frames import Shot, VideoInfo
from .analysis import VideoAnalysis, Window, analyze, first_pts, frames_expected
from .clock_fit import Span, check_inside, estimated_stop, fit_map
from .coverage import FilmMatcher, ShotCoverage, measure_coverage
from .keyframes import Match
from .proposals import MAX_PROPOSALS, Proposal, SampledShot, propose_stills
from .samples import FrameSample, by_shot
from .shot_lists import with_the_rest, write_shot_list

MAX_CANDIDATES = 5  # references of a shot that are named with their scores
COMPARED = 3  # samples of a shot that references are compared with
MIN_GAIN_SECONDS = 0.25  # a still that mends less of the film is not proposed


@dataclass(frozen=True, eq=False)
class Candidate:
    """A reference that a shot could have; ``score`` is the mean confidence over some of its frames."""

    reference: Reference
    score: float


@dataclass(frozen=True, eq=False)
class Assignment:
    """Why a shot has its reference, and how sure that is.

    Args:
        shot: The shot.
        source: "frame" where the reference is one of the shot's frames, "nearest" where it is the
            candidate of the highest score, "map" where a person said so.
        similarity: Of a frame the correlation of its luma with the reference's; of the nearest its
            score. NaN where a person chose, or where the network cannot compare.
        candidates: The best references for the shot, best first.
    """

    shot: Shot
    source: Literal["frame", "nearest", "map"]
    similarity: float
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, eq=False)
class Plan:
    """A film's shots and their references: all that is decided before the first frame is colorized.

    Args:
        source: The film.
        info: What its picture track holds.
        analysis: What one pass over the film found.
        shots: The shots.
        reference_map: The references of each shot; None where none were given.
        assignments: Why each shot has its references; empty where none were given.
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

    @property
    def lacking(self) -> list[ShotCoverage]:
        """The shots worth another keyframe, those that lack the most frames first."""
        if self.reference_map is None:
            return []
        lacking = [curve for curve in self.coverage if curve.lacking]
        return sorted(lacking, key=lambda curve: -self.frames_lacking(curve))

    @property
    def unused(self) -> list[Reference]:
        """References that colour no shot, because others are nearer to every one."""
        used = {r.digest for r in self.reference_map.distinct()} if self.reference_map else set()
        return [m.reference for m in self.analysis.matches if m.reference.digest not in used]

    def remarks(self, most: int = 1000) -> list[str]:
        """What a user should know.

        Args:
            most: At most so many shots are named; of more their number is told.

        Returns:
            A line for every shot that is not covered throughout, those that lack the most frames first,
            and one for every reference that colours no shot.
        """
        lacking = self.lacking
        lines = [self._line(curve) for curve in lacking]
        if len(lacking) > most:
            lines = [
                f"{len(lacking)} of {len(self.shots)} shots are not covered throughout; "
                "`c2e-video plan` with --sheet shows which"
            ]
        names = [reference.path.name for reference in self.unused]
        return lines + [f"{name} colours no shot: others are nearer to each" for name in names]

    def _line(self, curve: ShotCoverage) -> str:
        shot = curve.shot
        return (
            f"shot {shot.index + 1} at {self.info.timecode(shot.start)}: {curve.verdict(self.info)} "
            f"({self.frames_lacking(curve)} of {self.frames_of(shot)} frames"
            f"{self._nearest(shot)})"
        )

    def _nearest(self, shot: Shot) -> str:
        """The shot's reference, where that shows another scene or is chosen by likeness."""
        assignment = self.assignments[shot.index] if self.assignments else None
        if assignment is None or assignment.source != "nearest" or self.reference_map is None:
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
        self, video_colorizer: VideoColorizer, progress: Progress, limit: int = MAX_PROPOSALS
    ) -> tuple[Proposal, ...]:
        """The frames worth painting, best first (:func:`~.proposals.propose_stills`)."""
        shots = [
            SampledShot(curve, samples, self.frames_of(curve.shot))
            for curve, samples in zip(self.coverage, self.samples, strict=True)
        ]
        seconds = self.info.seconds(self.shots[-1].stop - self.shots[0].start)
        return propose_stills(
            shots,
            FilmMatcher(PictureMatcher(video_colorizer.colorizer)),
            progress,
            limit=limit,
            min_frames=MIN_GAIN_SECONDS * len(self.analysis.pts) / seconds,
        )

    def write(self, path: Path) -> None:
        """Write the table of shots and references (.csv), or the shots alone (.edl, .otio)."""
        if self.reference_map is not None and path.suffix.lower() == ".csv":
            self.reference_map.to_csv(path, self.info)
        else:
            write_shot_list(self.shots, path, self.info)


def make_plan(
    source: Path,
    info: VideoInfo,
    references: ReferenceMap | Sequence[Reference],
    video_colorizer: VideoColorizer,
    progress: Progress,
    *,
    shots: Sequence[Shot] = (),
    window: Window = (None, None),
) -> Plan:
    """Read the film once, give every shot its references, and measure their coverage.

    A map is taken as it is, its borders moved to the nearest frames. Of pictures, those that are
    frames of the film serve the shot they belong to, at their time; a shot without one takes the
    picture of the highest score.

    Args:
        source: The film.
        info: What its picture track holds.
        references: A map, or pictures; empty where there are none yet.
        video_colorizer: The network.
        progress: Is told of the stages.
        shots: Are taken instead of those that are found.
        window: The part of the film to plan, in pts.

    Raises:
        C2EError: A map was given and shots as well.
        MediaError: The film cannot be read, or has no frame in the window.
    """
    if shots and isinstance(references, ReferenceMap):
        raise C2EError("a map has shots of its own; give a list of shots or a map, not both")
    progress.stage("analyzing", frames_expected(info, window))
    pictures = () if isinstance(references, ReferenceMap) else references
    analysis = analyze(
        source, info, pictures, window=window, on_frame=lambda frame: progress.advance(1)
    )
    for line in analysis.problems:
        progress.note(line)
    if shots:
        check_inside(shots, info, _span(source, info, analysis, window))
        shots = with_the_rest(shots, info, analysis.pts[-1] + 1)
        analysis = replace(analysis, shots=snap_shots(shots, analysis.pts))
    reference_map = None
    if isinstance(references, ReferenceMap):
        references, moved = fit_map(references, info, _span(source, info, analysis, window))
        if moved:
            progress.note(moved)
        reference_map = references.snapped(analysis.pts)
        analysis = replace(analysis, shots=reference_map.shots)
    samples = _samples(source, info, analysis)
    bare = Plan(source, info, analysis, analysis.shots, samples=samples)
    if reference_map is None and not references:
        return replace(bare, coverage=tuple(map(ShotCoverage, bare.shots)))
    film_matcher = FilmMatcher(PictureMatcher(video_colorizer.colorizer))
    if isinstance(references, ReferenceMap):
        assert reference_map is not None
        progress.stage("measuring coverage", len(bare.shots), "shot")
        assignments = tuple(Assignment(shot, "map", math.nan) for shot in reference_map.shots)
        planned = replace(bare, reference_map=reference_map, assignments=assignments)
        return _measured(planned, film_matcher, progress)
    progress.stage("comparing shots", len(bare.shots), "shot")
    return _assigned(bare, references, film_matcher, progress)


def _span(source: Path, info: VideoInfo, analysis: VideoAnalysis, window: Window) -> Span:
    """Where the whole film begins and ends, though a part of it may have been analyzed alone."""
    pts, (start, stop) = analysis.pts, window
    begin = pts[0] if start is None else first_pts(source, info)
    if stop is not None:
        return Span(begin, estimated_stop(info, begin))
    return Span(begin, 2 * pts[-1] - pts[-2] if len(pts) > 1 else pts[-1] + 1)


def _samples(
    source: Path, info: VideoInfo, analysis: VideoAnalysis
) -> tuple[tuple[FrameSample, ...], ...]:
    """The samples of each shot: one of the middle where the pass took none, as in a blank shot."""
    found = [own for _, own in by_shot(analysis.shots, analysis.samples)]
    missing = [shot for shot, own in zip(analysis.shots, found, strict=True) if not own]
    middles = frames_at(source, info, [analysis.shown(shot)[1] for shot in missing])
    for shot, middle in zip(missing, middles, strict=False):
        found[shot.index] = [FrameSample.of(middle, info)]
    for shot, own in zip(analysis.shots, found, strict=True):
        if not own:
            raise MediaError(
                f"the film gave no frame at {info.timecode(analysis.shown(shot)[1])}, where it gave one "
                "before; it was changed while it was being read, or its disk is failing: run again"
            )
    return tuple(map(tuple, found))


def _assigned(
    plan: Plan, references: Sequence[Reference], film_matcher: FilmMatcher, progress: Progress
) -> Plan:
    """The plan with the references of each shot, and their coverage."""
    rows, assignments = [], []
    for shot, samples in zip(plan.shots, plan.samples, strict=True):
        own = _found_in(shot, plan.analysis.matches)
        ranked = _ranked(samples, references, film_matcher)
        best = tuple(ranked[:MAX_CANDIDATES])
        if own:
            rows.append(tuple(match.reference.moved(match.pts) for match in own))
            similarity = min(match.similarity for match in own)
            assignments.append(Assignment(shot, "frame", similarity, best))
        else:
            rows.append((ranked[0].reference,))
            assignments.append(Assignment(shot, "nearest", ranked[0].score, best))
        progress.advance(1)
    reference_map = ReferenceMap(plan.shots, tuple(rows))
    planned = replace(plan, reference_map=reference_map, assignments=tuple(assignments))
    return _measured(planned, film_matcher, None)


def _ranked(
    samples: Sequence[FrameSample], references: Sequence[Reference], film_matcher: FilmMatcher
) -> list[Candidate]:
    """The references with their scores for a shot, best first."""
    count = min(COMPARED, len(samples))
    some = [samples[(2 * i + 1) * len(samples) // (2 * count)] for i in range(count)]
    scored = [
        Candidate(r, sum(film_matcher.match(s, r).confidence for s in some) / count)
        for r in references
    ]
    return sorted(scored, key=lambda candidate: -candidate.score)


def _measured(plan: Plan, film_matcher: FilmMatcher, progress: Progress | None) -> Plan:
    """The plan with the curve of each shot."""
    assert plan.reference_map is not None
    curves = []
    for shot, samples in zip(plan.shots, plan.samples, strict=True):
        curves.append(measure_coverage(shot, samples, plan.reference_map, film_matcher))
        if progress is not None:
            progress.advance(1)
    return replace(plan, coverage=tuple(curves))


def _found_in(shot: Shot, matches: Sequence[Match]) -> list[Match]:
    """The keyframes that are frames of ``shot``, by time; of two for one frame, the likelier."""
    at: dict[int, Match] = {}
    for match in sorted(matches, key=lambda match: match.similarity):
        if match.pts is not None and match.pts in shot:
            at[match.pts] = match
    return [at[pts] for pts in sorted(at)]
