"""The table of shots as a person edits it: every edit gives a new table, so that each can be undone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ..references.image import Reference
from ..references.reference_map import ReferenceMap
from ..video.frames import Shot
from .errors import NotFound, RequestError

MOST_SATURATION = 4.0


@dataclass(frozen=True, eq=False)
class ShotRow:
    """A shot with its fields of the table.

    ``references`` are in order of their ``at``: none yet, one (whose ``at`` is None where it is no frame
    of the shot), or several that each have one. ``saturation`` is a factor of the film's, 0 to 4; None where
    nothing is said. ``extra`` are columns of the table that have no meaning here, by name.
    """

    start: int
    stop: int
    dissolve: int = 0
    references: tuple[Reference, ...] = ()
    gray: bool = False
    saturation: float | None = None
    note: str = ""
    extra: dict[str, str] = field(default_factory=dict)

    def __contains__(self, pts: int) -> bool:
        return self.start <= pts < self.stop

    @property
    def factor(self) -> float:
        """The shot's saturation as a factor of the film's."""
        return 1.0 if self.saturation is None else self.saturation

    @property
    def keyframes(self) -> tuple[Reference, ...]:
        """The references that are frames of the shot."""
        return tuple(r for r in self.references if r.at is not None)

    def with_reference(self, reference: Reference) -> ShotRow:
        """The shot with one more keyframe; a picture that is no frame of it takes the place of all."""
        if reference.at is None:
            return replace(self, references=(reference,), gray=False)
        others = [r for r in self.keyframes if r.at != reference.at]
        return replace(self, references=_by_time([*others, reference]), gray=False)

    def shot(self, index: int) -> Shot:
        """The shot as the pipeline has it."""
        return Shot.after(self.dissolve if index else 0, index, self.start, self.stop)


@dataclass(frozen=True, eq=False)
class ShotTable:
    """All shots of a film, in order and without holes."""

    rows: tuple[ShotRow, ...]

    @classmethod
    def of(cls, shots: Iterable[Shot], references: Iterable[Sequence[Reference]]) -> ShotTable:
        """The table of shots and their references."""
        return cls(
            tuple(
                ShotRow(shot.start, shot.stop, shot.dissolve, tuple(own))
                for shot, own in zip(shots, references, strict=True)
            )
        )

    def row(self, index: int) -> ShotRow:
        """A shot by its number from 0. Raises :class:`NotFound`."""
        if not 0 <= index < len(self.rows):
            raise NotFound(f"there is no shot {index + 1}; the film has {len(self.rows)}")
        return self.rows[index]

    def index_at(self, pts: int) -> int:
        """The number of the shot that shows ``pts``; the first or last one's outside the film."""
        for index, row in enumerate(self.rows):
            if pts < row.stop:
                return index
        return len(self.rows) - 1

    def pool(self) -> tuple[Reference, ...]:
        """Every different picture once, in the order of its first use."""
        found: dict[str, Reference] = {}
        for row in self.rows:
            for reference in row.references:
                found.setdefault(reference.digest, reference)
        return tuple(found.values())

    # -- edits: each gives a new table ---------------------------------------------------------

    def with_row(self, index: int, row: ShotRow) -> ShotTable:
        """The table with another row for a shot of the same times."""
        self.row(index)
        return ShotTable((*self.rows[:index], row, *self.rows[index + 1 :]))

    def split(self, pts: int) -> ShotTable:
        """The shot that shows ``pts`` ends there, and another begins."""
        index = self.index_at(pts)
        row = self.rows[index]
        if not row.start < pts < row.stop:
            raise RequestError("a shot is split inside it, not at its first frame")
        first = replace(row, stop=pts)
        second = replace(row, start=pts, dissolve=0, note="")
        pair = _shared_out((first, second), row.references)
        return ShotTable((*self.rows[:index], *pair, *self.rows[index + 1 :]))

    def merge(self, index: int) -> ShotTable:
        """A shot and the one after it become one."""
        first = self.row(index)
        if index + 1 == len(self.rows):
            raise RequestError("the last shot has none after it to merge with")
        second = self.rows[index + 1]
        keyframes = _by_time([*first.keyframes, *second.keyframes])
        longer = max((first, second), key=lambda row: row.stop - row.start)
        borrowed = longer.references or first.references or second.references
        notes = "; ".join(dict.fromkeys(filter(None, (first.note, second.note))))
        merged = replace(
            longer,
            start=first.start,
            stop=second.stop,
            dissolve=first.dissolve,
            references=keyframes or borrowed[:1],
            note=notes,
            extra=second.extra | first.extra,
        )
        return ShotTable((*self.rows[:index], merged, *self.rows[index + 2 :]))

    def move_border(self, index: int, pts: int) -> ShotTable:
        """Shot ``index`` begins at ``pts``, and the one before it ends there."""
        second = self.row(index)
        if index == 0:
            raise RequestError("the first shot begins with the film")
        first = self.rows[index - 1]
        if not first.start < pts < second.stop:
            raise RequestError("a border stays between its neighbours; merge the shots instead")
        dissolve = min(second.dissolve, second.stop - pts)
        pair = (replace(first, stop=pts), replace(second, start=pts, dissolve=dissolve))
        pair = _shared_out(pair, (*first.references, *second.references))
        return ShotTable((*self.rows[: index - 1], *pair, *self.rows[index + 1 :]))

    def set_gray(self, index: int, gray: bool) -> ShotTable:
        """A shot is left uncoloured, or is not any more."""
        return self.with_row(index, replace(self.row(index), gray=gray))

    def set_saturation(self, index: int, saturation: float | None) -> ShotTable:
        """A factor of the film's saturation for one shot, 0 to 4."""
        if saturation is not None and not 0 <= saturation <= MOST_SATURATION:
            raise RequestError(f"saturation is 0 to {MOST_SATURATION:g}, got {saturation:g}")
        return self.with_row(index, replace(self.row(index), saturation=saturation))

    def add(self, index: int, reference: Reference) -> ShotTable:
        """A shot gets a reference; see :meth:`ShotRow.with_reference`."""
        row = self.row(index)
        if reference.at is not None and reference.at not in row:
            raise RequestError("a keyframe belongs to the shot that shows its frame")
        return self.with_row(index, row.with_reference(reference))

    def remove(self, index: int, digest: str, at: int | None) -> ShotTable:
        """A shot loses one of its references."""
        row = self.row(index)
        left = tuple(r for r in row.references if (r.digest, r.at) != (digest, at))
        if len(left) == len(row.references):
            raise NotFound(f"shot {index + 1} has no such reference any more")
        return self.with_row(index, replace(row, references=left))

    # -- for colorizing --------------------------------------------------------------------------

    def map_at(self, pts: int, choices: Sequence[tuple[Reference, ...]]) -> ReferenceMap | None:
        """The map by which the frame at ``pts`` is colorized; None where it is left gray.

        Args:
            pts: The time of the frame.
            choices: The references in use of every shot: its own, or those chosen for it; none where it is
                left gray.
        """
        index = self.index_at(pts)
        row = self.rows[index]
        fades_in = index > 0 and pts < row.start + row.dissolve
        numbers = (index - 1, index) if fades_in else (index,)
        shots = [replace(self.rows[number], dissolve=0).shot(0) for number in numbers[:-1]]
        shots.append(row.shot(len(shots)))
        reference_map = ReferenceMap(
            tuple(shots),
            tuple(choices[number] for number in numbers),
            tuple(self.rows[number].factor for number in numbers),
        )
        return reference_map if reference_map.weights_at(pts) else None


