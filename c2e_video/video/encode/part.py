"""The file of one segment, and the decoding times of its packets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Part:
    """A closed file with the colorized pictures of one segment.

    The times here are exact, whatever the file's container made of them.

    Args:
        path: The file.
        pts: Of its frames, in order of display, in the film's ``time_base``.
        durations: The same.
    """

    path: Path
    pts: tuple[int, ...]
    durations: tuple[int, ...]


def decoding_time(times: Sequence[int], index: int, delay: int, step: int | None = None) -> int:
    """The dts of a packet: the pts of the frame that is shown ``delay`` places before it is decoded.

    Such dts grow. None is later than its packet's pts, if no packet is decoded more than ``delay`` places
    after its turn to be shown.

    Args:
        times: The pts of the frames, in order of display.
        index: The packet's place in order of decoding.
        delay: In frames.
        step: Ticks from one dts to the next before the first pts; by default the first frame's.
    """
    if index >= delay:
        return times[index - delay]
    if step is None:
        step = times[1] - times[0] if len(times) > 1 else 1
    return times[0] - (delay - index) * step
