"""The file of the table of references: rows are read to shots that agree with each other, and written."""

from __future__ import annotations

from collections.abc import Iterable
from csv import writer
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import NoReturn

from ..errors import BadReference
from ..utils.csv_table import CsvTable
from ..utils.files import write_text
from ..video.frames import Shot, VideoInfo
from .reference_table import ReferenceTable, TableShot
from .table_rows import COLUMNS, NEEDED, RowReader, TableRow

WHAT = "map of references"
BOM = "\ufeff"


def read_table(path: Path, info: VideoInfo) -> ReferenceTable:
    """Read a table.

    Args:
        path: A ``.csv`` or ``.xlsx`` file.
        info: The film.

    Raises:
        BadReference: File, line, column, what is wrong, what is accepted.
    """
    return _TableReader(CsvTable(path, WHAT, NEEDED, COLUMNS, BadReference), info).read()


def write_table(table: ReferenceTable, info: VideoInfo) -> None:
    """Write a table to its path, whole or not at all.

    Args:
        table: The table.
        info: The film, on whose clock the times are written.

    Raises:
        C2EError: The file cannot be written.
    """
    text = StringIO(newline="")
    lines = writer(text, delimiter=table.delimiter)
    known = [title.lower() or f"#{place}" for place, title in enumerate(table.titles, 1)]
    lines.writerow([*table.titles, *(name for name in COLUMNS if name not in known)])
    columns = [*known, *(name for name in COLUMNS if name not in known)]
    for own in table.shots:
        for row in own.rows:
            fields = _fields(own.shot, row, info)
            lines.writerow([fields.get(name, "") for name in columns])
    write_text(table.path, BOM * table.has_bom + text.getvalue())


def _fields(shot: Shot, row: TableRow, info: VideoInfo) -> dict[str, str]:
    saturation = "" if row.saturation is None else f"{row.saturation:g}"
    return dict(row.extra) | {
        "shot": str(row.number),
        "start": info.timecode(shot.start),
        "end": info.timecode(shot.stop),
        "transition": f"dissolve {info.timecode(shot.dissolve)}" if shot.dissolve else "cut",
        "reference": row.reference,
        "at": "" if row.at is None else info.timecode(row.at),
        "saturation": saturation,
        "note": row.note,
        "coverage": row.coverage,
    }


class _TableReader:
    """Makes shots of rows, and checks that they agree with each other."""

    def __init__(self, table: CsvTable, info: VideoInfo) -> None:
        self.table, self.info = table, info
        self.reader = RowReader(table, info)

    def read(self) -> ReferenceTable:
        """The table."""
        rows: dict[int, list[TableRow]] = {}
        for row in map(self.reader.read, self.table.rows):
            self._agree(row, rows.setdefault(row.number, []))
            rows[row.number].append(row)
        for own in rows.values():
            own.sort(key=lambda row: row.at or 0)
        slack = self.reader.times.slack
        return ReferenceTable(
            self.table.path,
            tuple(self._joined(sorted(rows.values(), key=lambda own: own[0].times))),
            tuple(self.table.titles),
            self.table.delimiter,
            self.table.has_bom,
            round(slack / self.info.time_base),
            tuple(f"{self.table.path}: {line}" for line in self.reader.times.notes),
        )

    def _joined(self, groups: Iterable[list[TableRow]]) -> list[TableShot]:
        """Shots without holes: each ends where the next begins."""
        found: list[TableShot] = []
        for own in groups:
            start, end = own[0].times
            dissolve = next((row.dissolve for row in own if row.dissolve is not None), 0)
            if found:
                before = found[-1]
                self._follows(own[0], before)
                found[-1] = replace(before, shot=replace(before.shot, stop=start))
            else:
                dissolve = 0  # the first has nothing to come from
            found.append(TableShot(Shot.after(dissolve, len(found), start, end), tuple(own)))
        return found

    def _agree(self, row: TableRow, others: list[TableRow]) -> None:
        """Rows of one number are references of one shot: same times, each with its own ``at``."""
        for other in others:
            if row.times != other.times:
                self.table.wrong(
                    row.line,
                    "start",
                    f"shot {row.number} has other times in line {other.line}; rows of one shot "
                    "share start and end, and another shot has another number",
                )
            for column, mine, others_ in (
                ("transition", row.dissolve, other.dissolve),
                ("saturation", row.saturation, other.saturation),
            ):
                if None not in (mine, others_) and mine != others_:
                    self.table.wrong(
                        row.line,
                        column,
                        f"shot {row.number} has another one in line {other.line}; "
                        "rows of one shot share it, or leave it empty",
                    )
            if row.is_gray or other.is_gray:
                self.table.wrong(
                    row.line,
                    "reference",
                    f"shot {row.number} is gray, and has another reference in line {other.line}; a shot "
                    "that is left gray has one row",
                )
            if row.at is None and other.at is None:
                continue  # several of other scenes
            if row.at is None or row.at == other.at:
                self._needs_time(row)
            if other.at is None:
                self._needs_time(other)

    def _needs_time(self, row: TableRow) -> NoReturn:
        self.table.wrong(
            row.line,
            "at",
            f"shot {row.number} has several references; each needs its own time, or none has one",
        )

    def _follows(self, row: TableRow, before: TableShot) -> None:
        last = before.rows[0]
        if row.times == last.times:
            self.table.wrong(
                row.line,
                "shot",
                f"{row.number} has the times of shot {last.number} in line "
                f"{last.line}; references of one shot share its number",
            )
        stop = before.shot.stop
        if row.start > before.shot.start and abs(row.start - stop) <= self.reader.slack:
            return
        what = "overlaps" if row.start < stop else "leaves a hole after"
        self.table.wrong(
            row.line,
            "start",
            f"shot {row.number} {what} shot {last.number} in line {last.line}, which "
            f"ends at {self.info.timecode(stop)}; every shot starts where the one before ends",
        )
