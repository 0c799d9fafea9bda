"""PySceneDetect's list of scenes (``list-scenes``), with or without its line of timecodes on top."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...utils.csv_table import HEADER_WITHIN, CsvTable
from ...utils.files import read_text
from ...utils.timecode import parse_timecode
from .coverage import Listed
from .timebase import ListTimebase

WHAT = "list of scenes"
NUMBER = "scene number"
# Times first: they hold where the frame rate varies.
TIMES = (
    ("start time (seconds)", "end time (seconds)"),
    ("start timecode", "end timecode"),
)
FRAMES = ("start frame", "end frame")


def are_in(path: Path) -> bool:
    """Whether a table is of PySceneDetect's kind."""
    lines = [line for line in read_text(path, "list of shots").splitlines() if line.strip()]
    return any(NUMBER in line.lower() for line in lines[:HEADER_WITHIN])


def read(path: Path, timebase: ListTimebase) -> list[Listed]:
    """Read the scenes as shots.

    Args:
        path: The list.
        timebase: Its zero is the film's first frame.

    Raises:
        C2EError: File, line, column, what is wrong, what is accepted.
    """
    table = CsvTable(path, WHAT, (NUMBER,))
    times = next((pair for pair in TIMES if {*pair} <= {*table.columns}), None)
    if times is None and not {*FRAMES} <= {*table.columns}:
        table.wrong(
            1, TIMES[0][0], "is missing; accepted: times, timecodes or frames of the scenes"
        )
    first, last = times or FRAMES

    def seconds(text: str) -> int:
        return timebase.at(parse_timecode(text))

    def frame(before: int) -> Callable[[str], int]:
        return lambda text: timebase.frame(int(text) - before)

    wanted = "a time such as 00:01:02.500" if times else "a whole number"
    listed = []
    for row in table.rows:
        # Frames are counted from 1; the one after the last has the last's number when from 0.
        start = table.read(row, first, seconds if times else frame(1), wanted)
        stop = table.read(row, last, seconds if times else frame(0), wanted)
        if stop <= start:
            table.wrong(
                row.line, last, f"ends at {row[last]!r}, not after its start {row[first]!r}"
            )
        listed.append(Listed(f"{path}:{row.line}", start, stop))
    return listed
