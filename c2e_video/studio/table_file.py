"""The table on disk: ``FILM.csv`` beside the film, the same that ``c2e-video plan`` writes and reads."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..references.reference_csv import _Table, write_table
from ..video.decode import base_path
from ..video.frames import VideoInfo
from .table import ShotRow, ShotTable

Signature = tuple[int, int]


def table_path(film: Path) -> Path:
    """Where ``c2e-video plan`` puts the table of a film by default."""
    name = base_path(film)
    return name.with_name(f"{name.name}.csv")


def signature(path: Path) -> Signature | None:
    """What changes with a file's content: its time of change and its size. None if there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def read(path: Path, info: VideoInfo, times: Sequence[int]) -> ShotTable:
    """The table in a file, its borders and keyframes on frames; ``times`` are the pts of all frames.

    Raises :class:`BadReference`: file, line, column, what is wrong.
    """
    table = _Table(path, info)
    rows = []
    for shot, own in table.shots():
        references = tuple(table._picture(line) for line in own if line.row["reference"])
        rows.append(ShotRow(shot.start, shot.stop, shot.dissolve, references))
    return _snapped(rows, times)


def write(table: ShotTable, path: Path, info: VideoInfo) -> None:
    """Write the table, whole or not at all. Raises :class:`C2EError` if it cannot be written."""
    shots = [row.shot(index) for index, row in enumerate(table.rows)]
    write_table(shots, [row.references for row in table.rows], path, info)


def _snapped(rows: Sequence[ShotRow], times: Sequence[int]) -> ShotTable:
    """Borders and keyframes on the nearest frames: the file has them to the millisecond.

    The first shot begins with the film and the last ends with it; shots without a frame are left out.
    """
    end = times[-1] + (times[-1] - times[-2] if len(times) > 1 else 1)
    starts = [times[0], *(_nearest(times, row.start) for row in rows[1:]), end]
    kept = []
    for row, start, stop in zip(rows, starts, starts[1:], strict=False):
        if start < stop:
            references = tuple(
                r if r.at is None else r.moved(_nearest(times, r.at)) for r in row.references
            )
            dissolve = min(row.dissolve, stop - start)
            kept.append(
                replace(row, start=start, stop=stop, dissolve=dissolve, references=references)
            )
    return ShotTable(tuple(kept))


def _nearest(times: Sequence[int], wanted: int) -> int:
    after = bisect_left(times, wanted)
    return min(times[max(0, after - 1) : after + 1], key=lambda t: abs(t - wanted))
