"""The table on disk: ``FILM.csv`` beside the film, the same that ``c2e-video plan`` writes and reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..references.reference_table import ReferenceTable
from ..references.table_file import read_table, write_table
from ..references.table_on_film import fit_to_film
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
    table, _ = fit_to_film(read_table(path, info), info, times)
    rows = []
    for own in table.shots:
        first = own.rows[0]
        rows.append(
            ShotRow(
                *(own.shot.start, own.shot.stop, own.shot.dissolve),
                references=table.references(own),
                gray=own.is_gray,
                saturation=first.saturation,
                note=first.note,
                extra=dict(first.extra),
            )
        )
    return ShotTable(tuple(rows))


def write(table: ShotTable, path: Path, info: VideoInfo) -> None:
    """Write the table, whole or not at all. Raises :class:`C2EError` if it cannot be written."""
    written = ReferenceTable.new(path, [row.shot(i) for i, row in enumerate(table.rows)])
    for index, row in enumerate(table.rows):
        if row.gray or row.references:
            used = () if row.gray else row.references
            written = written.with_shot(index, used, Path())
        written = written.with_words(index, row.saturation, row.note, row.extra)
    write_table(written, info)
