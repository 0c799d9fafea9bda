"""The planning pass: the film is looked at once, small, and every shot gets its reference."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from .bars import NO_BARS, BarDetector, Bars
from .decode import DecodeReport, decode, frames_at
from .errors import C2EError, MediaError
from .frames import Frame, Shot, VideoInfo
from .keyframes import KeyframeMatcher, Match
from .painter import Painter
from .prefetch import prefetch
from .progress import Progress
from .reference_pictures import Reference
from .references import ReferenceMap, snap_shots
from .shot_lists import with_the_rest, write_shot_list
from .shots import ShotDetector
from .thumbnails import halved

SURVEYED = 108  # rows at least, of the pictures that shots and keyframes are found in
# Similarity below which a reference is called far. Of other scenes 98 in 100 are; the same scene has 0.27 to
# 1, late in a shot of heavy grain 0.19 (docs/results.md).
FAR = 0.25
Window = tuple[int | None, int | None]  # the first pts, and the one to stop before


@dataclass(frozen=True, eq=False)
class Survey:
    """What one pass over the film told: its shots, the pts of its frames, the keyframes' places."""

    shots: tuple[Shot, ...]
    pts: Sequence[int]
    matches: tuple[Match, ...]
    problems: tuple[str, ...]
    bars: Bars = NO_BARS

    def count(self, start: int, stop: int) -> int:
        """Frames with ``start <= pts < stop``."""
        return bisect_left(self.pts, stop) - bisect_left(self.pts, start)

    def moved(self, pts: int, frames: int) -> int:
        """The pts so many frames after (or before) the first from ``pts`` on; within the film."""
        number = max(0, bisect_left(self.pts, pts) + frames)
        return self.pts[number] if number < len(self.pts) else self.pts[-1] + 1

    def shown(self, shot: Shot) -> tuple[int, int, int]:
        """The pts of the shot's first, middle and last frame."""
        first, after = bisect_left(self.pts, shot.start), bisect_left(self.pts, shot.stop)
        return self.pts[first], self.pts[(first + after) // 2], self.pts[after - 1]


def survey(
    source: Path,
    info: VideoInfo,
    references: Sequence[Reference] = (),
    *,
    window: Window = (None, None),
    on_frame: Callable[[Frame], None] = lambda frame: None,
) -> Survey:
    """Look at every frame of the film once. ``references`` are looked for among the frames."""
    detector, matcher = ShotDetector(info), KeyframeMatcher(references, info)
    bars = BarDetector(info)
    report = DecodeReport()
    pts = array("q")
    start, stop = window
    for frame in prefetch(decode(source, info, start=start, stop=stop, report=report), depth=32):
        small = replace(frame, luma=halved(frame.luma, SURVEYED))
        detector.see(small)
        bars.see(frame)
        if references:
            matcher.see(small)
        pts.append(frame.pts)
        on_frame(frame)
    if not pts and window != (None, None):
        raise MediaError(
            f"no frame of {source.name} lies between the start and the end asked for; they are times "
            f"on its own clock, on which it begins at {info.seconds(first_pts(source, info)):.3f} s"
        )
    matches = tuple(matcher.finish()) if references else ()
    return Survey(tuple(detector.finish()), pts, matches, tuple(report.problems()), bars.finish())


def first_pts(source: Path, info: VideoInfo) -> int:
    """The pts of the film's first frame, from which lists made elsewhere count."""
    return next(decode(source, info)).pts


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
