"""One colorized frame at a time, and of each tab only the newest request: older ones are not colorized."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Lock

from .errors import Overtaken
from .frames import Cache


class Turns:
    """Requests of several tabs wait for the network; a newer one of the same tab sends the older away."""

    def __init__(self) -> None:
        self._numbers = count()
        self._newest: Cache[str, int] = Cache(256)
        self._working = Lock()
        self.waiting = 0  # requests so far that waited or wait

    @contextmanager
    def turn(self, tab: str) -> Iterator[None]:
        """Wait until it is this request's turn. Raises :class:`Overtaken` if a newer one came meanwhile."""
        number = self._newest.put(tab, next(self._numbers))
        self.waiting += 1
        with self._working:
            if self._newest.get(tab) != number:
                raise Overtaken("overtaken by a newer request")
            yield
