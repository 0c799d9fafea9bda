"""Edit decision lists of the CMX3600 kind, as editing programs write them.

An event is a line of number, reel, track, transition (with its length in frames), source in and out, record
in and out. Record times are the film's; they count from zero, a whole hour or the film's start timecode. A
dissolve is two lines of one number: the outgoing shot, of no length there, and the incoming one, which
begins with the dissolve. A wipe is taken for a dissolve: it too leads from one shot to the next.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import NoReturn

from ...errors import C2EError
from ...utils.files import read_text, write_text
from ...video.frames import Shot
from .coverage import Listed
from .timebase import ListTimebase

WHAT = "edit decision list"
LINE = "001 AX V C 00:00:00:00 00:00:05:00 01:00:00:00 01:00:05:00"
_EVENT = re.compile(
    r"\d\w*\s+(?P<reel>\S.*?)(?:\s+(?P<track>NONE|[AVB\d/]+))?"
    r"\s+(?:C|(?:D|W\d*)\s+(?P<length>\d+))"
    r"\s+\S+\s+\S+\s+(?P<start>\S+)\s+(?P<stop>\S+)",
    re.IGNORECASE,
)
_TIMECODE = re.compile(r"(\d\d?)[:;](\d\d)[:;](\d\d)([:;.,])(\d\d\d?)")
_SOUND = re.compile(r"NONE|A[A\d/]*", re.IGNORECASE)
# This program's timecodes are clock time, and whole frames since the last second, at any frame rate.
_CLOCK_TIME = "* CREATED WITH PYSCENEDETECT"


@dataclass(frozen=True)
class _Timecode:
    hours: int
    minutes: int
    seconds: int
    frames: int
    drop: bool


@dataclass(frozen=True)
class _Event:
    line: int
    start: _Timecode
    stop: _Timecode
    dissolve: int  # frames


def read(path: Path, timebase: ListTimebase) -> tuple[list[Listed], int]:
    """Read the shots of a list, at the times that stand there.

    Args:
        path: The list.
        timebase: Its frames are those of the film: 23.976 counts 24 to its second, 29.97 counts 30.

    Returns:
        The shots, in pts as if the list's zero were the film's first frame; and the pts of one hour.

    Raises:
        C2EError: File, line, what is wrong, what is accepted.
    """
    return _Reader(path, timebase).read()


class _Reader:
    def __init__(self, path: Path, timebase: ListTimebase) -> None:
        self.path, self.timebase = path, timebase
        self.count = _count(timebase)
        self.drop = self.clock_time = False

    def read(self) -> tuple[list[Listed], int]:
        events = []
        text = read_text(self.path, WHAT, errors="replace")  # names of clips are in any encoding
        for number, line in enumerate(text.splitlines(), 1):
            line = line.strip()
            if line.upper().startswith("FCM:"):
                self.drop = "NON" not in line.upper()
            elif line.upper().startswith(_CLOCK_TIME):
                self.clock_time = True
            elif line[:1].isdecimal():
                event = self._event(number, line)
                if event is not None and event.start != event.stop:
                    events.append(event)
        if not events:
            self._wrong(1, f"the list has no event with a picture; accepted: lines such as {LINE}")
        hour = self._number(_Timecode(1, 0, 0, 0, events[0].start.drop))
        start = self.timebase.start
        return [self._listed(event) for event in events], self.timebase.frame(hour) - start

    def _event(self, line: int, text: str) -> _Event | None:
        """The event of a line; None if it has no picture."""
        match = _EVENT.fullmatch(text)
        if match is None:
            self._wrong(
                line, f"is no cut, dissolve (D 024) or wipe; accepted: lines such as {LINE}"
            )
        if _SOUND.fullmatch(match["track"] or ""):
            return None
        start, stop = (self._timecode(line, match[name]) for name in ("start", "stop"))
        return _Event(line, start, stop, int(match["length"] or 0))

    def _timecode(self, line: int, text: str) -> _Timecode:
        match = _TIMECODE.fullmatch(text)
        if match is None:
            self._wrong(line, f"got the timecode {text!r}; accepted: such as 01:00:05:00")
        hours, minutes, seconds, frames = (int(match[group]) for group in (1, 2, 3, 5))
        drop = match[4] in ";," or (self.drop and match[4] == ":")
        if minutes > 59 or seconds > 59:
            self._wrong(line, f"minutes and seconds of a timecode are below 60, got {text!r}")
        if frames >= self.count:
            self._wrong(
                line,
                f"frames of a timecode are below {self.count}, as the film has {self._rate()} a "
                f"second, got {text!r}; write the list at the film's frame rate",
            )
        if drop and self.count not in (30, 60):
            self._wrong(
                line,
                f"got the drop-frame timecode {text!r}, and the film has {self._rate()} frames a "
                "second; write the list as non-drop-frame, at the film's frame rate",
            )
        return _Timecode(hours, minutes, seconds, frames, drop)

    def _rate(self) -> str:
        return f"{float(self.timebase.rate):.6g}"

    def _listed(self, event: _Event) -> Listed:
        start, stop = (self._number(time) for time in (event.start, event.stop))
        if stop <= start:
            self._wrong(event.line, "ends (record out) before it begins (record in)")
        dissolve = self.timebase.frame(event.dissolve) - self.timebase.start
        where = f"{self.path}:{event.line}"
        return Listed(where, self.timebase.frame(start), self.timebase.frame(stop), dissolve)

    def _number(self, time: _Timecode) -> int:
        """The number of the frame with a timecode, from 0."""
        minutes = time.hours * 60 + time.minutes
        seconds = minutes * 60 + time.seconds
        if self.clock_time:
            return ceil(seconds * self.timebase.rate + time.frames)
        # Drop-frame leaves out the first two numbers (of 30) of each minute but every tenth.
        dropped = self.count // 15 * (minutes - minutes // 10) if time.drop else 0
        return seconds * self.count + time.frames - dropped

    def _wrong(self, line: int, what: str) -> NoReturn:
        raise C2EError(f"{self.path}:{line}: {what}")


def write(shots: Sequence[Shot], path: Path, timebase: ListTimebase) -> None:
    """Write a list whose source and record times both are the film's, from zero, non-drop-frame."""
    name = timebase.info.path.name
    lines = [f"TITLE: {timebase.info.path.stem}", "FCM: NON-DROP FRAME", ""]
    event = 0
    for shot in shots:
        start, stop = timebase.number(shot.start), timebase.number(shot.stop)
        length = timebase.number(timebase.start + shot.dissolve)
        if stop <= start:
            continue
        event += 1
        if length:
            lines.append(_line(event, "C", start, start, timebase))
        lines.append(_line(event, f"D    {length:03d}" if length else "C", start, stop, timebase))
        lines += [f"* FROM CLIP NAME: {name}"] + [f"* TO CLIP NAME: {name}"] * bool(length)
    write_text(path, "\n".join(lines) + "\n")


def _line(event: int, kind: str, start: int, stop: int, timebase: ListTimebase) -> str:
    times = f"{_timecode_of(start, timebase)} {_timecode_of(stop, timebase)}"
    return f"{event:03d}  AX       V     {kind:<8} {times} {times}"


def _timecode_of(number: int, timebase: ListTimebase) -> str:
    seconds, frames = divmod(number, _count(timebase))
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{frames:02d}"


def _count(timebase: ListTimebase) -> int:
    """How many frames timecode counts to a second."""
    return max(1, round(timebase.rate))
