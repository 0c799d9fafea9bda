"""What a caller may watch while a film is looked at and painted."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """What a caller may watch; see :class:`Silent` for one that does nothing."""

    def stage(self, name: str, frames: int | None) -> None:
        """A stage begins: "looking", "comparing shots" or "painting".

        With the number of frames, or of shots, that it is about, if known.
        """

    def advance(self, frames: int) -> None:
        """So many frames more are done."""

    def note(self, line: str) -> None:
        """Something the user ought to know."""


class Silent:
    """No progress shown."""

    def stage(self, name: str, frames: int | None) -> None: ...

    def advance(self, frames: int) -> None: ...

    def note(self, line: str) -> None: ...
