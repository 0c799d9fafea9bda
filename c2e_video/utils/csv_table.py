"""Tables as spreadsheets and hands leave them: read with line numbers, every mistake named."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn, TypeVar

from ..errors import C2EError
from .files import read_text
from .xlsx_table import XLSX, read_xlsx

T = TypeVar("T")

_BOMS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
HEADER_WITHIN = 3  # lines; some programs write a line of their own above the names of the columns


@dataclass(frozen=True)
class Row:
    """A row and its line in the file; ``fields`` by the columns' names in lower case."""

    line: int
    fields: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.fields.get(column, "")


class CsvTable:
    """A table between commas, semicolons or tabs, with any line ends, or the first sheet of an ``.xlsx``.

    ``rows`` are its rows, ``columns`` their names in lower case, ``titles`` these names as they are
    written. The order of the columns is free, and blank lines are passed over. A column without a name
    has its place as name, ``#3``, and an empty title. ``delimiter`` and ``has_bom`` tell how the file is
    written.

    Args:
        path: The file.
        what: The kind of table, for messages.
        needed: Columns that must be there.
        known: Columns that have a meaning. Others are kept, but one that nearly has a known name is
            taken for a mistake.
        problem: The class of error that is raised: file, line, column, what is wrong, what is accepted.
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
        self.delimiter, self.has_bom = ",", False
        if path.suffix.lower() == XLSX:
            lines = self._from_header(read_xlsx(path, what, problem))
        else:
            lines = self._lines(read_text(path, what, problem))
            self.has_bom = path.read_bytes()[:3].startswith(_BOMS)
        self.titles = lines[0][1]
        self.columns = self._header(lines[0][0])
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
        raise self.problem(f"{self.place(line, column)}{what}")

    def place(self, line: int, column: str | None = None) -> str:
        """A line and a column, as messages begin."""
        where = f"column {column!r}: " if column else ""
        return f"{self.path}:{line}: {where}"

    def _lines(self, text: str) -> list[tuple[int, list[str]]]:
        """Fields of all lines that are not blank, from the one with the columns' names on."""
        self.delimiter = self._delimiter(text)
        table = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter)
        try:
            lines = [(table.line_num, [field.strip() for field in fields]) for fields in table]
        except csv.Error as error:
            self.wrong(table.line_num, None, f"is not CSV ({error})")
        return self._from_header(lines)

    def _from_header(self, lines: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
        lines = [(line, fields) for line, fields in lines if any(fields)]
        for above, (_, fields) in enumerate(lines[:HEADER_WITHIN]):
            if self.needed[0] in map(str.lower, fields):
                return lines[above:]
        return lines or [(1, [])]

    def _delimiter(self, text: str) -> str:
        filled = [line for line in text.splitlines() if line.strip(" ,;\t")][:HEADER_WITHIN]
        header = next((line for line in filled if self.needed[0] in line.lower()), "".join(filled))
        return max(",;\t", key=header.count)

    def _header(self, line: int) -> list[str]:
        columns = [name.lower() or f"#{place}" for place, name in enumerate(self.titles, 1)]
        order = ",".join(self.known or self.needed)
        for name in self.needed:
            if name not in columns:
                self.wrong(line, name, f"is missing; the first line names the columns: {order}")
        for place, name in enumerate(columns):
            if name in columns[:place]:
                self.wrong(line, name, "is there twice; each column has a name of its own")
            near = [] if name in self.known else get_close_matches(name, self.known, 1, 0.8)
            if near and near[0] not in columns:
                self.wrong(line, name, f"is unknown; did you mean {near[0]!r}? accepted: {order}")
        return columns

    def _row(self, line: int, fields: list[str]) -> Row:
        count = len(self.columns)
        if any(fields[count:]):
            self.wrong(
                line,
                None,
                f"has {len(fields)} fields, and the first line names {count} columns; between "
                "commas a time has a point, as 00:00:01.500, and a name with a comma stands in quotes",
            )
        return Row(line, dict(zip(self.columns, fields, strict=False)))
