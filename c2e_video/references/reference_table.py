"""The table of shots and references, which a person edits in a spreadsheet: its values and its changes.

Columns: ``shot`` (a number), ``start`` and ``end`` (times on the film's own clock), ``transition``
(``cut``, or ``dissolve`` and its length), ``reference`` (a picture, seen from the table's folder, or
``gray``), ``at`` (the time of the frame that the picture is, if it is one), ``saturation`` (a factor,
0 to 4), ``note``, and ``coverage`` (what planning found; it is written anew each time). Unknown columns
are kept. Rows of one shot with different ``at`` are several references of that shot. Shots are told apart
by their number and ordered by their time: a number may be any that is free. A shot is open while its
``reference`` is empty.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import BadReference
from ..video.frames import Shot
from .image import Reference
from .named_reference import load_named
from .table_rows import COLUMNS, GRAY, TableRow, open_row


@dataclass(frozen=True, eq=False)
class TableShot:
    """A shot and its rows, by their ``at``; it has at least one row."""

    shot: Shot
    rows: tuple[TableRow, ...]

    @property
    def is_gray(self) -> bool:
        """Whether the shot is left uncoloured."""
        return any(row.is_gray for row in self.rows)

    @property
    def is_open(self) -> bool:
        """Whether nobody has said yet what colours the shot."""
        return not any(row.reference for row in self.rows)

    @property
    def saturation(self) -> float:
        """The factor of a*, b*."""
        return next((row.saturation for row in self.rows if row.saturation is not None), 1.0)


@dataclass(frozen=True, eq=False)
class ReferenceTable:
    """A table: as it was read, or as it will be written.

    Args:
        path: Where it was read from, or will be written to; pictures are seen from its folder.
        shots: In order and without holes.
        titles: The names of the columns as a person wrote them.
        delimiter: What stands between fields.
        has_bom: Whether the file begins with a BOM, by which some spreadsheets know UTF-8.
        slack: How far a time may be from what it was before a spreadsheet left out digits, in pts.
        notes: What a user should know of how the table was read.
    """

    path: Path
    shots: tuple[TableShot, ...]
    titles: tuple[str, ...] = COLUMNS
    delimiter: str = ","
    has_bom: bool = False
    slack: int = 0
    notes: tuple[str, ...] = ()
    _loaded: dict[Path, Reference] = field(default_factory=dict, repr=False)

    @classmethod
    def new(cls, path: Path, shots: Iterable[Shot]) -> ReferenceTable:
        """A table of shots that are all open."""
        return cls(path, tuple(TableShot(shot, (open_row(shot),)) for shot in shots))

    def references(self, own: TableShot) -> tuple[Reference, ...]:
        """Load the pictures of a shot, by time; none where it is open or left gray.

        Raises:
            BadReference: File, line, column, and why a picture cannot be used.
        """
        rows = () if own.is_gray else own.rows
        return tuple(self._load(row) for row in rows if row.reference)

    def place(self, line: int, column: str) -> str:
        """Where something is wrong, as messages begin."""
        return f"{self.path}:{line}: column {column!r}: "

    def check_complete(self) -> None:
        """Raise BadReference if a shot is still open."""
        for own in self.shots:
            if own.is_open:
                row = own.rows[0]
                raise BadReference(
                    f"{self.place(row.line, 'reference')}is empty; shot {row.number} needs a picture, or "
                    "the word gray to be left uncoloured"
                )

    def with_references(
        self, index: int, references: Sequence[Reference], folder: Path
    ) -> ReferenceTable:
        """The table with references added to a shot: in place of an empty field, and as rows of their own.

        Args:
            index: The shot.
            references: What is added.
            folder: From which relative paths are seen.

        Raises:
            BadReference: A reference is in memory alone.
        """
        own = self.shots[index]
        first = own.rows[0]
        kept = [row for row in own.rows if row.reference]
        added: list[TableRow] = []
        for reference in references:
            if reference.in_memory:
                raise BadReference(
                    f"a table names files, and {reference.path.name} is in memory alone; save it first"
                )
            name = _seen_from(self.path.parent, folder / reference.path)
            bare = (
                replace(first, line=0, note="", extra={}, coverage="") if kept or added else first
            )
            added.append(replace(bare, reference=name, at=reference.at))
        rows = tuple(sorted([*kept, *added], key=lambda row: row.at or 0)) or own.rows
        return self._with(index, TableShot(own.shot, rows))

    def with_shot(
        self,
        index: int,
        references: Sequence[Reference],
        folder: Path,
        saturation: float | None = None,
    ) -> ReferenceTable:
        """The table with an open shot filled in: its references, or gray where there are none."""
        own = self.shots[index]
        name = "" if references else GRAY[0]
        rows = tuple(replace(row, reference=name, saturation=saturation) for row in own.rows)
        table = self._with(index, TableShot(own.shot, rows))
        return table.with_references(index, references, folder) if references else table

    def with_coverage(self, verdicts: Sequence[str]) -> ReferenceTable:
        """The table with what planning found of each shot, in its first row."""
        shots = []
        for own, verdict in zip(self.shots, verdicts, strict=True):
            rows = [replace(row, coverage="") for row in own.rows]
            rows[0] = replace(rows[0], coverage=verdict)
            shots.append(TableShot(own.shot, tuple(rows)))
        return replace(self, shots=tuple(shots))

    @property
    def coverage(self) -> tuple[str, ...] | None:
        """What the table says of each shot's coverage; None where it has no such column."""
        if "coverage" not in map(str.lower, self.titles):
            return None
        return tuple(own.rows[0].coverage for own in self.shots)

    def with_words(
        self, index: int, saturation: float | None, note: str, extra: Mapping[str, str]
    ) -> ReferenceTable:
        """The table with a shot's saturation, note and unknown columns, the last two in its first row.

        Args:
            index: The shot.
            saturation: Factor of a*, b*, 0 to 4; None to say nothing.
            note: A person's words.
            extra: The fields of unknown columns, by name; a column that is new comes last.
        """
        own = self.shots[index]
        rows = [replace(row, saturation=saturation) for row in own.rows]
        rows[0] = replace(rows[0], note=note, extra=dict(extra))
        known = {title.lower() for title in self.titles}
        new = tuple(name for name in extra if name not in known)
        table = self._with(index, TableShot(own.shot, tuple(rows)))
        return replace(table, titles=(*self.titles, *new))

    def _with(self, index: int, own: TableShot) -> ReferenceTable:
        return replace(self, shots=(*self.shots[:index], own, *self.shots[index + 1 :]))

    def shifted(self, offset: int) -> ReferenceTable:
        """The table with all its times later by ``offset`` pts."""

        def later(row: TableRow) -> TableRow:
            at = None if row.at is None else row.at + offset
            return replace(row, start=row.start + offset, end=row.end + offset, at=at)

        shots = (
            TableShot(
                replace(own.shot, start=own.shot.start + offset, stop=own.shot.stop + offset),
                tuple(map(later, own.rows)),
            )
            for own in self.shots
        )
        return replace(self, shots=tuple(shots))

    def moved_to(self, path: Path) -> ReferenceTable:
        """The table at another place: relative names lead to the same pictures."""
        if path.parent.resolve() == self.path.parent.resolve():
            return replace(self, path=path)

        def seen(row: TableRow) -> TableRow:
            if not row.reference or row.is_gray:
                return row
            return replace(row, reference=_seen_from(path.parent, self.path.parent / row.reference))

        shots = (TableShot(own.shot, tuple(map(seen, own.rows))) for own in self.shots)
        return replace(self, path=path, shots=tuple(shots))

    def _load(self, row: TableRow) -> Reference:
        path = self.path.parent / row.reference
        if path not in self._loaded:
            try:
                self._loaded[path] = load_named(path)
            except BadReference as error:
                raise BadReference(f"{self.place(row.line, 'reference')}{error}") from None
        return self._loaded[path].moved(row.at)


def _seen_from(folder: Path, picture: Path) -> str:
    try:
        return Path(os.path.relpath(picture, folder)).as_posix()
    except ValueError:  # on another drive of a Windows machine
        return picture.resolve().as_posix()
