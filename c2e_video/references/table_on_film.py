"""A table's times brought to the frames of the film, and what is missing of the film in the table."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NoReturn

from ..errors import BadReference
from ..video.frames import Shot, VideoInfo
from .reference_table import ReferenceTable, TableShot
from .table_rows import TableRow

MAX_LISTED = 5  # times that are named one by one


@dataclass(frozen=True, eq=False)
class _Film:
    """The pts of a film's frames, and where its shots were found to begin."""

    info: VideoInfo
    pts: Sequence[int]
    cuts: Sequence[int]

    @property
    def after(self) -> int:
        """Where one more frame would be."""
        last = self.pts[-1]
        return 2 * last - self.pts[-2] if len(self.pts) > 1 else last + 1

    def half_frame(self, pts: int) -> float:
        """Half the distance between two frames, there."""
        index = min(max(1, bisect_left(self.pts, pts)), len(self.pts) - 1)
        return (self.pts[index] - self.pts[index - 1]) / 2 if index else 0.5

    def nearest(self, pts: int) -> int:
        """The frame nearest to a time."""
        return _nearest(self.pts, pts)

    def border(self, pts: int, slack: int) -> int:
        """Where a shot begins: at a cut within ``slack``, else at the nearest frame, or after the last."""
        cut = _nearest(self.cuts, pts) if slack and self.cuts else None
        if cut is not None and abs(cut - pts) <= slack:
            return cut
        return self.after if 2 * pts > self.pts[-1] + self.after else self.nearest(pts)


def _nearest(times: Sequence[int], wanted: int) -> int:
    after = bisect_left(times, wanted)
    return min(times[max(0, after - 1) : after + 1], key=lambda t: abs(t - wanted))


def fit_to_film(
    table: ReferenceTable, info: VideoInfo, pts: Sequence[int], cuts: Sequence[int] = ()
) -> tuple[ReferenceTable, list[str]]:
    """The table with all its times on frames.

    Args:
        table: As it was read.
        info: The film.
        pts: Those of its frames, or of the part of it that is planned, in order.
        cuts: Where its shots were found to begin. A time from which a spreadsheet has left out digits
            goes to the cut within these digits; any other goes to the nearest frame.

    Returns:
        The table, its first shot beginning with the film and its last ending with it, without shots
        that have no frame left; and a line for each time that moved by more than half a frame.

    Raises:
        BadReference: The table begins after the film, or ends before it: a row is missing.
    """
    film = _Film(info, pts, sorted(cuts))
    _check_ends(table, film)
    last = table.shots[-1].shot
    end = max(pts[-1] + 1, min(film.after, last.stop))
    starts = [pts[0], *(film.border(own.shot.start, table.slack) for own in table.shots[1:])]
    kept: list[TableShot] = []
    remarks = list(table.notes)
    moved = list(_moved(table, starts, film))
    remarks += moved[:MAX_LISTED]
    if len(moved) > MAX_LISTED:
        remarks.append(
            f"{table.path}: and {len(moved) - MAX_LISTED} more times moved by more than half a frame"
        )
    for own, (start, stop) in zip(table.shots, pairwise((*starts, end)), strict=True):
        if stop > start:
            dissolve = min(own.shot.dissolve, stop - start) if kept else 0
            shot = Shot.after(dissolve, len(kept), start, min(stop, end))
            kept.append(TableShot(shot, _on_frames(own.rows, film)))
        elif own.shot.start <= pts[-1] and own.shot.stop > pts[0]:
            row = own.rows[0]
            remarks.append(
                f"{table.place(row.line, 'start')}shot {row.number} has no frame of its own"
            )
    return replace(table, shots=tuple(kept), slack=0, notes=()), remarks


def _on_frames(rows: tuple[TableRow, ...], film: _Film) -> tuple[TableRow, ...]:
    """Keyframes at the frames they are, unless that is outside the film or one frame for two."""
    first, last = film.pts[0], film.pts[-1]
    moved = tuple(
        row
        if row.at is None or not first <= row.at <= last
        else replace(row, at=film.nearest(row.at))
        for row in rows
    )
    return moved if len({row.at for row in moved}) == len(rows) else rows


def _moved(table: ReferenceTable, starts: Sequence[int], film: _Film) -> Iterator[str]:
    """A line for each border within the film that moved by more than half a frame."""
    for own, start in list(zip(table.shots, starts, strict=True))[1:]:
        written = own.shot.start
        if not film.pts[0] <= written <= film.pts[-1]:
            continue
        if abs(start - written) > film.half_frame(start):
            timecode = film.info.timecode
            why = "where a cut was found" if start in film.cuts else "on the nearest frame"
            row = own.rows[0]
            yield (
                f"{table.place(row.line, 'start')}shot {row.number} begins at {timecode(start)}, {why}, "
                f"not at {timecode(written)}"
            )


def _check_ends(table: ReferenceTable, film: _Film) -> None:
    first, last = table.shots[0], table.shots[-1]
    slack = table.slack + 2 * film.half_frame(film.pts[0])
    timecode = film.info.timecode
    if first.shot.start - film.pts[0] > slack:
        _missing(
            *(table, first.rows[0], "start"),
            f"the first shot begins at {timecode(first.shot.start)}, and the film at "
            f"{timecode(film.pts[0])}; a row before it is missing",
        )
    slack = table.slack + film.half_frame(film.pts[-1])
    if film.pts[-1] - last.shot.stop > slack:
        _missing(
            *(table, last.rows[0], "end"),
            f"the last shot ends at {timecode(last.shot.stop)}, and the film at "
            f"{timecode(film.after)}; a row after it is missing",
        )


def _missing(table: ReferenceTable, row: TableRow, column: str, what: str) -> NoReturn:
    raise BadReference(f"{table.place(row.line, column)}{what}, or a start and an end of the run")
