"""The map of references as a table: opens in a spreadsheet, may be edited by hand.

Columns: ``shot`` (a number), ``start`` and ``end`` (times on the film's own clock), ``transition``
(``cut``, or ``dissolve`` and its length), ``reference`` (a picture, seen from the table's folder) and
``at`` (the time of the frame that the picture is, if it is one). Rows of one shot with different
``at`` are several references of that shot. Shots are told apart by their number and ordered by their
time: a number may be any that is free. A plan is such a table whose references are still to come.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from csv import writer
from dataclasses import dataclass, replace
from fractions import Fraction
from io import StringIO
from pathlib import Path
from typing import NoReturn

from ..errors import BadReference
from ..utils.csv_table import CsvTable, Row
from ..utils.files import write_text
from ..utils.timecode import parse_timecode
from ..video.frames import Shot, VideoInfo
from .image import Reference, load_reference

COLUMNS = ("shot", "start", "end", "transition", "reference", "at")
NEEDED = ("shot", "start", "end", "reference")
TIME = "a time such as 00:01:02.500"
TRANSITION = "cut, or dissolve 00:00:00.400"

References = tuple[tuple[Reference, ...], ...]


@dataclass(frozen=True)
class _Line:
    """A row of the table, times in pts. ``dissolve`` is None where nothing is said of it."""

    row: Row
    shot: int
    start: int
    end: int
    dissolve: int | None
    at: int | None

    @property
    def times(self) -> tuple[int, int]:
        return self.start, self.end


def write_plan(shots: Sequence[Shot], path: Path, info: VideoInfo) -> None:
    """Write shots to a table whose column ``reference`` is left to be filled."""
    write_table(shots, [()] * len(shots), path, info)


def write_table(
    shots: Sequence[Shot],
    references: Sequence[Sequence[Reference]],
    path: Path,
    info: VideoInfo,
) -> None:
    """Write shots with their references to a table that names pictures as seen from its folder.

    A shot without references has a row where they are left empty. Raises :class:`C2EError` if the
    table cannot be written.
    """
    text = StringIO(newline="")
    table = writer(text)
    table.writerow(COLUMNS)
    timecode = info.timecode
    for shot, own in zip(shots, references, strict=True):
        kind = f"dissolve {timecode(shot.dissolve)}" if shot.dissolve else "cut"
        for reference in own or (None,):
            picture, at = "", ""
            if reference is not None:
                if reference.in_memory:
                    raise BadReference(
                        f"a table names files, and {reference.path.name} is in memory alone; save it first"
                    )
                picture = _seen_from(path.parent, reference.path)
                at = "" if reference.at is None else timecode(reference.at)
            times = (timecode(shot.start), timecode(shot.stop))
            table.writerow((shot.index + 1, *times, kind, picture, at))
    write_text(path, text.getvalue())


def _seen_from(folder: Path, picture: Path) -> str:
    try:
        return Path(os.path.relpath(picture, folder)).as_posix()
    except ValueError:  # on another drive of a Windows machine
        return picture.resolve().as_posix()


def read_plan(path: Path, info: VideoInfo) -> tuple[Shot, ...]:
    """The shots of a table, whether it has references or not.

    Raises :class:`BadReference`: file, line, column, what is wrong, what is accepted.
    """
    return tuple(shot for shot, _ in _Table(path, info).shots())


def read_table(path: Path, info: VideoInfo) -> tuple[tuple[Shot, ...], References]:
    """The shots of a table and their references, by time.

    Raises :class:`BadReference`: file, line, column, what is wrong, what is accepted.
    """
    table = _Table(path, info)
    read = table.shots()
    return tuple(shot for shot, _ in read), tuple(table.references(own) for _, own in read)


class _Table:
    def __init__(self, path: Path, info: VideoInfo) -> None:
        self.info = info
        self.table = CsvTable(path, "map of references", NEEDED, COLUMNS, BadReference)
        self.pictures: dict[Path, Reference] = {}

    def shots(self) -> list[tuple[Shot, list[_Line]]]:
        """The shots in order, each with its lines by their ``at``."""
        lines: dict[int, list[_Line]] = {}
        for row in self.table.rows:
            line = self._line(row)
            self._agree(line, lines.setdefault(line.shot, []))
            lines[line.shot].append(line)
        for own in lines.values():
            own.sort(key=lambda line: line.at or 0)
        return self._joined(sorted(lines.values(), key=lambda own: own[0].times))

    def _joined(self, groups: Iterable[list[_Line]]) -> list[tuple[Shot, list[_Line]]]:
        """Shots without holes: each ends where the next begins."""
        found: list[tuple[Shot, list[_Line]]] = []
        for own in groups:
            start, end = own[0].times
            dissolve = next((line.dissolve for line in own if line.dissolve is not None), 0)
            if found:
                before, lines_before = found[-1]
                self._follows(own[0], before, lines_before[0])
                found[-1] = (replace(before, stop=start), lines_before)
            else:
                dissolve = 0  # the first has nothing to come from
            found.append((Shot.after(dissolve, len(found), start, end), own))
        return found

    def references(self, own: list[_Line]) -> tuple[Reference, ...]:
        """The pictures of one shot."""
        return tuple(self._picture(line) for line in own)

    def _agree(self, line: _Line, others: list[_Line]) -> None:
        """Rows of one number are references of one shot: same times, each with its own ``at``."""
        for other in others:
            if line.times != other.times:
                self.table.wrong(
                    line.row.line,
                    "start",
                    f"shot {line.shot} has other times in line {other.row.line}; rows of one shot "
                    "share start and end, and another shot has another number",
                )
            if None not in (line.dissolve, other.dissolve) and line.dissolve != other.dissolve:
                self.table.wrong(
                    line.row.line,
                    "transition",
                    f"shot {line.shot} has another one in line {other.row.line}; "
                    "rows of one shot share it, or leave it empty",
                )
            if line.at is None or line.at == other.at:
                self._needs_time(line)
            if other.at is None:
                self._needs_time(other)

    def _needs_time(self, line: _Line) -> NoReturn:
        self.table.wrong(
            line.row.line,
            "at",
            f"shot {line.shot} has several references; each needs its own time",
        )

    def _follows(self, line: _Line, before: Shot, line_before: _Line) -> None:
        if line.times == line_before.times:
            self.table.wrong(
                line.row.line,
                "shot",
                f"{line.shot} has the times of shot {line_before.shot} in line "
                f"{line_before.row.line}; references of one shot share its number",
            )
        if line.start > before.start and abs(line.start - before.stop) <= self._slack():
            return
        what = "overlaps" if line.start < before.stop else "leaves a hole after"
        self.table.wrong(
            line.row.line,
            "start",
            f"shot {line.shot} {what} shot {line_before.shot} in line {line_before.row.line}, which "
            f"ends at {self.info.timecode(before.stop)}; every shot starts where the one before ends",
        )

    def _slack(self) -> int:
        """Two milliseconds: what two rounded times may differ by."""
        return max(1, round(0.002 / self.info.time_base))

    def _line(self, row: Row) -> _Line:
        shot = self.table.read(row, "shot", int, "a whole number")
        start, end = self._time(row, "start"), self._time(row, "end")
        if end <= start:
            self.table.wrong(
                row.line,
                "end",
                f"shot {shot} ends at {row['end']}, not after its start {row['start']}",
            )
        at = self._time(row, "at") if row["at"] else None
        if at is not None and not start - self._slack() <= at <= end:
            self.table.wrong(
                row.line,
                "at",
                f"{row['at']} lies outside shot {shot}, {row['start']} to {row['end']}",
            )
        dissolve = self._dissolve(row) if row["transition"] else None
        if dissolve and dissolve > end - start + self._slack():
            self.table.wrong(
                row.line,
                "transition",
                f"{row['transition']!r} is longer than shot {shot}, {row['start']} to {row['end']}",
            )
        return _Line(row, shot, start, end, dissolve, at)

    def _time(self, row: Row, column: str) -> int:
        seconds = self.table.read(row, column, _signed, TIME)
        return round(seconds / self.info.time_base)

    def _dissolve(self, row: Row) -> int:
        seconds = self.table.read(row, "transition", _dissolve_seconds, TRANSITION)
        return round(seconds / self.info.time_base)

    def _picture(self, line: _Line) -> Reference:
        name = line.row["reference"]
        if not name:
            self.table.wrong(
                line.row.line, "reference", f"is empty; shot {line.shot} needs a picture"
            )
        path = self.table.path.parent / name
        if path not in self.pictures:
            try:
                self.pictures[path] = load_reference(path)
            except BadReference as error:
                self.table.wrong(line.row.line, "reference", str(error))
        return self.pictures[path].moved(line.at)


def _signed(text: str) -> Fraction:
    """A time that may lie before zero, where some films begin."""
    seconds = parse_timecode(text.removeprefix("-"))
    return -seconds if text.startswith("-") else seconds


def _dissolve_seconds(text: str) -> Fraction:
    """How long a transition is; a cut is no time."""
    kind, _, length = text.lower().partition(" ")
    if kind == "dissolve":
        return parse_timecode(length)
    if text.lower() != "cut":
        raise ValueError(text)
    return Fraction(0)
