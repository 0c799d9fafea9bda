"""What happens in the background: films are looked at, then their coverage is measured."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread

from ..errors import C2EError
from .film import OpenFilm

log = logging.getLogger(__name__)


class Worker:
    """One thread that does the next useful thing: a film to look at, or a shot's coverage to measure.

    Args:
        films: Gives the open films, the one on the screen first.
    """

    def __init__(self, films: Callable[[], list[OpenFilm]]) -> None:
        self.films = films
        self._wake, self._stop = Event(), Event()
        self._thread = Thread(target=self._run, name="studio-worker", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def wake(self) -> None:
        """There is something new to do."""
        self._wake.set()

    def close(self) -> None:
        """Finish what is being done and do nothing more."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            if not any(self._did(film) for film in self.films()):
                self._wake.wait(5)

    def _did(self, film: OpenFilm) -> bool:
        """Do one thing for a film; False if there is nothing to do."""
        film.coverage.wake = self.wake
        if film.state == "waiting":
            film.prepare()
            return True
        if film.state != "ready":
            return False
        try:
            return film.coverage.step()
        except C2EError as error:
            film.hub.publish("note", film=film.id, line=str(error), error=True)
            self._stop.wait(1)
            return False
        except Exception:  # a bug in one shot must not end all measuring
            log.exception("coverage of %s", film.name)
            self._stop.wait(5)
            return False
