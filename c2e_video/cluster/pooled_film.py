"""A film while workers make its parts, and the tasks they have of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ..pipeline.film_parts import FilmParts
from ..pipeline.planned_film import PlannedFilm
from ..pipeline.segments import Segment
from .events import Machine


@dataclass(eq=False)
class PooledFilm:
    """A film in the pool.

    Args:
        film: The film.
        parts: What is done of it.
        key: The key of its order.
        order: The order, in Ray's object store.
        weights: The weights file, in Ray's object store.
        left: Segments whose part is not there yet.
        error: Why the film failed; None as long as it did not.
        sends_frames: Whether some worker cannot read the film.
        attempts: How often each segment was begun.
        segments_on: How many segments each machine made.
        seconds: The processor time of each segment.
    """

    film: PlannedFilm
    parts: FilmParts
    key: str
    order: Any
    weights: Any
    left: int
    error: BaseException | None = None
    sends_frames: bool = False
    attempts: Counter[Segment] = field(default_factory=Counter)
    segments_on: Counter[Machine] = field(default_factory=Counter)
    seconds: dict[Segment, float] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    @property
    def is_done(self) -> bool:
        """Whether nothing more of the film is to be done in the pool."""
        return not self.left or self.error is not None

    def tell_once(self, line: str) -> None:
        """Report a line, unless it was reported before."""
        if line not in self._told:
            self._told.add(line)
            self.parts.progress.note(line)

    def machines(self) -> list[dict[str, Any]]:
        """Who made the film, for its manifest."""
        return [
            {
                "name": machine.name,
                "device": machine.device,
                "precision by itself": machine.precision,
                "segments": number,
            }
            for machine, number in self.segments_on.items()
        ]


@dataclass(eq=False)
class Task:
    """A segment that a worker has, or will have as soon as one is free."""

    film: PooledFilm
    segment: Segment
    counted: int = 0
