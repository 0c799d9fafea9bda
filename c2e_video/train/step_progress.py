"""How far a training run is: a bar on a terminal, and how long it will take, from its first steps on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from tqdm import tqdm

MEASURED_STEPS = 3  # after the first, which takes longer than the others


class StepProgress:
    """Counts the steps of a run.

    Args:
        total: Steps of the whole run.
        first: Steps that are done already.
        show: Whether a bar may be drawn; it is, on terminals alone.
        note: Is called with a line that says how long the run will take.
    """

    def __init__(
        self, total: int, first: int, *, show: bool = True, note: Callable[[str], object]
    ) -> None:
        self.total, self.step, self._note = total, first, note
        self._estimated_at = min(first + 1 + MEASURED_STEPS, total)
        self._began = 0.0
        self._measured_from = first + 1
        draws = show and sys.stderr is not None and sys.stderr.isatty()
        self._bar = tqdm(total=total, initial=first, unit="step", disable=not draws, smoothing=0.05)

    def advance(self, **figures: str) -> None:
        """One more step is done; ``figures`` are shown behind the bar."""
        self.step += 1
        self._bar.update(1)
        self._bar.set_postfix(**figures)
        if self.step == self._measured_from:
            self._began = time.monotonic()
        elif self.step == self._estimated_at:
            seconds = (time.monotonic() - self._began) / (self.step - self._measured_from)
            left = self.total - self.step
            self._note(
                f"a step takes {seconds:.3g} s: {left:,} more take {duration(left * seconds)}"
            )

    def close(self) -> None:
        """End the bar."""
        self._bar.close()


def duration(seconds: float) -> str:
    """A time in words, with two units: ``3 h 20 min``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
