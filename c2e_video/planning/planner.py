"""The planning pass: the film is read once, every shot gets its references, and coverage is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import C2EError, MediaError
from ..inference.matching import PictureMatcher
from ..inference.video_colorizer import VideoColorizer
from ..references.given import GivenReferences
from ..references.image import Reference
from ..references.reference_map import ReferenceMap, snap_shots
from ..references.table_on_film import fit_to_film
from ..utils.progress import Progress
from ..video.decode.decoder import frames_at
from ..video.frames import Shot, VideoInfo
from .analysis import VideoAnalysis, Window, analyze, first_pts, frames_expected
from .assign import assign_references
from .candidates import collect_candidates
from .clock_fit import Span, check_inside, estimated_stop, fit_map, fit_table
from .coverage import FilmMatcher, ShotCoverage, measure_coverage
from .disagreements import Disagreement, find_disagreements
from .lost_digits import cuts_within
from .plan import Assignment, Plan
from .samples import FrameSample, by_shot
from .shot_lists import with_the_rest


def make_plan(
    source: Path,
    info: VideoInfo,
    references: GivenReferences | ReferenceMap | Sequence[Reference],
    video_colorizer: VideoColorizer,
    progress: Progress,
    *,
    shots: Sequence[Shot] = (),
    window: Window = (None, None),
    film_matcher: FilmMatcher | None = None,
) -> Plan:
    """Read the film once, give every shot its references, and measure their coverage.

    A map and a table are taken as they are, their times moved to frames. Pictures serve the shots that
    are open: those that are frames of the film at their time; a shot without one takes the picture of
    the highest score. A picture that is a frame of a shot whose references all have their time is
    added to them.

    Args:
        source: The film.
        info: What its picture track holds.
        references: What a user gave; empty where there are none yet.
        video_colorizer: The network.
        progress: Is told of the stages.
        shots: Are taken instead of those that are found.
        window: The part of the film to plan, in pts.
        film_matcher: Compares pictures of the film, and keeps their features for what else needs them,
            such as :meth:`Plan.proposals`; one is made by default.

    Raises:
        C2EError: A map or a table was given and shots as well.
        BadReference: The table does not fit the film, or a picture cannot be used.
        MediaError: The film cannot be read, or has no frame in the window.
    """
    given = _given(references)
    if shots and (given.reference_map is not None or given.table is not None):
        raise C2EError("a map has shots of its own; give a list of shots or a map, not both")
    film_matcher = film_matcher or FilmMatcher(PictureMatcher(video_colorizer.colorizer))
    notes: list[str] = []
    pool = collect_candidates(given, film_matcher.matcher, progress, notes.append)
    progress.stage("analyzing", frames_expected(info, window))
    analysis = analyze(
        source, info, pool, window=window, on_frame=lambda frame: progress.advance(1)
    )
    for line in analysis.problems:
        progress.note(line)
    table = given.table
    span = _span(source, info, analysis, window)
    reference_map = given.reference_map
    if shots:
        check_inside(shots, info, span)
        shots = with_the_rest(shots, info, analysis.pts[-1] + 1)
        analysis = replace(analysis, shots=snap_shots(shots, analysis.pts))
    elif reference_map is not None:
        reference_map, moved = fit_map(reference_map, info, span)
        notes += [moved] if moved else []
        reference_map = reference_map.snapped(analysis.pts)
        analysis = replace(analysis, shots=reference_map.shots)
    elif table is not None:
        table, moved = fit_table(table, info, span)
        notes += [moved] if moved else []
        cuts, uncertain = cuts_within(table, source, info, [shot.start for shot in analysis.shots])
        notes += uncertain
        table, remarks = fit_to_film(table, info, analysis.pts, cuts)
        notes += remarks
        analysis = replace(analysis, shots=tuple(own.shot for own in table.shots))
    samples = _samples(source, info, analysis)
    bare = Plan(
        source, info, analysis, analysis.shots, samples=samples, table=table, notes=tuple(notes)
    )
    if given.is_empty:
        return replace(bare, coverage=tuple(map(ShotCoverage, bare.shots)))
    if reference_map is not None:
        planned = replace(
            bare,
            reference_map=reference_map,
            assignments=tuple(map(_as_mapped, bare.shots)),
        )
    else:
        planned = assign_references(bare, pool, film_matcher, progress)
    return _measured(planned, film_matcher, progress)


def _span(source: Path, info: VideoInfo, analysis: VideoAnalysis, window: Window) -> Span:
    """Where the whole film begins and ends, though a part of it may have been analyzed alone."""
    pts, (start, stop) = analysis.pts, window
    begin = pts[0] if start is None else first_pts(source, info)
    if stop is not None:
        return Span(begin, estimated_stop(info, begin))
    return Span(begin, 2 * pts[-1] - pts[-2] if len(pts) > 1 else pts[-1] + 1)


def _given(references: GivenReferences | ReferenceMap | Sequence[Reference]) -> GivenReferences:
    if isinstance(references, ReferenceMap):
        return GivenReferences(reference_map=references)
    if isinstance(references, GivenReferences):
        return references
    return GivenReferences(pictures=tuple(references))


def _as_mapped(shot: Shot) -> Assignment:
    return Assignment(shot, "map")


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


def _measured(plan: Plan, film_matcher: FilmMatcher, progress: Progress) -> Plan:
    """The plan with the curve of each shot, and with the references that disagree."""
    assert plan.reference_map is not None
    progress.stage("measuring coverage", len(plan.shots), "shot")
    open_shots = {shot.index for shot in plan.open_shots}
    curves: list[ShotCoverage] = []
    disagreements: list[Disagreement] = []
    for shot, samples in zip(plan.shots, plan.samples, strict=True):
        if shot.index in open_shots:
            curves.append(ShotCoverage(shot))
        else:
            curves.append(measure_coverage(shot, samples, plan.reference_map, film_matcher))
        row = plan.reference_map.references[shot.index]
        disagreements += find_disagreements(shot, row, film_matcher)
        progress.advance(1)
    return replace(plan, coverage=tuple(curves), disagreements=tuple(disagreements))
