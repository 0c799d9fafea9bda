"""What a worker sends to the head while it renders a segment. All can be pickled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """A worker's machine.

    Args:
        name: Its host name.
        device: "cpu", or the GPU's name.
        precision: The number format it would take by itself.
    """

    name: str
    device: str
    precision: str


@dataclass(frozen=True)
class FramesDone:
    """``count`` more frames are colorized."""

    count: int


@dataclass(frozen=True)
class FramesNeeded:
    """The worker cannot read the film: its frames are to be sent."""

    machine: str


@dataclass(frozen=True)
class PartDone:
    """A segment's part, closed.

    Args:
        path: Where it is in the job folder; None if it is in ``content``.
        content: The file; None if it is in the job folder.
        pts: Those of its frames.
        durations: Those of its frames.
        problems: What was amiss in the film.
        machine: Where it was made.
        seconds: The processor time it took.
    """

    path: Path | None
    content: bytes | None
    pts: tuple[int, ...]
    durations: tuple[int, ...]
    problems: tuple[str, ...]
    machine: Machine
    seconds: float


# A worker that takes no part. Not a class: it may have another version of this module, or none.
Refusal = tuple[str, Mapping[str, str]]  # its machine's name, its versions

Event = FramesDone | FramesNeeded | PartDone
