"""When Python looks for garbage: rarely while a command imports what it needs, then as usual."""

from __future__ import annotations

import gc

_USUAL = gc.get_threshold()
_RARELY = 100_000  # new objects from one collection to the next


def collect_rarely() -> None:
    """Let a process start faster.

    After PyTorch is imported there are 250,000 objects, and nearly all of them stay. To look through them for
    garbage again and again takes a fifth of the time of the import.
    """
    gc.set_threshold(_RARELY, *_USUAL[1:])


def collect_as_usual() -> None:
    """Leave what was imported alone, and look for garbage among new objects as often as Python does."""
    gc.freeze()
    gc.set_threshold(*_USUAL)
