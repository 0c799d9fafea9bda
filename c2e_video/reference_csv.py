"""The map of references as a table: opens in a spreadsheet, may be edited by hand.

Columns: ``shot`` (a number), ``start`` and ``end`` (times on the film's own clock), ``transition``
(``cut``, or ``dissolve`` and its length), ``reference`` (a picture, seen from the table's folder) and
``at`` (the time of the frame that the picture is, if it is one). Rows of one shot with different
``at`` are several references of that shot.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TypeVar

from .errors import BadReference, C2EError
from .frames import Shot, VideoInfo
from .reference_pictures import Reference, load_reference
from .timecode import format_timecode, parse_timecode

COLUMNS = ("shot", "start", "end", "transition", "reference", "at")
NEEDED = ("shot", "start", "end", "reference")
LARGEST = 64 << 20  # bytes; a table of that size is none
T = TypeVar("T")


@dataclass(frozen=True)
class _Row:
    """A row of the table, times in pts."""

    line: int
    shot: int
    start: int
    end: int
    dissolve: int
    reference: Reference


References = tuple[tuple[Reference, ...], ...]


def write_table(
    shots: Sequence[Shot],
    references: Sequence[Sequence[Reference]],
    path: Path,
    info: VideoInfo,
) -> None:
    """Write shots with their references to a table that names pictures as seen from its folder."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(COLUMNS)

    def timecode(pts: int) -> str:
        return format_timecode(pts * info.time_base)

    for shot, row in zip(shots, references, strict=True):
        kind = f"dissolve {timecode(shot.dissolve)}" if shot.dissolve else "cut"
        for reference in row:
            picture = os.path.relpath(reference.path, path.parent)
            at = "" if reference.at is None else timecode(reference.at)
            times = (timecode(shot.start), timecode(shot.stop))
            table.writerow((shot.index + 1, *times, kind, picture, at))
    path.write_text(text.getvalue(), encoding="utf-8", newline="")


def read_table(path: Path, info: VideoInfo) -> tuple[tuple[Shot, ...], References]:
    """Read a table. Raises :class:`BadReference`: file, line, column, what is wrong, what is accepted."""
    return _Table(path, info).read()


