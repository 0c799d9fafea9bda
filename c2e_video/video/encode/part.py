"""A part, and how files are named and written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Part:
    """A closed file with the painted pictures of one segment.

    ``pts`` and ``durations`` are those of its frames in presentation order, in the film's
    ``time_base``. They are the word on time, whatever the file's container can hold.
    """

    path: Path
    pts: tuple[int, ...]
    durations: tuple[int, ...]


def decoding_time(times: Sequence[int], index: int, delay: int, step: int | None = None) -> int:
    """The dts of the packet decoded at ``index``, where frames are shown at ``times``.

    It is the time shown ``delay`` frames before: it always grows, and is never later than the
    packet's own pts if no packet comes more than ``delay`` places after its turn to be shown. Before the
    film it goes by ``step``, else by the first frame's.
    """
    if index >= delay:
        return times[index - delay]
    if step is None:
        step = times[1] - times[0] if len(times) > 1 else 1
    return times[0] - (delay - index) * step
