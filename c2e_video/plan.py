"""The planning pass: the film is looked at once, small, and every shot gets its reference."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .decode import DecodeReport, decode
from .frames import Frame, Shot, VideoInfo
from .keyframes import KeyframeMatcher, Match
from .prefetch import prefetch
from .reference_pictures import Reference
from .references import ReferenceMap
from .shots import ShotDetector

Similarity = Callable[[Frame, Reference], float]
FAR = 0.5  # below this mean similarity a reference is called far from a shot


@dataclass(frozen=True, eq=False)
class Survey:
    """What one pass over the film told: its shots, the pts of its frames, the keyframes' places."""

    shots: tuple[Shot, ...]
    pts: Sequence[int]
    matches: tuple[Match, ...]
    problems: tuple[str, ...]

    def count(self, start: int, stop: int) -> int:
        """Frames with ``start <= pts < stop``."""
        return bisect_left(self.pts, stop) - bisect_left(self.pts, start)


def survey(
    source: Path,
    info: VideoInfo,
    references: Sequence[Reference] = (),
    *,
    start: int | None = None,
    stop: int | None = None,
    on_frame: Callable[[Frame], None] = lambda frame: None,
) -> Survey:
    """Look at every frame of the film once. ``references`` are looked for among the frames."""
    detector, matcher = ShotDetector(info), KeyframeMatcher(references, info)
    report = DecodeReport()
    pts = array("q")
    for frame in prefetch(decode(source, info, start=start, stop=stop, report=report), depth=32):
        detector.see(frame)
        if references:
            matcher.see(frame)
        pts.append(frame.pts)
        on_frame(frame)
    matches = tuple(matcher.finish()) if references else ()
    return Survey(tuple(detector.finish()), pts, matches, tuple(report.problems()))


@dataclass(frozen=True)
class Choice:
    """Why a shot has its reference: ``found`` among its frames, or the most similar."""

    shot: Shot
    found: bool
    similarity: float

    @property
    def far(self) -> bool:
        """Whether another keyframe is worth painting for this shot."""
        return not self.found and self.similarity < FAR


def assign(
    survey: Survey,
    source: Path,
    info: VideoInfo,
    references: Sequence[Reference],
    similarity: Similarity,
) -> tuple[ReferenceMap, tuple[Choice, ...]]:
    """Give every shot its references.

    A reference that is a frame of the film serves the shot it belongs to, at its time. A shot
    without one takes the reference its middle frame resembles most.
    """
    if len(references) == 1:
        choices = tuple(Choice(shot, True, 1.0) for shot in survey.shots)
        return ReferenceMap.single(references[0], survey.shots), choices
    own: dict[int, list[Reference]] = {shot.index: [] for shot in survey.shots}
    for match in survey.matches:
        if match.pts is not None:
            shot = next(shot for shot in survey.shots if match.pts in shot)
            own[shot.index].append(match.reference.moved(match.pts))
    rows, choices_made = [], []
    for shot in survey.shots:
        found = sorted(own[shot.index], key=lambda reference: reference.at or 0)
        choice = Choice(shot, True, 1.0)
        if not found:
            best, nearness = _nearest(shot, survey, source, info, references, similarity)
            found, choice = [best], Choice(shot, False, nearness)
        rows.append(tuple(found))
        choices_made.append(choice)
    return ReferenceMap(survey.shots, tuple(rows)), tuple(choices_made)


def _nearest(
    shot: Shot,
    survey: Survey,
    source: Path,
    info: VideoInfo,
    references: Sequence[Reference],
    similarity: Similarity,
) -> tuple[Reference, float]:
    first, last = bisect_left(survey.pts, shot.start), bisect_left(survey.pts, shot.stop)
    middle = survey.pts[(first + last) // 2]
    frame = next(iter(decode(source, info, start=middle, stop=middle + 1)))
    scored = [(similarity(frame, reference), reference) for reference in references]
    nearness, best = max(scored, key=lambda pair: pair[0])
    return best, nearness
