"""How well each shot is covered by its references, over its time; and which reference a shot borrows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING

from ..references.image import Reference
from ..video.frames import Frame
from .frames import FrameReader
from .table import ShotRow

if TYPE_CHECKING:
    from .film import OpenFilm

EVERY_SECONDS = 2.0  # between two samples of a shot
WEAK_SIMILARITY = 0.25
COVERED = (
    0.4  # similarity from which on a reference covers a frame; below WEAK_SIMILARITY it does not
)
CANDIDATES = 5

Curve = list[tuple[int, float]]


def level(value: float) -> str:
    """``covered``, ``fading`` or ``uncovered``, by the similarity of the nearest reference."""
    if math.isnan(value) or value >= COVERED:
        return "covered"
    return "fading" if value >= WEAK_SIMILARITY else "uncovered"


class Coverage:
    """The coverage of one film's shots, measured in the background, a shot at a time."""

    def __init__(self, film: OpenFilm) -> None:
        self.film = film
        self.focus = 0  # the shot that is measured first: the one looked at
        self._curves: dict[str, Curve] = {}
        self._borrowed: dict[str, Reference] = {}
        self._reader: FrameReader | None = None
        self._lock = Lock()
        self.wake: Callable[[], None] = _asleep  # until a worker is there

    def curve(self, index: int) -> Curve | None:
        """Samples ``(pts, similarity)`` of a shot; None while they are not measured."""
        return self._curves.get(self._key(index))

    def choice(self, index: int) -> tuple[Reference, ...]:
        """The references in use for a shot: its own, or the nearest of the film's."""
        row = self.film.table.row(index)
        if row.gray or row.references:
            return () if row.gray else row.references
        pool = self.film.table.pool()
        if not pool:
            return ()
        key = self._key(index)
        if key not in self._borrowed:
            best = self.candidates(index, 1)
            self._borrowed[key] = best[0][0] if best else pool[0]
        return (self._borrowed[key].moved(None),)

    def candidates(self, index: int, most: int = CANDIDATES) -> list[tuple[Reference, float]]:
        """The film's pictures that show most of a shot's middle frame, best first, with scores."""
        pool = self.film.table.pool()
        if not pool:
            return []
        row = self.film.table.row(index)
        frame = self.film.frame(self._middle(row))
        scores = self.film.colors.similarities(frame, pool)
        ranked = sorted(zip(pool, scores, strict=True), key=lambda pair: -_number(pair[1]))
        return ranked[:most]

    def disagreement(self, index: int) -> str:
        """A line where two keyframes of a shot disagree; empty where none do."""
        return ""

    def step(self) -> bool:
        """Measure one more shot; False if all are."""
        index = self._next()
        if index is None:
            return False
        row, key = self.film.table.row(index), self._key(index)
        references = self.choice(index)
        curve: Curve = []
        for pts in self._samples(row):
            values = (
                self.film.colors.similarities(self._sample(pts), references) if references else []
            )
            known = [value for value in values if not math.isnan(value)]
            curve.append((pts, max(known, default=math.nan if values else 0.0)))
        with self._lock:
            self._curves[key] = curve
        if self._key(index) == key:
            self.film.hub.publish("coverage", film=self.film.id, shot=index, curve=plain(curve))
        return True

    def _next(self) -> int | None:
        """The shot to measure next: the nearest to the one looked at."""
        rows = self.film.table.rows
        missing = [
            index for index, row in enumerate(rows) if not row.gray and self.curve(index) is None
        ]
        return min(missing, key=lambda index: abs(index - self.focus), default=None)

    def _samples(self, row: ShotRow) -> Sequence[int]:
        """The pts of a shot's first and last frame, and of those between, at most every two seconds."""
        analysis, info = self.film.analysis, self.film.info
        first, after = analysis.index(row.start), analysis.index(row.stop - 1) + 1
        last = max(first, after - 1)
        seconds = info.seconds(analysis.at(last) - analysis.at(first))
        steps = max(2, math.ceil(seconds / EVERY_SECONDS))
        places = {first + round((last - first) * k / steps) for k in range(steps + 1)}
        return [analysis.at(place) for place in sorted(places)]

    def _middle(self, row: ShotRow) -> int:
        analysis = self.film.analysis
        return analysis.at((analysis.index(row.start) + analysis.index(row.stop)) // 2)

    def _sample(self, pts: int) -> Frame:
        # A decoder of its own: the viewer's stays where the viewer is.
        if self._reader is None:
            times = self.film.analysis.times.tolist()
            self._reader = FrameReader(self.film.path, self.film.info, times)
        return self._reader.frame(pts)

    def _key(self, index: int) -> str:
        """What a shot's coverage depends on: its times and the references it may use."""
        table = self.film.table
        row = table.row(index)
        used = row.references or table.pool()
        return f"{row.start}-{row.stop}:" + ",".join(r.digest[:16] for r in used)


def plain(curve: Curve) -> list[list[float | str]]:
    """A curve ready for JSON: pts, similarity, level."""
    return [
        [pts, -1.0 if math.isnan(value) else round(value, 3), level(value)] for pts, value in curve
    ]


def _asleep() -> None:
    return None


def _number(value: float) -> float:
    return -1.0 if math.isnan(value) else value
