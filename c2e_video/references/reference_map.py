"""Which references colour which shot, and when."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ..video.frames import Shot, VideoInfo
from .image import Reference
from .reference_table import ReferenceTable
from .table_file import read_table, write_table
from .table_rows import MAX_SATURATION

Weights = tuple[tuple[Reference, float], ...]


@dataclass(frozen=True, eq=False)
class ReferenceMap:
    """Which references colour which shot.

    Args:
        shots: In order and without holes.
        references: Those of each shot, by time: one, or several with different ``at``, or several
            without: each place takes the one it is most alike. None where the shot is left gray.
        saturations: Factors of a*, b*, 0 to 4, of each shot; empty where all are 1.

    Raises:
        ValueError: Shots, references and saturations do not fit together.
    """

    shots: tuple[Shot, ...]
    references: tuple[tuple[Reference, ...], ...]
    saturations: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.shots or len(self.shots) != len(self.references):
            raise ValueError(f"{len(self.shots)} shots have {len(self.references)} references")
        if self.saturations and len(self.saturations) != len(self.shots):
            raise ValueError(f"{len(self.shots)} shots have {len(self.saturations)} saturations")
        if not all(0 <= factor <= MAX_SATURATION for factor in self.saturations):
            raise ValueError(f"saturation is 0 to {MAX_SATURATION}, got {self.saturations}")
        for before, after in pairwise(self.shots):
            if before.stop != after.start:
                raise ValueError(f"shot {after.index} starts at {after.start}, not {before.stop}")
        for row in self.references:
            times = [reference.at for reference in row if reference.at is not None]
            if times and len(row) > 1 and (len(times) < len(row) or times != sorted(set(times))):
                raise ValueError("several references of a shot have each their own time, in order")

    @classmethod
    def single(cls, reference: Reference, shots: Sequence[Shot]) -> ReferenceMap:
        """One reference for all shots.

        Args:
            reference: The picture.
            shots: The film's shots.

        Returns:
            The map.
        """
        return cls(tuple(shots), ((reference,),) * len(shots))

    @classmethod
    def from_table(cls, table: ReferenceTable) -> ReferenceMap:
        """The map that a table holds.

        Args:
            table: A table in which every shot has a reference.

        Returns:
            The map.

        Raises:
            BadReference: A shot has no reference.
        """
        table.check_complete()
        return cls(
            tuple(own.shot for own in table.shots),
            tuple(map(table.references, table.shots)),
            tuple(own.saturation for own in table.shots),
        )

    @classmethod
    def from_csv(cls, path: str | Path, info: VideoInfo) -> ReferenceMap:
        """Read the map from a table; :mod:`reference_table` describes its columns.

        Args:
            path: The table's file.
            info: The film.

        Returns:
            The map.

        Raises:
            BadReference: File, line, column, what is wrong, what is accepted.
        """
        return cls.from_table(read_table(Path(path), info))

    def to_table(self, path: Path) -> ReferenceTable:
        """The map as a table.

        Args:
            path: Where the table will be written; pictures are named relative to its folder.

        Returns:
            The table.
        """
        table = ReferenceTable.new(path, self.shots)
        for index, row in enumerate(self.references):
            saturation = self.saturations[index] if self.saturations else None
            table = table.with_shot(index, row, Path(), saturation)
        return table

    def to_csv(self, path: str | Path, info: VideoInfo) -> None:
        """Write the map as a table.

        Args:
            path: The table's file.
            info: The film.

        Raises:
            C2EError: The file cannot be written.
        """
        write_table(self.to_table(Path(path)), info)

    def distinct(self) -> tuple[Reference, ...]:
        """Every different picture once, in the order of its first use."""
        found: dict[str, Reference] = {}
        for row in self.references:
            for reference in row:
                found.setdefault(reference.digest, reference)
        return tuple(found.values())

    def saturation(self, index: int) -> float:
        """The factor of a*, b* of a shot.

        Args:
            index: The shot's number, from 0.

        Returns:
            A factor of 0 to 4; 0 where the shot is left gray.
        """
        if not self.references[index]:
            return 0.0
        return self.saturations[index] if self.saturations else 1.0

    def saturation_at(self, pts: int) -> float:
        """The factor of a*, b* of a frame.

        Args:
            pts: The frame's time.

        Returns:
            A factor of 0 to 4; in a dissolve it changes linearly from one shot's to the next one's.
        """
        index, share = self._place(pts)
        own = self.saturation(index)
        if share is None:
            return own
        return (1 - share) * self.saturation(index - 1) + share * own

    def weights_at(self, pts: int) -> Weights:
        """The references of a frame.

        Between two keyframes of a shot the weight moves linearly from one to the next. In a dissolve the
        outgoing shot's last references fade into the incoming's. Next to a gray shot the other's references
        have all the weight, and :meth:`saturation_at` fades their colours.

        Args:
            pts: The frame's time.

        Returns:
            References with weights that sum to 1; empty where the frame is gray.
        """
        index, share = self._place(pts)
        own = self._in_shot(index, pts)
        if share is None:
            return own
        before = self._in_shot(index - 1, self.shots[index].start)
        return _mixed(before, own, share) if before and own else before or own

    def _place(self, pts: int) -> tuple[int, float | None]:
        """The number of the shot at ``pts``, and in a dissolve its share of the picture, in (0, 1)."""
        index = max(0, bisect_left(self.shots, pts + 1, key=lambda shot: shot.start) - 1)
        shot = self.shots[index]
        if not index or not shot.start <= pts < shot.start + shot.dissolve:
            return index, None
        # The first frame of a dissolve shows a little of the new shot, the last nearly all of it.
        return index, (pts - shot.start + 0.5) / shot.dissolve

    def _in_shot(self, index: int, pts: int) -> Weights:
        row = self.references[index]
        times = [reference.at for reference in row if reference.at is not None]
        if len(times) < 2:
            return tuple((reference, 1 / len(row)) for reference in row)
        later = bisect_left(times, pts)
        if later in (0, len(times)):
            return ((row[min(later, len(times) - 1)], 1.0),)
        share = (pts - times[later - 1]) / (times[later] - times[later - 1])
        return _mixed(((row[later - 1], 1.0),), ((row[later], 1.0),), share)

    def snapped(self, pts: Sequence[int]) -> ReferenceMap:
        """The same map with its borders on frames.

        A border written in milliseconds may lie half a millisecond beside its frame; the nearest frame is
        taken. The first shot begins with the film and the last ends with it. Shots in which no frame is left
        are dropped.

        Args:
            pts: The times of the film's frames, in order.

        Returns:
            The map.
        """
        kept = list(_snapped(self.shots, pts))
        return ReferenceMap(
            tuple(shot for _, shot in kept),
            tuple(_on_frames(self.references[index], pts) for index, _ in kept),
            tuple(self.saturations[index] for index, _ in kept if self.saturations),
        )


def snap_shots(shots: Sequence[Shot], pts: Sequence[int]) -> tuple[Shot, ...]:
    """The same shots with their borders on frames, as :meth:`ReferenceMap.snapped` has them."""
    return tuple(shot for _, shot in _snapped(shots, pts))


def _snapped(shots: Sequence[Shot], pts: Sequence[int]) -> Iterator[tuple[int, Shot]]:
    """Each shot that has frames, with its place among ``shots``."""
    after = 2 * pts[-1] - pts[-2] if len(pts) > 1 else pts[-1] + 1  # where one more frame would be
    end = max(pts[-1] + 1, min(after, shots[-1].stop))

    def border(wanted: int) -> int:
        return end if 2 * wanted > pts[-1] + after else _nearest(pts, wanted)

    starts = (pts[0], *(border(shot.start) for shot in shots[1:]))
    count = 0
    for index, (start, stop) in enumerate(pairwise((*starts, end))):
        if stop > start:
            dissolve = min(shots[index].dissolve, stop - start) if count else 0
            yield index, Shot.after(dissolve, count, start, stop)
            count += 1


def _on_frames(row: tuple[Reference, ...], pts: Sequence[int]) -> tuple[Reference, ...]:
    """Keyframes at the frames they are, unless that is outside ``pts`` or one frame for two."""
    moved = tuple(
        r if r.at is None or not pts[0] <= r.at <= pts[-1] else r.moved(_nearest(pts, r.at))
        for r in row
    )
    return moved if len({r.at for r in moved}) == len(row) else row


def _nearest(pts: Sequence[int], wanted: int) -> int:
    after = bisect_left(pts, wanted)
    near = pts[max(0, after - 1) : after + 1]
    return min(near, key=lambda t: abs(t - wanted))


def _mixed(first: Weights, second: Weights, share: float) -> Weights:
    """Both weighted, the second with ``share``; equal pictures are counted together."""
    total: dict[str, tuple[Reference, float]] = {}
    for weights, part in ((first, 1 - share), (second, share)):
        for reference, weight in weights:
            _, before = total.get(reference.digest, (reference, 0.0))
            total[reference.digest] = (reference, before + weight * part)
    return tuple((reference, weight) for reference, weight in total.values() if weight > 0)
