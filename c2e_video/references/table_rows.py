"""The fields of one row of the table of references, each checked by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from ..utils.csv_table import CsvTable, Row
from ..utils.timecode import parse_timecode
from ..video.frames import Shot, VideoInfo
from .table_times import TableTimes

COLUMNS = (
    "shot",
    "start",
    "end",
    "transition",
    "reference",
    "at",
    "saturation",
    "note",
    "coverage",
)
NEEDED = ("shot", "start", "end", "reference")
GRAY = ("gray", "grey")  # in place of a picture: the shot is left uncoloured
MAX_SATURATION = 4.0
TIME = "a time such as 00:01:02.500"
TRANSITION = "cut, or dissolve 00:00:00.400"
SATURATION = f"a number from 0 to {MAX_SATURATION:g}, or nothing"


@dataclass(frozen=True)
class TableRow:
    """A row of the table, times in pts.

    Args:
        line: Its line in the file; 0 where it is none of a file.
        number: The shot's number, as a person wrote it.
        start: Where the shot begins.
        end: Where it ends.
        dissolve: How long the dissolve is that it begins with; None where nothing is said of it.
        reference: The picture, as seen from the table's folder; "gray"; or empty.
        at: The frame that the picture is, if it is one.
        saturation: Factor of a*, b*; None where nothing is said of it.
        note: A person's words.
        extra: The fields of unknown columns.
        coverage: How far the references cover the shot, as planning found it; nothing depends on it.
    """

    line: int
    number: int
    start: int
    end: int
    dissolve: int | None
    reference: str
    at: int | None
    saturation: float | None
    note: str
    extra: Mapping[str, str]
    coverage: str = ""

    @property
    def times(self) -> tuple[int, int]:
        """Start and end."""
        return self.start, self.end

    @property
    def is_gray(self) -> bool:
        """Whether the shot is left uncoloured."""
        return self.reference.lower() in GRAY


def open_row(shot: Shot) -> TableRow:
    """The row of a shot that has no reference yet."""
    times = (shot.start, shot.stop, shot.dissolve)
    return TableRow(0, shot.index + 1, *times, "", None, None, "", {})


class RowReader:
    """Reads the rows of a table. Every mistake raises BadReference with file, line and column."""

    def __init__(self, table: CsvTable, info: VideoInfo) -> None:
        self.table, self.info = table, info
        self.times = TableTimes(table.rows, info)
        # Two milliseconds: what two rounded times may differ by.
        self.slack = max(1, round(max(Fraction(2, 1000), self.times.slack) / info.time_base))

    def read(self, row: Row) -> TableRow:
        """One row."""
        number = self.table.read(row, "shot", int, "a whole number")
        start, end = self._time(row, "start"), self._time(row, "end")
        if end <= start:
            self.table.wrong(
                row.line,
                "end",
                f"shot {number} ends at {row['end']}, not after its start {row['start']}"
                f"{self._without_digits(row)}",
            )
        at = self._time(row, "at") if row["at"] else None
        if at is not None and not start - self.slack <= at <= end + self.slack:
            self.table.wrong(
                row.line,
                "at",
                f"{row['at']} lies outside shot {number}, {row['start']} to {row['end']}",
            )
        dissolve = self._dissolve(row) if row["transition"] else None
        if dissolve and dissolve > end - start + self.slack:
            self.table.wrong(
                row.line,
                "transition",
                f"{row['transition']!r} is longer than shot {number}, {row['start']} to {row['end']}",
            )
        saturation = None
        if row["saturation"]:
            saturation = self.table.read(row, "saturation", _saturation, SATURATION)
        extra = {name: text for name, text in row.fields.items() if name not in COLUMNS}
        return TableRow(
            *(row.line, number, start, end, dissolve),
            *(row["reference"], at, saturation, row["note"], extra),
            coverage=row["coverage"],
        )

    def _time(self, row: Row, column: str) -> int:
        def seconds(_: str) -> Fraction:
            return self.times.seconds(row, column)

        return round(self.table.read(row, column, seconds, TIME) / self.info.time_base)

    def _dissolve(self, row: Row) -> int:
        seconds = self.table.read(row, "transition", _dissolve_seconds, TRANSITION)
        return round(seconds / self.info.time_base)

    def _without_digits(self, row: Row) -> str:
        if self.times.slack and row["start"] == row["end"]:
            return "; the program that saved the table left digits out: show times as hh:mm:ss.000 there"
        return ""


def _saturation(text: str) -> float:
    factor = float(text.replace(",", "."))
    if not 0 <= factor <= MAX_SATURATION:
        raise ValueError(text)
    return factor


def _dissolve_seconds(text: str) -> Fraction:
    """How long a transition is; a cut is no time."""
    kind, _, length = text.lower().partition(" ")
    if kind == "dissolve":
        return parse_timecode(length)
    if text.lower() != "cut":
        raise ValueError(text)
    return Fraction(0)
