"""From parts to the finished film, with everything else the source had.

Painted packets are copied and stamped with the film's own times (``stamps.py``); all others go over
byte for byte (``tracks.py``, ``film.py``), in times that only go on (``timestamp_repair.py``). What the
container does not hold is found out by a rehearsal before the first frame is painted (``plan.py``).
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
    """Join ``parts`` and everything the plan keeps of the source into the file ``partial``.

    Numbered pictures are written into a folder of that name (``sequence.py``).
    ``extra_metadata`` is added to the film's own fields. The file is on the disk when this returns.
    Returns a line for everything of the source that was not as it should be. Raises
    :class:`MediaError` if a part is damaged, the source cannot be read or the file not be written.
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
