"""Lists of shots that others made, and lists for others.

Read are the ``-Scenes.csv`` of PySceneDetect, edit decision lists (CMX3600, ``.edl``), OpenTimelineIO
(``.otio``, with the extra ``[otio]``) and this project's own table. Their zero is the film's first
frame, except in the own table, which has the film's own clock.

A list need not cover the film. A hole of half a second or more, at either end too, becomes a shot of
its own: nobody has said what is there. A shorter one is no shot and goes to its neighbour. Lists that
count frames are counted at ``info.frame_rate``. Where the frame rate varies that is an average, and
their borders drift; lists with seconds (PySceneDetect's, the own table) do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...errors import C2EError
from ...references.reference_csv import read_plan, write_plan
from ...video.frames import Shot, VideoInfo
from . import edl, otio
from . import pyscenedetect as scenes
from .coverage import Listed, cover, with_the_rest
from .timebase import ListTimebase

__all__ = ["check_shot_list", "read_shot_list", "with_the_rest", "write_shot_list"]

KINDS = ".csv, .edl, .otio"


def read_shot_list(
    path: Path, info: VideoInfo, stop: int | None = None, *, start: int = 0
) -> tuple[Shot, ...]:
    """The shots of a list, in order and without holes, from ``start`` to ``stop``.

    ``start`` is the pts of the film's first frame, and ``stop`` the pts at which the film ends; without
    it the film is taken to end with the list. Borders are not on frames yet: see ``snap_shots``.
    Raises :class:`C2EError`: file, line, what is wrong, what is accepted.
    """
    timebase = ListTimebase(path, info, start)
    kind = path.suffix.lower()
    if kind == ".edl":
        listed = edl.read(path, timebase)
    elif kind == ".otio":
        listed = otio.read(path, timebase)
    elif kind != ".csv":
        raise C2EError(f"{str(path)!r} is no list of shots that can be read; accepted: {KINDS}")
    elif scenes.are_in(path):
        listed = scenes.read(path, timebase)
    else:
        shots = read_plan(path, info)
        listed = [Listed(f"{path}: shot {s.index + 1}", s.start, s.stop, s.dissolve) for s in shots]
    return cover(listed, info, start, stop)


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
        write_plan(shots, path, info)
    else:
        raise C2EError(f"a list of shots cannot be written to {str(path)!r}; accepted: {KINDS}")
