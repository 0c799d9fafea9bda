"""Progress of a run: what a caller receives while a film is analyzed and colorized."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives the progress of a run. :class:`Silent` is one that does nothing.

    The methods are called in one thread. An exception that one of them raises ends the run; what is
    finished of it is kept.
    """

    def stage(self, name: str, total: int | None, unit: str = "frame") -> None:
        """A stage begins.

        Args:
            name: "analyzing", "comparing shots", "colorizing" or another.
            total: How many units the stage has; None where that is not known, and an estimate where the
                film's container gives no more than that.
            unit: What is counted, in the singular: "frame" or "shot".
        """

    def advance(self, count: int) -> None:
        """Report progress.

        Args:
            count: Units of the stage that were finished since the last call.
        """

    def note(self, line: str) -> None:
        """Report something that the user should know.

        Args:
            line: One line of text.
        """


class Silent:
    """Shows nothing."""

    def stage(self, name: str, total: int | None, unit: str = "frame") -> None:
        """See :meth:`Progress.stage`."""

    def advance(self, count: int) -> None:
        """See :meth:`Progress.advance`."""

    def note(self, line: str) -> None:
        """See :meth:`Progress.note`."""
