"""A table in CSV as spreadsheets and hands leave it: read with line numbers, every mistake named."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

from ..errors import C2EError
from .files import read_text

T = TypeVar("T")

HEADER_WITHIN = 3  # lines; some programs write a line of their own above the names of the columns


@dataclass(frozen=True)
class Row:
    """A row and its place in the file; ``fields`` by the columns' names in lower case."""

    line: int
    fields: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.fields.get(column, "")


class CsvTable:
    """A table between commas, semicolons or tabs, with any line ends, in UTF-8.

    ``rows`` are its rows and ``columns`` their names, of which there are all that are ``needed`` and
    none that is not ``known`` (if that is given); their order is free. Blank lines are passed over.
    ``what`` names the kind of table. Raises ``problem``: file, line, column, what is wrong, what is
    accepted.
    """

    def __init__(
        self,
        path: Path,
        what: str,
        needed: Sequence[str],
        known: Sequence[str] = (),
        problem: type[C2EError] = C2EError,
    ) -> None:
        self.path, self.problem = path, problem
        self.needed, self.known = needed, known
        lines = self._lines(read_text(path, what, problem))
        self.columns = self._header(lines)
        self.rows = [self._row(line, fields) for line, fields in lines[1:]]
        if not self.rows:
            self.wrong(lines[0][0], None, f"the {what} has no rows; it needs one for each shot")

    def read(self, row: Row, column: str, read: Callable[[str], T], wanted: str) -> T:
        """What ``read`` makes of a field; ``wanted`` tells what is accepted."""
        try:
            return read(row[column])
        except (ValueError, C2EError):
            self.wrong(row.line, column, f"got {row[column]!r}; accepted: {wanted}")

    def wrong(self, line: int, column: str | None, what: str) -> NoReturn:
        """Raise what is wrong at a place."""
        where = f"column {column!r}: " if column else ""
        raise self.problem(f"{self.path}:{line}: {where}{what}")

    def _lines(self, text: str) -> list[tuple[int, list[str]]]:
        """Fields of all lines that are not blank, from the one with the columns' names on."""
        table = csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter(text))
        try:
            lines = [(table.line_num, [field.strip() for field in fields]) for fields in table]
        except csv.Error as error:
            self.wrong(table.line_num, None, f"is not CSV ({error})")
        lines = [(line, fields) for line, fields in lines if any(fields)]
        for above, (_, fields) in enumerate(lines[:HEADER_WITHIN]):
            if self.needed[0] in map(str.lower, fields):
                return lines[above:]
        return lines or [(1, [])]

    def _delimiter(self, text: str) -> str:
        filled = [line for line in text.splitlines() if line.strip(" ,;\t")][:HEADER_WITHIN]
        header = next((line for line in filled if self.needed[0] in line.lower()), "".join(filled))
        return max(",;\t", key=header.count)

    def _header(self, lines: list[tuple[int, list[str]]]) -> list[str]:
        line, fields = lines[0]
        columns = [name.lower() for name in fields]
        order = ",".join(self.known or self.needed)
        for name in self.needed:
            if name not in columns:
                self.wrong(line, name, f"is missing; the first line names the columns: {order}")
        for place, name in enumerate(columns):
            if name and self.known and name not in self.known:
                self.wrong(line, name, f"is unknown; accepted: {order}")
            if name and name in columns[:place]:
                self.wrong(line, name, "is there twice; each column has a name of its own")
        return columns

    def _row(self, line: int, fields: list[str]) -> Row:
        count = len(self.columns)
        if len(fields) > count:
            self.wrong(
                line,
                None,
                f"has {len(fields)} fields, and the first line names {count} columns; between "
                "commas a time has a point, as 00:00:01.500, and a name with a comma stands in quotes",
            )
        return Row(line, dict(zip(self.columns, fields, strict=False)))
