"""Lists of shots that other programs wrote, and lists for other programs.

Read are the ``-Scenes.csv`` of PySceneDetect, edit decision lists (CMX3600, ``.edl``), OpenTimelineIO
(``.otio``, with the extra ``[otio]``) and this project's own table. Their zero is the film's first
frame, a whole hour or the film's start timecode; the own table has the film's own clock.

A list need not cover the film. A hole of half a second or more, also at an end, becomes a shot; a shorter
one is added to the shot before it. Frames are counted at ``info.frame_rate``. Where the frame rate varies,
that is an average, and borders drift; lists with seconds (PySceneDetect's, the own table) do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ...errors import C2EError
from ...references.reference_table import ReferenceTable
from ...references.table_file import read_table, write_table
from ...video.frames import Shot, VideoInfo
from ..clock_fit import ListClock, Span, estimated_stop, fit_clock, note_of
from . import edl, otio
from . import pyscenedetect as scenes
from .coverage import Listed, cover, with_the_rest
from .timebase import ListTimebase

__all__ = ["check_shot_list", "read_shot_list", "with_the_rest", "write_shot_list"]

KINDS = ".csv, .edl, .otio"


def read_shot_list(
    path: Path,
    info: VideoInfo,
    stop: int | None = None,
    *,
    start: int = 0,
    note: Callable[[str], object] = lambda line: None,
) -> tuple[Shot, ...]:
    """Read the shots of a list, in order and without holes.

    Times of another clock (a start timecode, a whole hour, a zero elsewhere) are moved to the film's
    (:func:`~..clock_fit.fit_clock`). Borders are not on frames yet: see ``snap_shots``.

    Args:
        path: The list.
        info: The film.
        stop: The pts at which the film ends; by default that is estimated, and the shots end with the list.
        start: The pts of the film's first frame.
        note: Is called with a line if times were moved.

    Raises:
        C2EError: File, line, what is wrong, what is accepted; or both ranges, of a list of another film.
    """
    listed, clock = _read(path, ListTimebase(path, info, start))
    ordered = sorted(listed, key=lambda shot: (shot.start, shot.stop))
    spans = [(shot.start, shot.stop) for shot in ordered]
    film = Span(start, stop if stop is not None else estimated_stop(info, start))
    fit = fit_clock(replace(clock, name=ordered[-1].where), spans, info, film)
    if fit.offset:
        note(note_of(clock, fit, spans[0][0], info))
    return cover([shot.moved(fit.offset) for shot in ordered], info, start, stop)


def _read(path: Path, timebase: ListTimebase) -> tuple[list[Listed], ListClock]:
    """The shots of a list as they stand there, and its clock."""
    info, start, kind = timebase.info, timebase.start, path.suffix.lower()
    clock = ListClock(path.name, zero=start, hour=round(3600 / info.time_base))
    if kind == ".edl":
        listed, hour = edl.read(path, timebase)
        return listed, replace(clock, hour=hour, is_timecode=True)
    if kind == ".otio":
        return otio.read(path, timebase), replace(clock, is_timecode=True)
    if kind != ".csv":
        raise C2EError(f"{str(path)!r} is no list of shots that can be read; accepted: {KINDS}")
    if scenes.are_in(path):
        return scenes.read(path, timebase), clock
    shots = [own.shot for own in read_table(path, info).shots]
    listed = [Listed(f"{path}: shot {s.index + 1}", s.start, s.stop, s.dissolve) for s in shots]
    return listed, replace(clock, zero=0)


def check_shot_list(path: Path, info: VideoInfo) -> None:
    """Raise a :class:`C2EError` now if a list of the film's shots could not be written to ``path`` later."""
    kind = path.suffix.lower()
    if kind in (".edl", ".otio"):
        _ = ListTimebase(path, info, 0).rate
    if kind == ".otio":
        otio.library()


def write_shot_list(shots: Sequence[Shot], path: Path, info: VideoInfo) -> None:
    """Write shots as ``.csv``, ``.edl`` or ``.otio``; the first begins with the film's first frame.

    The ``.csv`` is a plan whose references are to be filled in. The others count frames, so that where
    the frame rate varies borders are near their frames and a shot shorter than a frame's average time
    may be left out. Raises :class:`C2EError` if the film has no frame rate, or nothing can be written.
    """
    timebase = ListTimebase(path, info, shots[0].start)
    kind = path.suffix.lower()
    if kind == ".edl":
        edl.write(shots, path, timebase)
    elif kind == ".otio":
        otio.write(shots, path, timebase)
    elif kind == ".csv":
        write_table(ReferenceTable.new(path, shots), info)
    else:
        raise C2EError(f"a list of shots cannot be written to {str(path)!r}; accepted: {KINDS}")
