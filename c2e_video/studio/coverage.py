"""How well each shot is covered by its references, over its time; and which reference a shot borrows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from ..planning.coverage import FilmMatcher, ShotCoverage, measure_coverage
from ..planning.disagreements import find_disagreements
from ..planning.samples import SAMPLE_SECONDS, FrameSample
from ..references.image import Reference
from ..references.reference_map import ReferenceMap
from .frames import Cache, FrameReader
from .table import ShotRow

if TYPE_CHECKING:
    from .film import OpenFilm

CANDIDATES = 5
SAMPLES = 400  # kept, some 15 kB each


class Coverage:
    """The coverage of one film's shots, measured in the background, a shot at a time."""

    def __init__(self, film: OpenFilm) -> None:
        self.film = film
        self.focus = 0  # the shot that is measured first: the one looked at
        self.wake: Callable[[], None] = _asleep  # until a worker is there
        self._measured: dict[str, ShotCoverage] = {}
        self._disagreements: dict[str, str] = {}
        self._borrowed: dict[str, Reference] = {}
        self._samples: Cache[int, FrameSample] = Cache(SAMPLES)
        self._reader: FrameReader | None = None
        self._lock = Lock()

    def of(self, index: int) -> ShotCoverage | None:
        """The coverage of a shot; None while it is not measured."""
        return self._measured.get(self._key(index))

    def disagreement(self, index: int) -> str:
        """A line where two keyframes of a shot disagree about a colour; empty where none do."""
        return self._disagreements.get(self._key(index), "")

    def choice(self, index: int) -> tuple[Reference, ...]:
        """The references in use for a shot: its own, or the nearest of the film's; none if it is gray."""
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
        """The film's pictures by how much of a shot's middle frame's colour they give, best first.

        The confidence is NaN where the network cannot compare.
        """
        pool = self.film.table.pool()
        if not pool:
            return []
        sample = self._sample(self._middle(self.film.table.row(index)))
        with self.film.engine.lock:
            scores = [self._matcher().match(sample, picture).confidence for picture in pool]
        ranked = sorted(zip(pool, scores, strict=True), key=lambda pair: -_number(pair[1]))
        return ranked[:most]

    def step(self) -> bool:
        """Measure one more shot; False if all are."""
        index = self._next()
        if index is None:
            return False
        row, key = self.film.table.row(index), self._key(index)
        measured, line = self._measure(index, row, self.choice(index))
        with self._lock:
            self._measured[key] = measured
            self._disagreements[key] = line
        self.film.hub.publish("coverage", film=self.film.id, shot=index)
        return True

    def _measure(
        self, index: int, row: ShotRow, references: tuple[Reference, ...]
    ) -> tuple[ShotCoverage, str]:
        shot = row.shot(0)
        if not references:
            return ShotCoverage(shot), ""
        samples = [self._sample(pts) for pts in self._sample_times(row)]
        reference_map = ReferenceMap((shot,), (references,))
        with self.film.engine.lock:
            matcher = self._matcher()
            measured = measure_coverage(shot, samples, reference_map, matcher)
            disagreements = find_disagreements(row.shot(index), references, matcher)
        return measured, "; ".join(found.line(self.film.info) for found in disagreements)

    def _matcher(self) -> FilmMatcher:
        return self.film.colors.matcher

    def _next(self) -> int | None:
        """The shot to measure next: the nearest to the one looked at."""
        rows = self.film.table.rows
        missing = [i for i, row in enumerate(rows) if not row.gray and self.of(i) is None]
        return min(missing, key=lambda index: abs(index - self.focus), default=None)

    def _sample_times(self, row: ShotRow) -> Sequence[int]:
        """The pts of a shot's first and last frame, and of those between, at most every two seconds."""
        analysis, info = self.film.analysis, self.film.info
        first, last = analysis.index(row.start), self._last(row)
        seconds = info.seconds(analysis.at(last) - analysis.at(first))
        steps = max(2, math.ceil(seconds / SAMPLE_SECONDS))
        places = {first + round((last - first) * k / steps) for k in range(steps + 1)}
        return [analysis.at(place) for place in sorted(places)]

    def _middle(self, row: ShotRow) -> int:
        analysis = self.film.analysis
        return analysis.at((analysis.index(row.start) + self._last(row)) // 2)

    def _last(self, row: ShotRow) -> int:
        """The number of a shot's last frame."""
        analysis = self.film.analysis
        after = int(np.searchsorted(analysis.times, row.stop))
        return max(analysis.index(row.start), after - 1)

    def _sample(self, pts: int) -> FrameSample:
        if (kept := self._samples.get(pts)) is not None:
            return kept
        with self._lock:
            # A decoder of its own: the viewer's stays where the viewer is.
            if self._reader is None:
                times = self.film.analysis.times.tolist()
                self._reader = FrameReader(self.film.path, self.film.info, times)
        frame = self._reader.frame(pts)
        return self._samples.put(pts, FrameSample.of(frame, self.film.info))

    def _key(self, index: int) -> str:
        """What a shot's coverage depends on: its times and the references it may use."""
        table = self.film.table
        row = table.row(index)
        used = row.references or table.pool()
        return f"{row.start}-{row.stop}:" + ",".join(f"{r.digest[:16]}@{r.at}" for r in used)


def _asleep() -> None:
    return None


def _number(value: float) -> float:
    return -1.0 if math.isnan(value) else value
