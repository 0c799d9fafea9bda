"""Times of a table as hands and spreadsheets leave them.

A spreadsheet may show, and then save, a time with fewer digits than it had, without its hours
(``mm:ss.0``), or as a number of days.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from ..utils.csv_table import Row
from ..utils.timecode import parse_timecode
from ..video.frames import VideoInfo

_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?")
_WITHOUT_HOURS = re.compile(r"\d{1,2}:\d{2}[.,]\d")
_DECIMALS = re.compile(r"[.,](\d+)$")
_DAY, _HOUR = 86400, 3600
_BORDERS = ("start", "end")


class TableTimes:
    """Reads the times of one table.

    Args:
        rows: All its rows, in the order of the file.
        info: The film. Its length tells seconds from days.

    Attributes:
        slack: How far, in seconds, a time may lie from what it was before a spreadsheet left out digits:
            0 where all three digits after the point are there, or the times are plain seconds.
        notes: What a user should know of how the times were read.
    """

    def __init__(self, rows: Sequence[Row], info: VideoInfo) -> None:
        texts = [row[column] for row in rows for column in _BORDERS if row[column]]
        self.notes: list[str] = []
        self._in_days = _are_days(texts, info)
        self.slack = Fraction(0) if self._in_days else _slack(texts)
        self._hours = _dropped_hours(rows, texts)
        if self._in_days:
            self.notes.append("the table's times are numbers of days, as spreadsheets keep them")
        if self._hours:
            self.notes.append(
                "the table's times have no hours, and were counted on past each full hour"
            )

    def seconds(self, row: Row, column: str) -> Fraction:
        """The time in a field of "start", "end" or "at". Raises C2EError or ValueError if it is none."""
        text = row[column]
        if self._in_days:
            return Fraction(text.replace(",", ".")) * _DAY
        sign = -1 if text.startswith("-") else 1
        seconds = sign * parse_timecode(text.removeprefix("-"))
        if column in _BORDERS:
            return seconds + self._hours.get((row.line, column), 0) * _HOUR
        return self._within(row, seconds)

    def _within(self, row: Row, seconds: Fraction) -> Fraction:
        """A frame's time, by the hour of its shot."""
        if not self._hours:
            return seconds
        start = self.seconds(row, "start")
        seconds += start // _HOUR * _HOUR
        return seconds if seconds >= start - self.slack else seconds + _HOUR


def _are_days(texts: Sequence[str], info: VideoInfo) -> bool:
    """Whether plain numbers are days: with an exponent, or below 1 and nearer to the film's length so."""
    if not texts or not all(map(_NUMBER.fullmatch, texts)):
        return False
    if any("e" in text.lower() for text in texts):
        return True
    end = max(float(text.replace(",", ".")) for text in texts)
    if not 0 < end < 1:
        return False
    length = info.duration_seconds
    if length is None:
        return any(len(_decimals(text)) > 5 for text in texts)
    return abs(end * _DAY - length) < abs(end - length)


def _slack(texts: Sequence[str]) -> Fraction:
    """One unit of the last digit that any time has, where all are written with colons."""
    if not texts or not all(":" in text for text in texts):
        return Fraction(0)
    digits = max(len(_decimals(text)) for text in texts)
    return Fraction(0) if digits >= 3 else Fraction(1, 10**digits)


def _decimals(text: str) -> str:
    found = _DECIMALS.search(text)
    return found[1] if found else ""


def _dropped_hours(rows: Sequence[Row], texts: Sequence[str]) -> dict[tuple[int, str], int]:
    """The hours that each time lacks, where all are ``mm:ss.0`` and go back; by line and column."""
    if not texts or not all(map(_WITHOUT_HOURS.fullmatch, texts)):
        return {}
    hours, before, shot = 0, Fraction(0), None
    found: dict[tuple[int, str], int] = {}
    for row in rows:
        if not all(row[column] for column in _BORDERS):
            return {}
        if shot is not None and row["shot"] == shot["shot"]:  # it repeats the times of its shot
            found |= {(row.line, column): found[shot.line, column] for column in _BORDERS}
            continue
        shot = row
        for column in _BORDERS:
            seconds = parse_timecode(row[column])
            hours += seconds < before
            found[row.line, column] = hours
            before = seconds
    return found if any(found.values()) else {}
