"""The first sheet of an Excel workbook as text fields, by ``openpyxl`` (the extra ``[xlsx]``)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from ..errors import C2EError

XLSX = ".xlsx"


def read_xlsx(path: Path, what: str, problem: type[C2EError]) -> list[tuple[int, list[str]]]:
    """The rows of a workbook's first sheet, each with its number.

    Args:
        path: The file.
        what: The kind of table, for messages.
        problem: The class of error that is raised.

    Returns:
        Row numbers from 1, and the fields: times as ``HH:MM:SS.mmm``, whole numbers without a point.

    Raises:
        C2EError: ``problem``, where it cannot be read or ``openpyxl`` is missing.
    """
    try:
        import openpyxl
    except ImportError:
        raise problem(
            f"{str(path)!r} is an Excel workbook, for which openpyxl is missing: "
            "pip install c2e-video[xlsx], or save the table as .csv"
        ) from None
    try:
        book: Any = openpyxl.load_workbook(path, read_only=True, data_only=True)
        rows = list(book.worksheets[0].iter_rows(values_only=True))
    except OSError as error:
        raise problem(f"the {what} {str(path)!r} cannot be read: {error.strerror}") from None
    except Exception as error:  # a damaged archive makes openpyxl raise nearly anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise problem(
            f"the {what} {str(path)!r} is no workbook that can be read ({reason}); save it as .csv"
        ) from None
    return [(number, [_text(value) for value in row]) for number, row in enumerate(rows, 1)]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(
        value, dt.datetime
    ):  # a time of more than a day's hours, counted from Excel's day 0
        value = value - dt.datetime(1899, 12, 30)
    if isinstance(value, dt.time):
        value = dt.timedelta(
            hours=value.hour,
            minutes=value.minute,
            seconds=value.second,
            microseconds=value.microsecond,
        )
    if isinstance(value, dt.timedelta):
        # Binary fractions of a day are off by a few microseconds.
        milliseconds = round(value / dt.timedelta(milliseconds=1))
        minutes, rest = divmod(milliseconds, 60_000)
        seconds, thousandths = divmod(rest, 1000)
        return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}.{thousandths:03d}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
