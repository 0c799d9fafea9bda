"""Progress on standard error: a bar for each stage on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from typing import Any

import click
from tqdm import tqdm

LOG_SECONDS = 60.0  # between two lines in a log
QUIET = "c2e_video.quiet"  # where the command's context keeps whether -q was given


class ProgressBar:
    """Shows a :class:`~c2e_video.utils.progress.Progress` on standard error.

    With ``-q`` nothing is shown. A bar is drawn on terminals alone: a log file gets a line a minute.
    """

    def __init__(self) -> None:
        context = click.get_current_context(silent=True)
        self._quiet = bool(context and context.meta.get(QUIET)) or sys.stderr is None
        self._draws = not self._quiet and sys.stderr.isatty()
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
            self._bar = tqdm(desc=name, total=total, unit=unit, file=sys.stderr, dynamic_ncols=True)

    def advance(self, count: int) -> None:
        """Move the bar on."""
        self._count += count
        if self._bar is not None:
            self._bar.update(count)
        elif time.monotonic() - self._logged >= LOG_SECONDS:
            self._logged = time.monotonic()
            of = f" of {self._total}" if self._total else ""
            self.note(f"{self._name}: {self._count}{of} {self._unit}s")

    def note(self, line: str) -> None:
        """Write a line above the bar."""
        if self._quiet:
            return
        line = f"c2e-video: {line}"
        if self._bar is None:
            click.echo(line, err=True)
        else:
            tqdm.write(line, file=sys.stderr)

    def _end(self, *, done: bool = True) -> None:
        """Close the bar; at 100 % where its stage is done, for its total may have been an estimate."""
        if self._bar is not None:
            if done:
                self._bar.total = self._bar.n
                self._bar.refresh()
            self._bar.close()
            self._bar = None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._end(done=kind is None)
