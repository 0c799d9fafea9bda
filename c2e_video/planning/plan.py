"""The planning pass: the film is looked at once, small, and every shot gets its reference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..errors import C2EError, MediaError
from ..inference.video_colorizer import VideoColorizer
from ..references.image import Reference
from ..references.reference_map import ReferenceMap, snap_shots
from ..utils.progress import Progress
from ..video.decode.decoder import frames_at
from ..video.frames import Shot, VideoInfo
from .analysis import VideoAnalysis, Window, analyze, frames_expected
from .keyframes import Match
from .shot_lists import with_the_rest, write_shot_list

# Similarity below which a reference is called far. Of other scenes 98 in 100 are; the same scene has 0.27 to
# 1, late in a shot of heavy grain 0.19 (docs/results.md).
WEAK_SIMILARITY = 0.25


@dataclass(frozen=True)
class Assignment:
    """Why a shot has its reference, and how sure that is.

    ``source`` is "frame" where the reference is one of the shot's frames (``similarity`` is then the
    correlation of the two), "nearest" where it is the one the shot resembles most (``similarity`` is
    the network's, NaN where it cannot tell), and "map" where a person said so (NaN).
    """

    shot: Shot
    source: Literal["frame", "nearest", "map"]
    similarity: float

    @property
    def is_weak(self) -> bool:
        """Whether another keyframe is worth painting for this shot."""
        return self.source == "nearest" and self.similarity < WEAK_SIMILARITY

    def line(self, info: VideoInfo) -> str:
        """What there is to say of a shot that is far from every reference."""
        time = info.timecode(self.shot.start)
        return (
            f"shot {self.shot.index + 1} at {time}: nearest reference is far "
            f"({self.similarity:.2f})"
        )


@dataclass(frozen=True, eq=False)
class Plan:
    """A film's shots and their references: all that is decided before the first frame is painted.

    ``reference_map`` is None where no references were given; ``assignments`` has one entry a shot otherwise.
    """

    source: Path
    info: VideoInfo
    analysis: VideoAnalysis
    shots: tuple[Shot, ...]
    reference_map: ReferenceMap | None = None
    assignments: tuple[Assignment, ...] = ()

    @property
    def weak_matches(self) -> list[Assignment]:
        """The shots worth another keyframe, those with the most frames first."""
        is_weak = [assignment for assignment in self.assignments if assignment.is_weak]
        return sorted(is_weak, key=lambda assignment: -self.frames_of(assignment.shot))

    @property
    def unused(self) -> list[Reference]:
        """References that colour no shot, because others are nearer to every one."""
        used = {r.digest for r in self.reference_map.distinct()} if self.reference_map else set()
        return [m.reference for m in self.analysis.matches if m.reference.digest not in used]

    def remarks(self, most: int = 1000) -> list[str]:
        """A line for every shot that wants another keyframe (their number, if there are more than
        ``most``) and for every reference that colours no shot."""
        weak_matches = self.weak_matches
        lines = [
            f"{assignment.line(self.info)}, {self.frames_of(assignment.shot)} frames"
            for assignment in weak_matches
        ]
        if len(weak_matches) > most:
            lines = [
                f"{len(weak_matches)} of {len(self.shots)} shots are far from every reference; "
                "`c2e-video plan` with --sheet shows which"
            ]
        names = [reference.path.name for reference in self.unused]
        return lines + [f"{name} colours no shot: others are nearer to each" for name in names]

    def summary(self) -> str:
        """The plan in a line."""
        line = f"{self.source.name}: {self.size()}"
        if self.reference_map is None:
            return f"{line}, no references yet"
        found = sum(assignment.source == "frame" for assignment in self.assignments)
        used = len(self.reference_map.distinct())
        return f"{line} ({found} with a keyframe of their own), {used} references in use"

    def size(self) -> str:
        """The film's frames and shots in words."""
        count = len(self.shots)
        return f"{len(self.analysis.pts)} frames, {count} shot{'s' * (count != 1)}"

    def frames_of(self, shot: Shot) -> int:
        """How many frames a shot has."""
        return self.analysis.count(shot.start, shot.stop)

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
    """Look at the film and give every shot its references. ``shots`` are taken instead of found ones.

    A map is taken as it is, its borders moved to the nearest frames. Of pictures, those that are
    frames of the film serve the shot they belong to, at their time; a shot without one takes the
    picture its middle frame resembles most.
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
        shots = with_the_rest(shots, info, analysis.pts[-1] + 1)
        analysis = replace(analysis, shots=snap_shots(shots, analysis.pts))
    if isinstance(references, ReferenceMap):
        reference_map = references.snapped(analysis.pts)
        assignments = tuple(Assignment(shot, "map", math.nan) for shot in reference_map.shots)
        return Plan(source, info, analysis, reference_map.shots, reference_map, assignments)
    if not references:
        return Plan(source, info, analysis, analysis.shots)
    return _assigned(source, info, analysis, references, video_colorizer, progress)


def _assigned(
    source: Path,
    info: VideoInfo,
    analysis: VideoAnalysis,
    references: Sequence[Reference],
    video_colorizer: VideoColorizer,
    progress: Progress,
) -> Plan:
    progress.stage("comparing shots", len(analysis.shots), "shot")
    found = [_found_in(shot, analysis.matches) for shot in analysis.shots]
    weak_matches = [shot for shot, own in zip(analysis.shots, found, strict=True) if not own]
    middles = frames_at(source, info, [analysis.shown(shot)[1] for shot in weak_matches])
    rows, assignments = [], []
    for shot, own in zip(analysis.shots, found, strict=True):
        progress.advance(1)
        if own:
            rows.append(tuple(match.reference.moved(match.pts) for match in own))
            assignments.append(Assignment(shot, "frame", min(match.similarity for match in own)))
        else:
            middle = next(middles, None)
            if middle is None:
                raise MediaError(
                    f"the film gave no frame at {info.timecode(analysis.shown(shot)[1])}, where it gave one "
                    "before; it was changed while it was being read, or its disk is failing: run again"
                )
            nearness = video_colorizer.similarities(middle, references)
            best = max(range(len(references)), key=nearness.__getitem__)
            rows.append((references[best],))
            assignments.append(Assignment(shot, "nearest", nearness[best]))
    reference_map = ReferenceMap(analysis.shots, tuple(rows))
    return Plan(source, info, analysis, analysis.shots, reference_map, tuple(assignments))


def _found_in(shot: Shot, matches: Sequence[Match]) -> list[Match]:
    """The keyframes that are frames of ``shot``, by time; of two for one frame, the likelier."""
    at: dict[int, Match] = {}
    for match in sorted(matches, key=lambda match: match.similarity):
        if match.pts is not None and match.pts in shot:
            at[match.pts] = match
    return [at[pts] for pts in sorted(at)]
