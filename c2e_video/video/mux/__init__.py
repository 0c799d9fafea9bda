"""Muxing: parts are joined to the finished film, with everything else that the source had.

Packets of the parts get the film's times (``concat.py``, ``frame_times.py``). Packets of the source are
copied byte for byte (``source_packets.py``, ``tracks.py``). What the container does not hold is found by
writing a short piece into memory before the first frame is colorized (``planner.py``, ``rehearsal.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import av

from ...errors import MediaError
from ...utils.choices import DROPPABLE
from ...utils.files import disk_errors, sync
from ..encode.part import Part
from .frame_numbers import check_times
from .plan import MuxPlan
from .planner import plan_mux
from .sequence import write_sequence
from .writer import write_film

__all__ = ["DROPPABLE", "MuxPlan", "check_times", "mux", "plan_mux"]


def mux(
    plan: MuxPlan, parts: Sequence[Part], partial: Path, extra_metadata: Mapping[str, str]
) -> list[str]:
    """Join the parts and everything that the plan keeps of the source.

    Args:
        plan: What goes into the output.
        parts: The colorized picture, in order.
        partial: The file to write, which is on the disk when this returns; of numbered pictures, a
            folder (``sequence.py``).
        extra_metadata: Fields added to the film's own.

    Returns:
        A line for each damage met in the source.

    Raises:
        MediaError: A part is damaged, the source cannot be read, or the file cannot be written.
    """
    try:
        with disk_errors(partial):
            if plan.container.is_sequence:
                return write_sequence(plan, parts, partial, plan.pattern)
            notes = write_film(plan, parts, partial, extra_metadata).notes
            sync(partial)
    except av.FFmpegError as error:
        raise MediaError(
            f"{plan.container.name} does not take a track of {plan.source.name} ({error.strerror}); "
            'drop it, as with drop={"audio"}, or write to another container'
        ) from error
    return notes
