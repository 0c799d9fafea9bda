"""A run in the queue, and its progress for the page."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from threading import Event
from typing import Any, Literal

from ..errors import C2EError
from .render_options import RenderOptions

TELL_SECONDS = 0.5  # between two messages about a run
RATE_SECONDS = 20.0  # over which frames a second are counted

State = Literal["waiting", "painting", "stopping", "stopped", "done", "failed"]


@dataclass
class RenderJob:
    """An entry of the queue. ``done`` and ``total`` count frames; ``kept`` is what is saved on the disk."""

    id: str
    film: str
    name: str
    options: RenderOptions
    state: State = "waiting"
    error: str = ""
    kept: str = ""
    notes: list[str] = field(default_factory=list)
    stage: str = ""
    done: int = 0
    total: int | None = None
    rate: float | None = None  # frames a second
    on_disk: str = ""
    picture: str = ""  # changes with the frame that was colorized last
    restart: bool = False

    def plain(self) -> dict[str, Any]:
        """The entry, ready for JSON."""
        left = None
        if self.rate and self.total is not None and self.state == "painting":
            left = (self.total - self.done) / self.rate
        return asdict(self) | {"left": left}


class Stopped(C2EError):
    """A person stopped the run."""


class RunProgress:
    """Sends a run's progress to the page, and ends the run where a person stopped it."""

    def __init__(self, job: RenderJob, stop: Event, tell: Callable[[RenderJob], None]) -> None:
        self.job, self._stop, self._tell = job, stop, tell
        self._told = 0.0
        self._counted: deque[tuple[float, int]] = deque()

    def stage(self, name: str, total: int | None, unit: str = "frame") -> None:
        """A stage begins."""
        self._check()
        self.job.stage, self.job.done, self.job.total = name, 0, total
        self.job.rate = None
        self._counted.clear()
        self._tell(self.job)

    def advance(self, frames: int) -> None:
        """So many frames more are done."""
        self.job.done += frames
        now = time.monotonic()
        # The first call may count what an earlier run had done: the rate begins after it.
        self._counted.append((now, self.job.done))
        while self._counted[-1][0] - self._counted[0][0] > RATE_SECONDS:
            self._counted.popleft()
        (begun, before), (ended, after) = self._counted[0], self._counted[-1]
        if ended > begun:
            self.job.rate = (after - before) / (ended - begun)
        if now - self._told > TELL_SECONDS:
            self._told = now
            self._tell(self.job)
        self._check()

    def note(self, line: str) -> None:
        """Something the user ought to know."""
        if line not in self.job.notes:
            self.job.notes.append(line)
            self._tell(self.job)

    def _check(self) -> None:
        if self._stop.is_set():
            raise Stopped("stopped")
