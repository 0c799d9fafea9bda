"""Progress on standard error: a bar for each stage on a terminal, some lines in a log."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Any

import click

from .flags import with_flags
from .streams import QUIET, say

LOG_SECONDS = 60.0  # between two lines in a log


class ProgressBar:
    """Shows a :class:`~c2e_video.utils.progress.Progress` on standard error.

    With ``-q`` nothing is shown. A bar is drawn on terminals alone: a log file gets a line for each stage,
    and one a minute.
    """

    def __init__(self) -> None:
        context = click.get_current_context(silent=True)
        self._commands = context.find_root().command if context else None
        self.quiet = bool(context and context.meta.get(QUIET)) or sys.stderr is None
        self._draws = not self.quiet and sys.stderr.isatty()
        self._bar: Any = None
        self._name, self._unit = "", ""
        self._total: int | None = None
        self._count, self._logged = 0, 0.0

    def stage(self, name: str, total: int | None, unit: str = "frame") -> None:
        """Begin a bar, or the counting for a log."""
        self._end()
        self._name, self._unit, self._total = name, unit, total
        self._count, self._logged = 0, time.monotonic()
        if self._draws:
            from tqdm import tqdm  # slow to import, and --help needs none

            self._bar = tqdm(desc=name, total=total, unit=unit, file=sys.stderr, dynamic_ncols=True)

    def advance(self, count: int) -> None:
        """Move the bar on."""
        self._count += count
        if self._bar is not None:
            with contextlib.suppress(OSError):  # of a terminal that is gone
                self._bar.update(count)
        elif self._name and time.monotonic() - self._logged >= LOG_SECONDS:
            self._logged = time.monotonic()
            of = f" of {self._total}" if self._total else ""
            self.note(f"{self._name}: {self._count}{of} {self._unit}s")

    def note(self, line: str) -> None:
        """Write a line above the bar; in a log after the line of a stage that is done."""
        if self.quiet:
            return
        if self._bar is None and self._total and self._count >= self._total:
            self._end()
        if isinstance(self._commands, click.Group):
            line = with_flags(line, self._commands)
        if self._bar is None:
            say(line)
        else:
            with contextlib.suppress(OSError):
                self._bar.write(f"c2e-video: {line}", file=sys.stderr)

    def _end(self, *, done: bool = True) -> None:
        """End a stage: its bar at 100 %, for its total may have been an estimate; in a log with a line."""
        bar, name = self._bar, self._name
        counted = f": {self._count} {self._unit}{'s' * (self._count != 1)}"
        line = f"{name}{counted if self._count or self._total is not None else ''}"
        self._bar, self._name, self._total = None, "", None
        if done and name and bar is None:
            self.note(line)
        with contextlib.suppress(OSError):
            if bar is not None and done:
                bar.total = bar.n
                bar.refresh()
            if bar is not None:
                bar.close()

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._end(done=kind is None)
