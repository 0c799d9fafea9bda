"""All of the studio but its HTTP: the folder, the films, the network, the queue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from ..pipeline.options import Options, window_of
from ..utils.arrays import Picture
from ..video.encode import picture_format
from .display import LARGEST
from .engine import Engine
from .events import EventHub
from .film import OpenFilm
from .finished import ColorizedJournal, ColorizedPart, FinishedFrames
from .library import Library
from .render_options import job_folder
from .render_queue import RenderQueue
from .retouch import Retoucher
from .turns import Turns
from .watch import Watcher
from .worker import Worker
from .workspace import Workspace

SMALL = 640  # long side of the frame colorized last, in pixels


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
        self.queue = RenderQueue(self.library, options)
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
        """End tidily: a run keeps what it has colorized."""
        self.hub.close()
        self.watcher.close()
        for film in self.library.all():
            film.closed = True
        self.queue.close()
        self.worker.close()
        self.library.close()

    def finished(self, film: OpenFilm) -> list[ColorizedPart | ColorizedJournal]:
        """The colorized stretches of a film that are on the disk: those of newer runs first."""
        frames = self._frames(film)
        found: list[ColorizedPart | ColorizedJournal] = []
        for job in reversed(self.queue.entries()):
            if job.film != film.id:
                continue
            output = self.workspace.inside(job.options.output(film.path))
            options = job.options.run_options(self.queue.base, 1.0)
            if job.state == "done":
                found += frames.whole(output, window_of(film.info, options))
                continue
            folder = job_folder(output)
            picture = picture_format(film.info, options.encode)
            found += [*frames.parts(folder), *frames.journals(folder, picture)]
        return found

    def finished_frame(self, film: OpenFilm, pts: int, largest: int = LARGEST) -> Picture | None:
        """The colorized frame at ``pts``, upright; None where no finished stretch has it."""
        frames = self._frames(film)
        for painted in self.finished(film):
            if painted.start <= pts < painted.stop:
                if isinstance(painted, ColorizedPart):
                    return frames.from_part(painted, pts, largest)
                return frames.from_journal(painted, pts, largest)
        return None

    def newest_frame(self, job_id: str) -> Picture | None:
        """The frame that a running job has colorized last, upright and small; None if there is none."""
        job = self.queue.job(job_id)
        film = self.library.film(job.film)
        options = job.options.run_options(self.queue.base, 1.0)
        folder = job_folder(job.options.output(film.path))
        frames = self._frames(film)
        journals = frames.journals(folder, picture_format(film.info, options.encode))
        if not journals:
            return None
        newest = journals[-1]
        record = newest.journal.record(newest.count - 1)
        return None if record is None else frames.from_journal(newest, record[0], SMALL)

    def _frames(self, film: OpenFilm) -> FinishedFrames:
        with self._lock:
            if film.id not in self._finished:
                self._finished[film.id] = FinishedFrames(film)
            return self._finished[film.id]

    def _films(self) -> list[OpenFilm]:
        """The films, that on the screen first."""
        return sorted(self.library.all(), key=lambda film: film.id != self.shown)
