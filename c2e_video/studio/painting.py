"""Films that are painted one after another: the queue, and what runs of it now.

A run is the same :func:`colorize_video` that the command line calls, with the same job folder: what the
studio begins, the command line can finish, and the reverse.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Event, RLock, Thread
from typing import Any, Literal, get_args

from ..errors import C2EError, JobMismatch
from ..pipeline.colorize import colorize_video
from ..pipeline.options import Options, window_of
from ..utils.choices import ProfileName, Quality
from ..utils.timecode import parse_timecode
from ..video.decode import base_path
from ..video.encode import settings_for
from ..video.mux import plan_mux
from .errors import NotFound, RequestError
from .film import OpenFilm
from .library import Library

log = logging.getLogger(__name__)

STATE = "queue.json"
TELL_SECONDS = 0.5  # between two messages about a run
PICTURE_FRAMES = 12  # between two pictures of the frame that was painted last
RATE_SECONDS = 20.0  # over which frames a second are counted

State = Literal["waiting", "painting", "stopping", "stopped", "done", "failed"]


@dataclass(frozen=True)
class PaintOptions:
    """What a person chose for a run. Times are as written, ``HH:MM:SS.mmm``; empty is the whole film."""

    profile: str = "web"
    quality: str = "standard"
    start: str = ""
    end: str = ""

    def __post_init__(self) -> None:
        if self.profile not in get_args(ProfileName):
            raise RequestError(
                f"a profile is one of {', '.join(get_args(ProfileName))}; got {self.profile!r}"
            )
        if self.quality not in get_args(Quality):
            raise RequestError(
                f"quality is one of {', '.join(get_args(Quality))}; got {self.quality!r}"
            )

    @classmethod
    def of(cls, sent: Any) -> PaintOptions:
        """The options that a page sent. Raises :class:`C2EError` for what is none."""
        if not isinstance(sent, dict) or not all(isinstance(v, str) for v in sent.values()):
            raise RequestError("options are texts: profile, quality, start, end")
        known = cls.__dataclass_fields__
        if unknown := sorted(set(sent) - set(known)):
            raise RequestError(f"unknown option {unknown[0]!r}; accepted: {', '.join(known)}")
        return cls(**sent)

    def run_options(self, base: Options, saturation: float) -> Options:
        """The options of the run. Raises :class:`C2EError` for times that are none."""
        return replace(
            base.at_quality(self._quality),
            encode=settings_for(self._profile),
            saturation=saturation,
            start=parse_timecode(self.start) if self.start else None,
            end=parse_timecode(self.end) if self.end else None,
        )

    @property
    def _quality(self) -> Quality:
        return next(name for name in get_args(Quality) if name == self.quality)

    @property
    def _profile(self) -> ProfileName:
        return next(name for name in get_args(ProfileName) if name == self.profile)

    def output(self, film: Path) -> Path:
        """Where the painted film is written: beside the film, named after it and the stretch."""
        suffix = {"web": ".mp4", "master": ".mov", "archive": ".mkv"}[self.profile]
        stretch = "".join(
            f".{name}-{time.replace(':', '-')}"
            for name, time in (("from", self.start), ("to", self.end))
            if time
        )
        base = base_path(film)
        return base.with_name(f"{base.name}.color{stretch}{suffix}")


@dataclass
class PaintJob:
    """An entry of the queue. ``done`` and ``total`` count frames; ``kept`` says what is safe on the disk."""

    id: str
    film: str
    name: str
    options: PaintOptions
    state: State = "waiting"
    error: str = ""
    kept: str = ""
    notes: list[str] = field(default_factory=list)
    stage: str = ""
    done: int = 0
    total: int | None = None
    rate: float | None = None  # frames a second
    on_disk: str = ""
    picture: str = ""  # changes with the frame that was painted last
    restart: bool = False

    def plain(self) -> dict[str, Any]:
        """The entry, ready for JSON."""
        left = None
        if self.rate and self.total is not None and self.state == "painting":
            left = (self.total - self.done) / self.rate
        return asdict(self) | {"left": left}


class Stopped(C2EError):
    """A person stopped the run."""


class RunProgress:
    """Tells the page how a run goes on, and ends it where a person asked for that."""

    def __init__(self, job: PaintJob, stop: Event, tell: Callable[[PaintJob], None]) -> None:
        self.job, self._stop, self._tell = job, stop, tell
        self._told = 0.0
        self._counted: deque[tuple[float, int]] = deque()

    def stage(self, name: str, total: int | None, unit: str = "frame") -> None:
        """A stage begins."""
        self._check()
        self.job.stage, self.job.done, self.job.total = name, 0, total
        self.job.rate = None
        self._counted.clear()
        self._tell(self.job)

    def advance(self, frames: int) -> None:
        """So many frames more are done."""
        self.job.done += frames
        now = time.monotonic()
        # The first call may count what an earlier run had done: the rate begins after it.
        self._counted.append((now, self.job.done))
        while self._counted[-1][0] - self._counted[0][0] > RATE_SECONDS:
            self._counted.popleft()
        (begun, before), (ended, after) = self._counted[0], self._counted[-1]
        if ended > begun:
            self.job.rate = (after - before) / (ended - begun)
        if now - self._told > TELL_SECONDS:
            self._told = now
            self._tell(self.job)
        self._check()

    def note(self, line: str) -> None:
        """Something the user ought to know."""
        if line not in self.job.notes:
            self.job.notes.append(line)
            self._tell(self.job)

    def _check(self) -> None:
        if self._stop.is_set():
            raise Stopped("stopped")


class PaintQueue:
    """The queue, kept over restarts of the server, and the thread that works it off."""

    def __init__(self, library: Library, base: Options) -> None:
        self.library, self.base = library, base
        self.hub, self.workspace = library.hub, library.workspace
        self._lock, self._wake, self._closing = RLock(), Event(), False
        self._stop = Event()
        self._jobs: list[PaintJob] = self._load()
        self._thread = Thread(target=self._run, name="studio-painting", daemon=True)

    # -- what a person does --------------------------------------------------------------------

    def jobs(self) -> list[dict[str, Any]]:
        """The entries in order, ready for JSON."""
        with self._lock:
            return [job.plain() for job in self._jobs]

    def entries(self) -> list[PaintJob]:
        """The entries in order."""
        with self._lock:
            return list(self._jobs)

    def job(self, job_id: str) -> PaintJob:
        """An entry. Raises :class:`NotFound`."""
        with self._lock:
            for job in self._jobs:
                if job.id == job_id:
                    return job
        raise NotFound("this entry is not in the queue any more")

    def add(self, film: OpenFilm, options: PaintOptions) -> PaintJob:
        """Put a film at the queue's end. Raises :class:`C2EError` if it could not be painted so."""
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
            job = PaintJob(secrets.token_hex(4), film.id, film.name, options)
            self._jobs.append(job)
        self._changed()
        return job

    def start(self, job_id: str, restart: bool = False) -> None:
        """Have a stopped or failed entry painted on; with ``restart``, from its beginning."""
        job = self.job(job_id)
        if job.state in ("stopped", "failed", "done"):
            job.state, job.error, job.restart = "waiting", "", restart
            self._changed()

    def stop(self, job_id: str) -> None:
        """Stop an entry. What is painted is kept, and :meth:`start` goes on from there."""
        job = self.job(job_id)
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
            self._changed()
            self._paint(job)
            self._changed()

    def _paint(self, job: PaintJob) -> None:
        progress = RunProgress(job, self._stop, self._tell)
        job.notes, job.error, job.kept, job.on_disk, job.picture = [], "", "", "", ""
        try:
            film = self._ready(job)
            output = job.options.output(film.path)
            self.workspace.inside(output)
            result = colorize_video(
                film.path,
                output,
                references=film.reference_map(),
                options=job.options.run_options(self.base, film.saturation),
                overwrite=True,
                restart=job.restart,
                progress=progress,
            )
            job.notes, job.state = list(result.notes), "done"
            job.kept = job.on_disk = job.picture = ""
        except Stopped as error:
            job.state, job.kept = "stopped", _kept(error)
        except JobMismatch:
            job.state, job.error = (
                "failed",
                (
                    "shots, references or options were changed since this run was stopped; begin it anew "
                    "to paint the film as it is now"
                ),
            )
        except C2EError as error:
            job.state, job.error, job.kept = "failed", str(error), _kept(error)
        except Exception as error:  # a bug ends this film's run, not the queue
            log.exception("painting %s", job.name)
            job.state, job.error = "failed", f"an error of the program: {error!r}"
        finally:
            job.restart = False

    def _ready(self, job: PaintJob) -> OpenFilm:
        """The film, once it was looked at."""
        film = self.library.film(job.film)
        while film.state in ("waiting", "looking"):
            if self._stop.wait(0.1):
                raise Stopped("stopped")
        return film

    def _tell(self, job: PaintJob) -> None:
        if job.stage == "colorizing":
            self._describe(job)
        self.hub.publish("job", job=job.plain())

    def _describe(self, job: PaintJob) -> None:
        """What of a running job is on the disk."""
        film = self.library.film(job.film)
        output = job.options.output(film.path)
        parts = list(output.with_name(f"{output.name}.c2e").glob("part-?????.*"))
        size = sum(part.stat().st_size for part in parts if part.exists())
        count = sum(part.suffix == ".json" for part in parts)
        job.on_disk = f"{count} finished part{'s' * (count != 1)}, {size / 1e6:.1f} MB on the disk"
        options = job.options.run_options(self.base, 1.0)
        first = window_of(film.info, options)[0]
        index = 0 if first is None else film.analysis.index(first)
        if job.done and (not job.picture or job.done - int(job.picture) > PICTURE_FRAMES):
            job.picture = str(job.done)
        job.kept = f"kept up to {film.info.timecode(film.analysis.at(index + job.done))}"

    def _changed(self) -> None:
        with self._lock:
            kept = [
                {"id": j.id, "film": j.film, "name": j.name, "options": asdict(j.options)}
                | {"state": j.state, "error": j.error, "kept": j.kept, "notes": j.notes}
                for j in self._jobs
            ]
        self.workspace.save(STATE, kept)
        self.hub.publish("queue")
        self._wake.set()

    def _load(self) -> list[PaintJob]:
        """The entries as they were. What ran when the server ended is stopped, and can be gone on with."""
        jobs = []
        kept = self.workspace.load(STATE)
        for entry in kept if isinstance(kept, list) else []:
            try:
                options = PaintOptions.of(entry.pop("options"))
                job = PaintJob(options=options, **entry)
            except (AttributeError, KeyError, TypeError, C2EError):
                continue
            if job.state in ("painting", "stopping"):
                job.state = "stopped"
            jobs.append(job)
        return jobs


def losses(film: OpenFilm, options: PaintOptions) -> list[str]:
    """A line for everything of the film that the chosen profile would change or lose.

    Raises :class:`MediaError` where the profile cannot hold the film at all.
    """
    encode = settings_for(options._profile)
    return list(plan_mux(film.path, options.output(film.path), film.info, encode).notes)


def _kept(error: BaseException) -> str:
    """What the pipeline noted about where the next run goes on."""
    notes: Sequence[str] = getattr(error, "__notes__", ())
    return notes[-1] if notes else ""
