"""All of the studio but its HTTP: the folder, the films, the network, the queue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from ..pipeline.options import Options
from .display import Picture
from .engine import Engine
from .events import EventHub
from .film import OpenFilm
from .finished import FinishedFrames, PaintedPart
from .library import Library
from .painting import PaintQueue
from .retouch import Retoucher
from .turns import Turns
from .watch import Watcher
from .worker import Worker
from .workspace import Workspace


class Studio:
    """What a running studio consists of. Use :meth:`start` and :meth:`close`.

    Args:
        folder: The folder that is read and written.
        options: Weights, device, precision and size of the network.
    """

    def __init__(self, folder: Path, options: Options | None = None) -> None:
        options = options or Options()
        self.workspace = Workspace(folder)
        self.hub = EventHub()
        self.engine = Engine(options)
        self.library = Library(self.workspace, self.engine, self.hub)
        self.queue = PaintQueue(self.library, options)
        self.retoucher = Retoucher()
        self.turns = Turns()
        self.shown = ""  # id of the film on the screen
        self._finished: dict[str, FinishedFrames] = {}
        self._lock = Lock()
        self.worker = Worker(self._films)
        self.watcher = Watcher(self.library.all)

    def open(self, films: Sequence[Path]) -> None:
        """Put films on the list. Raises :class:`C2EError` for one that cannot be read."""
        for film in films:
            self.library.open(film.resolve())

    def start(self) -> None:
        """Start the threads."""
        self.worker.start()
        self.watcher.start()
        self.queue.begin()

    def close(self) -> None:
        """End tidily: a run keeps what it has painted."""
        self.hub.close()
        self.watcher.close()
        for film in self.library.all():
            film.closed = True
        self.queue.close()
        self.worker.close()
        self.library.close()

    def finished(self, film: OpenFilm) -> list[PaintedPart]:
        """The painted stretches of a film that are on the disk, in order."""
        return [part for output in self._outputs(film) for part in self._frames(film).parts(output)]

    def finished_frame(self, film: OpenFilm, pts: int) -> Picture | None:
        """The painted frame at ``pts``; None where no finished stretch has it."""
        for part in self.finished(film):
            if part.start <= pts < part.stop:
                return self._frames(film).frame(part, pts)
        return None

    def _outputs(self, film: OpenFilm) -> list[Path]:
        jobs = (job for job in self.queue.entries() if job.film == film.id)
        return [self.workspace.inside(job.options.output(film.path)) for job in jobs]

    def _frames(self, film: OpenFilm) -> FinishedFrames:
        with self._lock:
            if film.id not in self._finished:
                self._finished[film.id] = FinishedFrames(film.info)
            return self._finished[film.id]

    def _films(self) -> list[OpenFilm]:
        """The films, that on the screen first."""
        return sorted(self.library.all(), key=lambda film: film.id != self.shown)
