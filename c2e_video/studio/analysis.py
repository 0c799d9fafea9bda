"""The results of one pass over a film, kept in the studio's folder so that a film is analyzed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from ..inference.letterbox import Letterbox
from ..pipeline.digests import film_digest
from ..planning.analysis import analyze
from ..planning.keyframes import KeyframeMatcher, gray_of
from ..references.image import Reference
from ..video.decode.decoder import decode
from ..video.frames import Frame, Shot, VideoInfo
from .workspace import Workspace

THUMB = (96, 54)  # of the pictures that a dropped picture's place is first looked for in
THUMB_SECONDS = 0.5  # between two of them
AT_ONCE = 500  # thumbs that are compared with it in one go
NEIGHBOURHOODS = 4  # places that are then looked at frame by frame


@dataclass(frozen=True, eq=False)
class FilmAnalysis:
    """A film's frames and shots.

    ``times`` are the pts of all frames, int64 ``[N]``; ``thumbs`` ``[M, h, w]`` uint8 are small luma
    planes, as stored, of the frames at ``thumb_times``; ``letterbox`` the black borders; ``problems`` has a
    line for everything that was wrong with the file.
    """

    times: npt.NDArray[np.int64]
    shots: tuple[Shot, ...]
    thumb_times: npt.NDArray[np.int64]
    thumbs: npt.NDArray[np.uint8]
    letterbox: Letterbox
    problems: tuple[str, ...]

    def count(self, start: int, stop: int) -> int:
        """Frames with ``start <= pts < stop``."""
        return int(np.searchsorted(self.times, stop) - np.searchsorted(self.times, start))

    def index(self, pts: int) -> int:
        """The number of the frame at ``pts``, or of the first after it; the last one's at most."""
        return min(len(self.times) - 1, int(np.searchsorted(self.times, pts)))

    def at(self, index: int) -> int:
        """The pts of a frame by its number, within the film."""
        return int(self.times[min(max(0, index), len(self.times) - 1)])

    def thumb_at(self, pts: int, start: int, stop: int) -> npt.NDArray[np.uint8]:
        """The small picture nearest to ``pts``; one of ``start <= pts < stop`` if there is one."""
        first, after = (int(np.searchsorted(self.thumb_times, t)) for t in (start, stop))
        own = slice(first, after) if after > first else slice(0, len(self.thumb_times))
        nearest = int(np.abs(self.thumb_times[own] - pts).argmin())
        return np.asarray(self.thumbs[own][nearest])

    @property
    def stop(self) -> int:
        """The pts at which the last shot ends."""
        return self.shots[-1].stop


def analyze_film(
    path: Path, info: VideoInfo, workspace: Workspace, on_frame: Callable[[], None]
) -> FilmAnalysis:
    """The analysis of a film: the one that is kept, or a new one.

    ``on_frame`` is called for each frame looked at, and may raise to stop.
    """
    kept = workspace.own(f"analysis-{film_digest(path)[:24]}.npz")
    if (analysis := _load(kept)) is not None:
        return analysis
    step = THUMB_SECONDS / float(info.time_base)
    scale, offset = info.luma_range.to_unit
    times: list[int] = []
    thumbs: list[npt.NDArray[np.uint8]] = []

    def see(frame: Frame) -> None:
        on_frame()
        if not times or frame.pts >= times[-1] + step:
            times.append(frame.pts)
            small = cv2.resize(frame.luma, THUMB, interpolation=cv2.INTER_AREA)
            gray = (small.astype(np.float32) - offset) * (scale * 255)
            thumbs.append(gray.clip(0, 255).astype(np.uint8))

    found = analyze(path, info, on_frame=see)
    analysis = FilmAnalysis(
        times=np.array(found.pts, np.int64),
        shots=found.shots,
        thumb_times=np.array(times, np.int64),
        thumbs=np.stack(thumbs),
        letterbox=found.letterbox,
        problems=found.problems,
    )
    _store(kept, analysis)
    return analysis


def _store(path: Path, analysis: FilmAnalysis) -> None:
    partial = path.with_suffix(".partial.npz")
    try:
        np.savez(
            partial,
            times=analysis.times,
            shots=np.array([(s.start, s.stop, s.dissolve) for s in analysis.shots], np.int64),
            thumb_times=analysis.thumb_times,
            thumbs=analysis.thumbs,
            letterbox=np.array(astuple(analysis.letterbox)),
            problems=np.array(analysis.problems, np.str_),
        )
        partial.replace(path)
    except OSError:  # the film is looked at again next time
        partial.unlink(missing_ok=True)


def _load(path: Path) -> FilmAnalysis | None:
    try:
        with np.load(path, allow_pickle=False) as kept:
            rows = enumerate(kept["shots"].tolist())
            return FilmAnalysis(
                times=kept["times"],
                shots=tuple(
                    Shot.after(dissolve, i, start, stop) for i, (start, stop, dissolve) in rows
                ),
                thumb_times=kept["thumb_times"],
                thumbs=kept["thumbs"],
                letterbox=Letterbox(*kept["letterbox"].tolist()),
                problems=tuple(kept["problems"].tolist()),
            )
    except (OSError, ValueError, KeyError, EOFError):
        return None


def find_frame(
    reference: Reference,
    path: Path,
    info: VideoInfo,
    analysis: FilmAnalysis,
    first: Sequence[tuple[int, int]] = (),
) -> tuple[int, float] | None:
    """The pts of the frame that a picture is, and their correlation; None if it is none of the film's.

    Args:
        reference: The picture.
        path: The film.
        info: What :func:`probe` says of it.
        analysis: Its analysis.
        first: Stretches ``(start, stop)`` in pts to look at first, such as the shot it was dropped on.
    """
    for start, stop in first:
        if (found := _match(reference, path, info, start, stop)) is not None:
            return found
    places = _likely(reference, info, analysis)
    reach = round(2 * THUMB_SECONDS / info.time_base)
    near = [_match(reference, path, info, pts - reach, pts + reach) for pts in places]
    return max(filter(None, near), key=lambda match: match[1], default=None)


def _match(
    reference: Reference, path: Path, info: VideoInfo, start: int, stop: int
) -> tuple[int, float] | None:
    matcher = KeyframeMatcher([reference], info)
    for frame in decode(path, info, start=start, stop=stop):
        matcher.update(frame)
    match = matcher.compute()[0]
    return None if match.pts is None else (match.pts, match.similarity)


def _likely(reference: Reference, info: VideoInfo, analysis: FilmAnalysis) -> list[int]:
    """The times of the thumbs that look most like the picture."""
    picture = Frame(np.ascontiguousarray(info.stored(gray_of(reference.image))), 0, 1)
    scored: list[tuple[float, int]] = []
    for begin in range(0, len(analysis.thumbs), AT_ONCE):
        some = slice(begin, begin + AT_ONCE)
        grays = [np.ascontiguousarray(info.upright(thumb)) for thumb in analysis.thumbs[some]]
        matcher = KeyframeMatcher(analysis.thumb_times[some].tolist(), info, grays)
        matcher.update(picture)
        scored += [(match.similarity, match.reference) for match in matcher.compute()]
    return [pts for score, pts in sorted(scored, reverse=True)[:NEIGHBOURHOODS] if score > 0]
