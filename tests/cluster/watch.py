"""What tests see of a run: what it tells, and its workers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from c2e_video.utils.progress import Silent
from tests.waiting import wait_until


class Watch(Silent):
    """Keeps what is told, and calls ``act`` with the number of frames colorized so far."""

    def __init__(self, act: Callable[[int], None] = lambda frames: None) -> None:
        self.act, self.frames = act, 0
        self.stages: list[str] = []
        self.notes: list[str] = []

    def stage(self, name: str, total: int | None, unit: str = "frame") -> None:
        self.stages.append(name)

    def advance(self, count: int) -> None:
        if self.stages[-1] == "colorizing":
            self.frames += count
            self.act(self.frames)

    def note(self, line: str) -> None:
        self.notes.append(line)


def rendering() -> list[int]:
    """The processes in which a worker renders a segment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if words.startswith(b"ray::render"):
            found.append(int(folder.name))
    return found


def wait_for_workers() -> None:
    """Wait until no worker renders: a process keeps its title for a moment after its task."""
    wait_until(lambda: not rendering())
