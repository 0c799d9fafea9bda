"""The planning pass: the film is looked at once, small, and every shot gets its reference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..errors import C2EError, MediaError
from ..inference.video_colorizer import Painter
from ..references.image import Reference
from ..references.reference_map import ReferenceMap, snap_shots
from ..utils.progress import Progress
from ..video.decode.decoder import frames_at
from ..video.frames import Shot, VideoInfo
from .analysis import Survey, Window, survey
from .keyframes import Match
from .shot_lists import with_the_rest, write_shot_list

# Similarity below which a reference is called far. Of other scenes 98 in 100 are; the same scene has 0.27 to
# 1, late in a shot of heavy grain 0.19 (docs/results.md).
FAR = 0.25


@dataclass(frozen=True)
class Choice:
    """Why a shot has its reference, and how sure that is.

    ``how`` is "frame" where the reference is one of the shot's frames (``similarity`` is then the
    correlation of the two), "nearest" where it is the one the shot resembles most (``similarity`` is
    the network's, NaN where it cannot tell), and "map" where a person said so (NaN).
    """

    shot: Shot
    how: Literal["frame", "nearest", "map"]
    similarity: float

    @property
    def far(self) -> bool:
        """Whether another keyframe is worth painting for this shot."""
        return self.how == "nearest" and self.similarity < FAR

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

    ``chosen`` is None where no references were given; ``choices`` has one entry a shot otherwise.
    """

    source: Path
    info: VideoInfo
    survey: Survey
    shots: tuple[Shot, ...]
    chosen: ReferenceMap | None = None
    choices: tuple[Choice, ...] = ()

    @property
    def wanting(self) -> list[Choice]:
        """The shots worth another keyframe, those with the most frames first."""
        far = [choice for choice in self.choices if choice.far]
        return sorted(far, key=lambda choice: -self.frames_of(choice.shot))

    @property
    def unused(self) -> list[Reference]:
        """References that colour no shot, because others are nearer to every one."""
        used = {r.digest for r in self.chosen.distinct()} if self.chosen else set()
        return [m.reference for m in self.survey.matches if m.reference.digest not in used]

    def remarks(self, most: int = 1000) -> list[str]:
        """A line for every shot that wants another keyframe (their number, if there are more than
        ``most``) and for every reference that colours no shot."""
        wanting = self.wanting
        lines = [
            f"{choice.line(self.info)}, {self.frames_of(choice.shot)} frames" for choice in wanting
        ]
        if len(wanting) > most:
            lines = [
                f"{len(wanting)} of {len(self.shots)} shots are far from every reference; "
                "`c2e-video plan` with --sheet shows which"
            ]
        names = [reference.path.name for reference in self.unused]
        return lines + [f"{name} colours no shot: others are nearer to each" for name in names]

    def summary(self) -> str:
        """The plan in a line."""
        line = f"{self.source.name}: {self.size()}"
        if self.chosen is None:
            return f"{line}, no references yet"
        found = sum(choice.how == "frame" for choice in self.choices)
        used = len(self.chosen.distinct())
        return f"{line} ({found} with a keyframe of their own), {used} references in use"

    def size(self) -> str:
        """The film's frames and shots in words."""
        count = len(self.shots)
        return f"{len(self.survey.pts)} frames, {count} shot{'s' * (count != 1)}"

    def frames_of(self, shot: Shot) -> int:
        """How many frames a shot has."""
        return self.survey.count(shot.start, shot.stop)

    def write(self, path: Path) -> None:
        """Write the table of shots and references (.csv), or the shots alone (.edl, .otio)."""
        if self.chosen is not None and path.suffix.lower() == ".csv":
            self.chosen.to_csv(path, self.info)
        else:
            write_shot_list(self.shots, path, self.info)


def make_plan(
    source: Path,
    info: VideoInfo,
    given: ReferenceMap | Sequence[Reference],
    painter: Painter,
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
    if shots and isinstance(given, ReferenceMap):
        raise C2EError("a map has shots of its own; give a list of shots or a map, not both")
    progress.stage("looking", info.frame_count)
    pictures = () if isinstance(given, ReferenceMap) else given
    looked = survey(
        source, info, pictures, window=window, on_frame=lambda frame: progress.advance(1)
    )
    for line in looked.problems:
        progress.note(line)
    if shots:
        shots = with_the_rest(shots, info, looked.pts[-1] + 1)
        looked = replace(looked, shots=snap_shots(shots, looked.pts))
    if isinstance(given, ReferenceMap):
        chosen = given.snapped(looked.pts)
        choices = tuple(Choice(shot, "map", math.nan) for shot in chosen.shots)
        return Plan(source, info, looked, chosen.shots, chosen, choices)
    if not given:
        return Plan(source, info, looked, looked.shots)
    return _assigned(source, info, looked, given, painter, progress)


def _assigned(
    source: Path,
    info: VideoInfo,
    looked: Survey,
    given: Sequence[Reference],
    painter: Painter,
    progress: Progress,
) -> Plan:
    progress.stage("comparing shots", len(looked.shots))
    found = [_found_in(shot, looked.matches) for shot in looked.shots]
    wanting = [shot for shot, own in zip(looked.shots, found, strict=True) if not own]
    middles = frames_at(source, info, [looked.shown(shot)[1] for shot in wanting])
    rows, choices = [], []
    for shot, own in zip(looked.shots, found, strict=True):
        progress.advance(1)
        if own:
            rows.append(tuple(match.reference.moved(match.pts) for match in own))
            choices.append(Choice(shot, "frame", min(match.similarity for match in own)))
        else:
            middle = next(middles, None)
            if middle is None:
                raise MediaError(
                    f"the film gave no frame at {info.timecode(looked.shown(shot)[1])}, where it gave one "
                    "before; it was changed while it was being read, or its disk is failing: run again"
                )
            nearness = painter.similarities(middle, given)
            best = max(range(len(given)), key=nearness.__getitem__)
            rows.append((given[best],))
            choices.append(Choice(shot, "nearest", nearness[best]))
    chosen = ReferenceMap(looked.shots, tuple(rows))
    return Plan(source, info, looked, looked.shots, chosen, tuple(choices))


def _found_in(shot: Shot, matches: Sequence[Match]) -> list[Match]:
    """The keyframes that are frames of ``shot``, by time; of two for one frame, the likelier."""
    at: dict[int, Match] = {}
    for match in sorted(matches, key=lambda match: match.similarity):
        if match.pts is not None and match.pts in shot:
            at[match.pts] = match
    return [at[pts] for pts in sorted(at)]
