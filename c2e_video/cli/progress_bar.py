"""Progress on a terminal: frames, frames per second and the time that is left."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm


class ProgressBar:
    """A :class:`~c2e_video.progress.Progress` that draws one bar per stage on standard error."""

    def __init__(self) -> None:
        self._bar: Any = None

    def stage(self, name: str, frames: int | None) -> None:
        self._end()
        self._bar = tqdm(desc=name, total=frames, unit="frame", file=sys.stderr, dynamic_ncols=True)

    def advance(self, frames: int) -> None:
        if self._bar is not None:
            self._bar.update(frames)

    def note(self, line: str) -> None:
        tqdm.write(f"c2e-video: {line}", file=sys.stderr)

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
