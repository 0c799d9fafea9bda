"""Cuts for times that lack their last digits: where the pictures change most within what the digits were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from ..references.reference_table import ReferenceTable
from ..video.decode.decoder import decode
from ..video.frames import VideoInfo
from .analysis import ANALYSIS_HEIGHT
from .pyramid import halved

STANDS_OUT = 3.0  # times the median change around: a cut is far above, movement is not


def cuts_within(
    table: ReferenceTable, source: Path, info: VideoInfo, cuts: Sequence[int]
) -> tuple[list[int], list[str]]:
    """Find the cuts that a table means by times from which a spreadsheet has left out digits.

    Shot detection leaves out shots of a few frames; a table may have them.

    Args:
        table: As it was read; ``slack`` is the largest error of its times.
        source: The film.
        info: What its picture track holds.
        cuts: Where the film's shots were found to begin.

    Returns:
        ``cuts`` with those that were found here, and a line for each time within whose digits no change
        stands out.
    """
    found, remarks = list(cuts), list[str]()
    if not table.slack:
        return found, remarks
    for own in table.shots[1:]:
        written = own.shot.start
        if any(abs(cut - written) <= table.slack for cut in cuts):
            continue
        cut = _largest_change(source, info, written - table.slack, written + table.slack)
        if cut is None:
            row = own.rows[0]
            remarks.append(
                f"{table.place(row.line, 'start')}shot {row.number} begins at about "
                f"{info.timecode(written)}: the time lacks digits, and no cut is near it; "
                "write it with three digits after the point"
            )
        else:
            found.append(cut)
    return sorted(found), remarks


def _largest_change(source: Path, info: VideoInfo, start: int, stop: int) -> int | None:
    """The pts of the frame in ``[start, stop]`` that differs most from the one before, if by far."""
    changes = list(_changes(source, info, start, stop))
    if not changes:
        return None
    largest, pts = max(changes)
    usual = float(np.median([change for change, _ in changes]))
    white = (1 << info.bit_depth) - 1
    stands_out = largest > max(STANDS_OUT * usual, 0.01 * white)
    return pts if stands_out else None


def _changes(source: Path, info: VideoInfo, start: int, stop: int) -> Iterator[tuple[float, int]]:
    """The mean absolute difference of luma from the frame before, for each frame from ``start`` on."""
    before = round(1 / info.time_base)  # a second, so that the first frame has one before it
    frames = decode(source, info, start=start - before, stop=stop + 1)
    small = (
        (frame.pts, halved(frame.luma, ANALYSIS_HEIGHT).astype(np.float32)) for frame in frames
    )
    for (_, one), (pts, other) in pairwise(small):
        if pts >= start:
            yield float(np.abs(other - one).mean()), pts
