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
    def turn(self, tab: str | None) -> Iterator[None]:
        """Wait until it is this request's turn.

        Args:
            tab: What asks; None for a request that changes the table, which no newer one sends away.

        Raises:
            Overtaken: A newer request of the same tab came meanwhile.
        """
        number = next(self._numbers)
        if tab is not None:
            self._newest.put(tab, number)
        self.waiting += 1
        with self._working:
            if tab is not None and self._newest.get(tab) != number:
                raise Overtaken("overtaken by a newer request")
            yield