class _Table:
    def __init__(self, path: Path, info: VideoInfo) -> None:
        self.path, self.info = path, info
        self.pictures: dict[Path, Reference] = {}

    def read(self) -> tuple[tuple[Shot, ...], References]:
        rows = [self._row(line, fields) for line, fields in self._lines()]
        if not rows:
            raise self._wrong(1, None, "the table has no rows; it needs one for each shot")
        rows.sort(key=lambda row: (row.start, row.reference.at or 0))
        shots: list[Shot] = []
        references: list[tuple[Reference, ...]] = []
        for _, group in groupby(rows, key=lambda row: row.shot):
            own = list(group)
            self._agree(own, shots)
            first = own[0]
            dissolve = first.dissolve if shots else 0  # the first has nothing to come from
            shots.append(Shot.after(dissolve, len(shots), first.start, first.end))
            references.append(tuple(row.reference for row in own))
        return tuple(shots), tuple(references)

    def _agree(self, own: list[_Row], shots: list[Shot]) -> None:
        first = own[0]
        for row in own[1:]:
            if (row.start, row.end) != (first.start, first.end):
                raise self._wrong(
                    row.line,
                    "start",
                    f"shot {row.shot} has other times in line {first.line}; "
                    "rows of one shot are references of it and share start and end",
                )
            if row.reference.at is None or row.reference.at in [
                other.reference.at for other in own if other is not row
            ]:
                raise self._wrong(
                    row.line,
                    "at",
                    f"shot {row.shot} has several references; each needs its own time",
                )
        if len(own) > 1 and first.reference.at is None:
            raise self._wrong(
                first.line,
                "at",
                f"shot {first.shot} has several references; each needs its own time",
            )
        if shots and abs(first.start - shots[-1].stop) > self._slack():
            what = "overlaps" if first.start < shots[-1].stop else "leaves a hole after"
            end = format_timecode(shots[-1].stop * self.info.time_base)
            raise self._wrong(
                first.line,
                "start",
                f"shot {first.shot} {what} the shot before, which ends at {end}; "
                "every shot starts where the one before ends",
            )
        if shots:
            shots[-1] = replace(shots[-1], stop=first.start)

    def _slack(self) -> int:
        """Two milliseconds: what two rounded times may differ by."""
        return max(1, round(0.002 / self.info.time_base))

    def _lines(self) -> list[tuple[int, dict[str, str]]]:
        table = csv.reader(io.StringIO(self._text()), delimiter=self._delimiter())
        try:
            header = [name.strip().lower() for name in next(table, [])]
            missing = [name for name in NEEDED if name not in header]
            if missing:
                raise self._wrong(
                    1,
                    missing[0],
                    f"is missing; the first line names the columns: {','.join(COLUMNS)}",
                )
            unknown = [name for name in header if name not in COLUMNS and name]
            if unknown:
                raise self._wrong(1, unknown[0], f"is unknown; accepted: {','.join(COLUMNS)}")
            return [
                (
                    table.line_num,
                    dict(zip(header, (field.strip() for field in fields), strict=False)),
                )
                for fields in table
                if any(field.strip() for field in fields)
            ]
        except csv.Error as error:
            raise self._wrong(table.line_num, None, f"is not CSV ({error})") from None

    def _text(self) -> str:
        name = repr(str(self.path))
        try:
            if self.path.stat().st_size > LARGEST:
                raise BadReference(f"{name} is no table of references: it is larger than 64 MiB")
            return self.path.read_bytes().decode("utf-8-sig")
        except OSError as error:
            raise BadReference(f"the map {name} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise BadReference(f"the map {name} is not UTF-8; save it as CSV in UTF-8") from None

    def _delimiter(self) -> str:
        header = self._text().partition("\n")[0]
        return max(",;\t", key=header.count)

    def _row(self, line: int, fields: dict[str, str]) -> _Row:
        shot = self._field(line, fields, "shot", int, "a whole number")
        start = self._time(line, fields, "start")
        end = self._time(line, fields, "end")
        if end <= start:
            raise self._wrong(
                line,
                "end",
                f"shot {shot} ends at {fields['end']}, not after its start {fields['start']}",
            )
        at = self._time(line, fields, "at") if fields.get("at") else None
        if at is not None and not start - self._slack() <= at <= end:
            raise self._wrong(
                line,
                "at",
                f"{fields['at']} lies outside shot {shot}, {fields['start']} to {fields['end']}",
            )
        return _Row(
            line, shot, start, end, self._dissolve(line, fields), self._picture(line, fields, at)
        )

    def _time(self, line: int, fields: dict[str, str], column: str) -> int:
        seconds = self._field(line, fields, column, parse_timecode, "a time such as 00:01:02.500")
        return round(seconds / self.info.time_base)

    def _dissolve(self, line: int, fields: dict[str, str]) -> int:
        kind, _, length = fields.get("transition", "").partition(" ")
        if kind in ("", "cut") and not length:
            return 0
        if kind == "dissolve" and length:
            seconds = self._field(
                line,
                {"transition": length},
                "transition",
                parse_timecode,
                "cut, or dissolve 00:00:00.400",
            )
            return max(1, round(seconds / self.info.time_base))
        raise self._wrong(
            line,
            "transition",
            f"got {fields['transition']!r}; accepted: cut, or dissolve 00:00:00.400",
        )

    def _picture(self, line: int, fields: dict[str, str], at: int | None) -> Reference:
        if not fields.get("reference"):
            raise self._wrong(line, "reference", f"is empty; shot {fields['shot']} needs a picture")
        path = self.path.parent / fields["reference"]
        if path not in self.pictures:
            try:
                self.pictures[path] = load_reference(path)
            except BadReference as error:
                raise self._wrong(line, "reference", str(error)) from None
        return self.pictures[path].moved(at)

    def _field(
        self, line: int, fields: dict[str, str], column: str, read: Callable[[str], T], wanted: str
    ) -> T:
        text = fields.get(column, "")
        try:
            return read(text)
        except (ValueError, C2EError):
            raise self._wrong(line, column, f"got {text!r}; accepted: {wanted}") from None

    def _wrong(self, line: int, column: str | None, what: str) -> BadReference:
        where = f"column {column!r}: " if column else ""
        return BadReference(f"{self.path}:{line}: {where}{what}")
