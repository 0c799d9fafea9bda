"""A table in CSV as spreadsheets and hands leave it: read with line numbers, every mistake named."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

from .errors import C2EError
from .text_files import read_text

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
    """The rows of a table between commas, semicolons or tabs, with any line ends, in UTF-8.

    ``needed`` are the columns without which it says nothing, ``known`` all that may be there (any, if
    None); their order is free. Blank lines are passed over. ``what`` names the kind of table, and
    ``problem`` is raised with file, line, column, what is wrong and what is accepted.
    """

    def __init__(
        self,
        path: Path,
        what: str,
        needed: Sequence[str],
        known: Sequence[str] | None = None,
        problem: type[C2EError] = C2EError,
    ) -> None:
        self.path, self.what, self.problem = path, what, problem
        self.needed, self.known = needed, known
        self.text = read_text(path, what, problem)

    def rows(self) -> list[Row]:
        """All rows. Raises ``problem`` if there is none, or a column is missing, unknown or twice."""
        table = csv.reader(io.StringIO(self.text, newline=None), delimiter=self._delimiter())
        try:
            lines = [(table.line_num, [f.strip() for f in fields]) for fields in table]
        except csv.Error as error:
            self.wrong(table.line_num, None, f"is not CSV ({error})")
        lines = [(line, fields) for line, fields in lines if any(fields)]
        names = self._header(lines)
        rows = [self._row(line, fields, names) for line, fields in lines[1:]]
        if not rows:
            self.wrong(
                lines[0][0], None, f"the {self.what} has no rows; it needs one for each shot"
            )
        return rows

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

    def _delimiter(self) -> str:
        filled = [line for line in self.text.splitlines() if line.strip(" ,;\t")][:HEADER_WITHIN]
        header = next(
            (line for line in filled if self.needed[0] in line.lower()), "".join(filled[:1])
        )
        return max(",;\t", key=header.count)

    def _header(self, lines: list[tuple[int, list[str]]]) -> list[str]:
        """The columns' names; lines above them are taken away."""
        for above, (_, fields) in enumerate(lines[:HEADER_WITHIN]):
            if self.needed[0] in map(str.lower, fields):
                del lines[:above]
                break
        line, names = lines[0] if lines else (1, [])
        names = [name.lower() for name in names]
        order = ",".join(self.known or self.needed)
        for name in self.needed:
            if name not in names:
                self.wrong(line, name, f"is missing; the first line names the columns: {order}")
        for place, name in enumerate(names):
            if name and self.known is not None and name not in self.known:
                self.wrong(line, name, f"is unknown; accepted: {order}")
            if name and name in names[:place]:
                self.wrong(line, name, "is there twice; each column has a name of its own")
        return names

    def _row(self, line: int, fields: list[str], names: list[str]) -> Row:
        if any(fields[len(names) :]):
            self.wrong(
                line,
                None,
                f"has {len(fields)} fields, and the first line names {len(names)} columns; between "
                "commas a time has a point, as 00:00:01.500, and a name with a comma stands in quotes",
            )
        return Row(line, dict(zip(names, fields, strict=False)))
