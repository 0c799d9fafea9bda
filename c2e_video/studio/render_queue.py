"""Films that are colorized one after another: the queue, and what runs of it now.

A run is the same :func:`colorize_video` that the command line calls, with the same job folder: what the
studio begins, the command line can finish, and the reverse.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from threading import Event, Lock, RLock, Thread
from typing import Any

from ..errors import C2EError, JobMismatch
from ..pipeline.colorize import colorize_video
from ..pipeline.options import Options, window_of
from .errors import NotFound, RequestError
from .film import OpenFilm
from .library import Library
from .render_job import RenderJob, RunProgress, State, Stopped
from .render_options import RenderOptions, job_folder, losses

log = logging.getLogger(__name__)

STATE = "queue.json"
PICTURE_FRAMES = 12  # between two pictures of the frame that was colorized last


class RenderQueue:
    """The queue, kept over restarts of the server, and the thread that works it off."""

    def __init__(self, library: Library, base: Options) -> None:
        self.library, self.base = library, base
        self.hub, self.workspace = library.hub, library.workspace
        self._lock, self._wake, self._closing = RLock(), Event(), False
        self._saving = Lock()
        self._stop = Event()
        self._jobs: list[RenderJob] = self._load()
        self._thread = Thread(target=self._run, name="studio-painting", daemon=True)

    # -- what a person does --------------------------------------------------------------------

    def jobs(self) -> list[dict[str, Any]]:
        """The entries in order, ready for JSON."""
        with self._lock:
            return [job.plain() for job in self._jobs]

    def entries(self) -> list[RenderJob]:
        """The entries in order."""
        with self._lock:
            return list(self._jobs)

    def job(self, job_id: str) -> RenderJob:
        """An entry. Raises :class:`NotFound`."""
        with self._lock:
            for job in self._jobs:
                if job.id == job_id:
                    return job
        raise NotFound("this entry is not in the queue any more")

    def add(self, film: OpenFilm, options: RenderOptions) -> RenderJob:
        """Put a film at the queue's end. Raises :class:`C2EError` if it could not be colorized so."""
        losses(film, options)
        options.run_options(self.base, film.saturation)
        output = options.output(film.path)
        with self._lock:
            for job in self._jobs:
                if job.film == film.id and job.options.output(film.path) == output:
                    if job.state in ("waiting", "painting", "stopping"):
                        raise RequestError(f"{output.name} is in the queue already")
                    self._jobs.remove(job)
                    break
            job = RenderJob(secrets.token_hex(4), film.id, film.name, options)
            self._jobs.append(job)
        self._changed()
        return job

    def start(self, job_id: str, restart: bool = False) -> None:
        """Continue a stopped or failed entry; with ``restart``, from its beginning."""
        job = self.job(job_id)
        with self._lock:  # the thread takes a waiting entry, so nothing may follow that state
            if job.state not in ("stopped", "failed", "done"):
                return
            job.state, job.error, job.restart = "waiting", "", restart
        self._changed()

    def stop(self, job_id: str) -> None:
        """Stop an entry. What is colorized is kept, and :meth:`start` goes on from there."""
        job = self.job(job_id)
        with self._lock:  # the thread takes waiting entries and ends runs under the same lock
            if job.state == "painting":
                job.state = "stopping"
                self._stop.set()
            elif job.state == "waiting":
                job.state = "stopped"
        self._changed()

    def move(self, job_id: str, place: int) -> None:
        """Put an entry at a place of the queue, from 0."""
        with self._lock:
            job = self.job(job_id)
            self._jobs.remove(job)
            self._jobs.insert(min(max(0, place), len(self._jobs)), job)
        self._changed()

    def remove(self, job_id: str) -> None:
        """Take an entry out of the queue. What is on the disk stays."""
        with self._lock:
            job = self.job(job_id)
            if job.state in ("painting", "stopping"):
                raise RequestError("stop it first; then it can be removed")
            self._jobs.remove(job)
        self._changed()

    # -- the thread ----------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin to work the queue off."""
        self._thread.start()

    def close(self) -> None:
        """Stop what runs, tidily, and do nothing more."""
        self._closing = True
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(60)

    def _run(self) -> None:
        while not self._closing:
            self._wake.clear()
            with self._lock:
                job = next((job for job in self._jobs if job.state == "waiting"), None)
                if job is not None:
                    self._stop.clear()
                    job.state = "painting"
            if job is None or self._closing:
                self._wake.wait(5)
                continue
            self._tell_changed()
            self._render(job)
            self._tell_changed()

    def _render(self, job: RenderJob) -> None:
        progress = RunProgress(job, self._stop, self._tell)
        job.notes, job.error, job.kept, job.on_disk, job.picture = [], "", "", "", ""
        restart, job.restart = job.restart, False
        state: State = "failed"
        try:
            film = self._ready(job)
            output = job.options.output(film.path)
            for path in (output, job_folder(output)):
                self.workspace.inside(path)
            result = colorize_video(
                film.path,
                output,
                references=film.reference_map(),
                options=job.options.run_options(self.base, film.saturation),
                overwrite=True,
                restart=restart,
                progress=progress,
            )
            job.kept = job.on_disk = job.picture = ""
            job.notes = list(result.notes)
            state = "done"
        except Stopped as error:
            job.kept = _kept(error)
            state = "stopped"
        except JobMismatch:
            job.error = (
                "shots, references or options were changed since this run was stopped; begin it anew "
                "to paint the film as it is now"
            )
        except C2EError as error:
            job.error, job.kept = str(error), _kept(error)
        except Exception as error:  # a bug ends this film's run, not the queue
            log.exception("painting %s", job.name)
            job.error = f"an error of the program: {error!r}"
        # Last, after all else: the page then reads the rest and may restart. A stop that is asked for at this
        # moment must not put "stopping" over it.
        with self._lock:
            job.state = state

    def _ready(self, job: RenderJob) -> OpenFilm:
        """The film, once it was looked at."""
        film = self.library.film(job.film)
        while film.state in ("waiting", "looking"):
            if self._stop.wait(0.1):
                raise Stopped("stopped")
        return film

    def _tell(self, job: RenderJob) -> None:
        if job.stage == "colorizing":
            self._describe(job)
        self.hub.publish("job", job=job.plain())

    def _describe(self, job: RenderJob) -> None:
        """What of a running job is on the disk."""
        film = self.library.film(job.film)
        output = job.options.output(film.path)
        parts = list(job_folder(output).glob("part-?????.*"))
        size = sum(part.stat().st_size for part in parts if part.exists())
        count = sum(part.suffix == ".json" for part in parts)
        job.on_disk = f"{count} finished part{'s' * (count != 1)}, {size / 1e6:.1f} MB on the disk"
        options = job.options.run_options(self.base, 1.0)
        first = window_of(film.info, options)[0]
        index = 0 if first is None else film.analysis.index(first)
        if job.done and (not job.picture or job.done - int(job.picture) > PICTURE_FRAMES):
            job.picture = str(job.done)
        job.kept = f"kept up to {film.info.timecode(film.analysis.at(index + job.done))}"

    def _tell_changed(self) -> None:
        """As :meth:`_changed`; a queue that cannot be saved on the disk ends no run."""
        try:
            self._changed()
        except C2EError as error:
            self.hub.publish("queue")
            self.hub.publish("note", line=str(error), error=True)

    def _changed(self) -> None:
        with self._saving:  # so that the newest state is saved last
            with self._lock:
                kept = [
                    {"id": j.id, "film": j.film, "name": j.name, "options": asdict(j.options)}
                    | {"state": j.state, "error": j.error, "kept": j.kept, "notes": j.notes}
                    for j in self._jobs
                ]
            self.workspace.save(STATE, kept)
        self.hub.publish("queue")
        self._wake.set()

    def _load(self) -> list[RenderJob]:
        """The entries as they were. What ran when the server ended is stopped, and can be gone on with."""
        jobs = []
        kept = self.workspace.load(STATE)
        for entry in kept if isinstance(kept, list) else []:
            try:
                options = RenderOptions.of(entry.pop("options"))
                job = RenderJob(options=options, **entry)
            except (AttributeError, KeyError, TypeError, C2EError):
                continue
            if job.state in ("painting", "stopping"):
                job.state = "stopped"
            jobs.append(job)
        return jobs


def _kept(error: BaseException) -> str:
    """What the pipeline noted about where the next run goes on."""
    notes: Sequence[str] = getattr(error, "__notes__", ())
    return notes[-1] if notes else ""