def _by_time(references: Iterable[Reference]) -> tuple[Reference, ...]:
    return tuple(sorted(references, key=lambda r: r.at or 0))


def _shared_out(
    pair: tuple[ShotRow, ShotRow], references: Sequence[Reference]
) -> tuple[ShotRow, ShotRow]:
    """Two neighbours with the keyframes each shows. One left without keeps the nearest, as a picture."""
    shared = []
    for row in pair:
        own = [r for r in references if r.at is not None and r.at in row]
        if own:
            shared.append(replace(row, references=_by_time(own)))
            continue
        middle = (row.start + row.stop) / 2
        plain = [r for r in row.references if r.at is None]
        near = sorted(references, key=lambda r: abs((r.at or middle) - middle))
        left = tuple(r.moved(None) for r in (plain or near)[:1])
        shared.append(replace(row, references=left))
    return shared[0], shared[1]


class History:
    """A table with the ones before it, each of which an undo brings back.

    ``version`` counts up with every change: an edit names the one it was made for.
    """

    MOST = 200

    def __init__(self, table: ShotTable) -> None:
        self.table, self.version = table, 1
        self.known = {r.digest: r for r in table.pool()}  # every picture there ever was
        self._past: list[ShotTable] = []
        self._future: list[ShotTable] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to undo."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone edit."""
        return bool(self._future)

    def change(self, table: ShotTable) -> None:
        """Take an edited table."""
        self._past = [*self._past[1 - self.MOST :], self.table]
        self._future = []
        self._set(table)

    def undo(self) -> None:
        """Go back by one edit. Raises :class:`RequestError` if there is none."""
        if not self._past:
            raise RequestError("there is nothing to undo")
        self._future.append(self.table)
        self._set(self._past.pop())

    def redo(self) -> None:
        """Do again what was undone. Raises :class:`RequestError` if nothing was."""
        if not self._future:
            raise RequestError("there is nothing to redo")
        self._past.append(self.table)
        self._set(self._future.pop())

    def _set(self, table: ShotTable) -> None:
        self.table = table
        self.known.update({r.digest: r for r in table.pool()})
        self.version += 1
