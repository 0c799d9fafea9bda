"""From parts to the finished film, with everything else the source had.

Painted packets are copied and stamped with the film's own times (``stamps.py``); all others go over
byte for byte (``tracks.py``, ``film.py``). What the container does not hold is found out by a
rehearsal before the first frame is painted (``plan.py``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..encode.part import Part, disk_errors
from .film import MuxPlan, write_film
from .plan import DROPPABLE, plan_mux

__all__ = ["DROPPABLE", "MuxPlan", "mux", "plan_mux"]


def mux(
    plan: MuxPlan, parts: Sequence[Part], partial: Path, extra_metadata: Mapping[str, str]
) -> None:
    """Join ``parts`` and everything the plan keeps of the source into the file ``partial``.

    ``extra_metadata`` is added to the film's own fields. The file is on the disk when this returns.
    Raises :class:`MediaError` if a part is damaged or the file cannot be written.
    """
    with disk_errors(partial):
        write_film(plan, parts, partial, extra_metadata)
        with open(partial, "rb") as file:
            os.fsync(file.fileno())
