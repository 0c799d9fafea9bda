"""The one pass over the film: its shots, the times of its frames, keyframes, letterbox and samples."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import MediaError
from ..inference.letterbox import NO_LETTERBOX, Letterbox, LetterboxDetector
from ..shots.detector import ShotDetector
from ..utils.prefetch import prefetch
from ..video.decode import DecodeReport
from ..video.decode.decoder import decode
from ..video.frames import Frame, Shot, VideoInfo
from .candidates import Candidate, CandidatePool
from .keyframes import KeyframeMatcher, Match
from .pyramid import halved
from .samples import FrameSample, Sampler

ANALYSIS_HEIGHT = 108  # rows at least, of the pictures that shots and keyframes are found in


Window = tuple[int | None, int | None]  # the first pts, and the one to stop before


@dataclass(frozen=True, eq=False)
class VideoAnalysis:
    """What one pass over the film found.

    Args:
        shots: Its shots, in order and without holes.
        pts: Those of its frames, in order.
        matches: For each candidate the frame that it is, if it is one.
        problems: What was wrong with the film, in words.
        letterbox: Rows and columns at its borders that are black throughout.
        samples: Small pictures of some frames.
    """

    shots: tuple[Shot, ...]
    pts: Sequence[int]
    matches: tuple[Match[Candidate], ...]
    problems: tuple[str, ...]
    letterbox: Letterbox = NO_LETTERBOX
    samples: tuple[FrameSample, ...] = ()

    def count(self, start: int, stop: int) -> int:
        """Frames with ``start <= pts < stop``."""
        return bisect_left(self.pts, stop) - bisect_left(self.pts, start)

    def pts_between(self, start: int, stop: int) -> Sequence[int]:
        """The pts of the frames with ``start <= pts < stop``, in order."""
        return self.pts[bisect_left(self.pts, start) : bisect_left(self.pts, stop)]

    def moved(self, pts: int, frames: int) -> int:
        """The pts so many frames after (or before) the first from ``pts`` on; within the film."""
        number = max(0, bisect_left(self.pts, pts) + frames)
        return self.pts[number] if number < len(self.pts) else self.pts[-1] + 1

    def shown(self, shot: Shot) -> tuple[int, int, int]:
        """The pts of the shot's first, middle and last frame."""
        first, after = bisect_left(self.pts, shot.start), bisect_left(self.pts, shot.stop)
        return self.pts[first], self.pts[(first + after) // 2], self.pts[after - 1]


def analyze(
    source: Path,
    info: VideoInfo,
    candidates: CandidatePool | None = None,
    *,
    window: Window = (None, None),
    on_frame: Callable[[Frame], None] = lambda frame: None,
) -> VideoAnalysis:
    """Read the film once.

    Args:
        source: The film.
        info: What its picture track holds.
        candidates: Are looked for among the frames.
        window: The part of the film to read, in pts.
        on_frame: Is called with each frame.

    Raises:
        MediaError: The film cannot be read, or has no frame in the window.
    """
    pool = candidates if candidates is not None else CandidatePool(())
    detector, matcher = ShotDetector(info), KeyframeMatcher(pool.candidates, info, pool.grays)
    letterbox, sampler = LetterboxDetector(info), Sampler(info)
    report = DecodeReport()
    pts = array("q")
    start, stop = window
    for frame in prefetch(decode(source, info, start=start, stop=stop, report=report), depth=32):
        small = replace(frame, luma=halved(frame.luma, ANALYSIS_HEIGHT))
        detector.update(small)
        letterbox.update(frame)
        sampler.update(frame, small.luma)
        if len(pool):
            matcher.update(small)
        pts.append(frame.pts)
        on_frame(frame)
    if not pts and window != (None, None):
        raise MediaError(
            f"no frame of {source.name} lies between the start and the end asked for; they are times "
            f"on its own clock, on which it begins at {info.seconds(first_pts(source, info)):.3f} s"
        )
    matches = tuple(matcher.compute())
    return VideoAnalysis(
        tuple(detector.compute()),
        pts,
        matches,
        tuple(report.problems()),
        letterbox.compute(),
        sampler.compute(),
    )


def first_pts(source: Path, info: VideoInfo) -> int:
    """The pts of the film's first frame, from which lists made elsewhere count."""
    return next(decode(source, info)).pts


def frames_expected(info: VideoInfo, window: Window) -> int | None:
    """About how many frames lie in the window, for a progress bar; None where the film gives no clue."""
    start, stop = window
    if window == (None, None) or info.frame_rate is None:
        return info.frame_count
    ends = [] if stop is None else [stop]
    if info.duration_seconds is not None:
        ends.append(round(info.duration_seconds / info.time_base))
    if not ends:
        return None
    return max(1, round((min(ends) - (start or 0)) * info.time_base * info.frame_rate))
