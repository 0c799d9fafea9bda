"""The pool: segments of one or more films are dealt to workers, longest first, and their parts taken in."""

from __future__ import annotations

import heapq
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from ..errors import C2EError
from ..pipeline.digests import file_digest
from ..pipeline.film_parts import FilmParts
from ..pipeline.planned_film import PlannedFilm
from ..pipeline.segments import Segment
from ..utils.choices import Device, Precision
from ..utils.files import disk_errors
from ..utils.progress import Progress
from ..video.decode import DecodeReport
from ..video.encode import Part
from .connection import Cluster
from .events import FramesDone, FramesNeeded, PartDone
from .pooled_film import PooledFilm, Task
from .sent_frames import pack_frames
from .task import make_task, pickled
from .versions import differences, versions
from .worker import FilmOrder

MAX_ATTEMPTS = 3
IDLE_SECONDS = 0.1  # until a pool in which nothing runs is looked at again
STOP_SECONDS = 5.0  # for cancelled tasks to end by themselves


class SegmentPool:
    """Deals segments to the workers of a cluster. A context manager: no task is left behind at its end.

    Args:
        cluster: The open cluster.
        device: The kind of device that all workers use.
        precision: The number format that all workers use.
        progress: Is told of the frames done.
    """

    def __init__(
        self, cluster: Cluster, device: Device, precision: Precision, progress: Progress
    ) -> None:
        self.cluster, self.ray, self.progress = cluster, cluster.ray, progress
        self.device, self.precision = device, precision
        self._needs = cluster.needs(device)
        self._task = make_task(self.ray, *self._needs)
        self._weights: dict[str, Any] = {}
        self._queue: list[tuple[int, int, PooledFilm, Segment]] = []
        self._order = count()
        self._running: dict[Any, Task] = {}

    def add(self, film: PlannedFilm, parts: FilmParts, weights: Path) -> PooledFilm:
        """Take in what is missing of a film whose job is open."""
        plan = film.plan
        options = replace(plan.options, device=self.device, precision=self.precision, weights=None)
        source = plan.source.absolute()
        sent = replace(plan, source=source, info=replace(plan.info, path=source), options=options)
        folder = parts.job.folder.absolute()
        order = FilmOrder(
            uuid.uuid4().hex,
            sent,
            film.identity["source"],
            film.identity["weights"],
            folder,
            file_digest(folder / "job.json"),
            self._needs[0],
        )
        missing = [segment for segment in parts.missing if plan.frames_in(segment)]
        pooled = PooledFilm(
            film,
            parts,
            order.key,
            self.ray.put(pickled(order)),
            self._stored_weights(film.identity["weights"], weights),
            len(missing),
        )
        for segment in missing:
            self._push(pooled, segment)
        return pooled

    def _stored_weights(self, digest: str, path: Path) -> Any:
        if digest not in self._weights:
            self._weights[digest] = self.ray.put(path.read_bytes())
        return self._weights[digest]

    def _push(self, film: PooledFilm, segment: Segment) -> None:
        length = film.film.plan.frames_in(segment)
        heapq.heappush(self._queue, (-length, next(self._order), film, segment))

    def step(self, seconds: float = 1.0) -> None:
        """Give free workers something to do, and take in what comes within ``seconds``."""
        more = self._submit()
        if not self._running:
            time.sleep(min(seconds, IDLE_SECONDS))
            return
        ready, _ = self.ray.wait(list(self._running), timeout=0 if more else seconds)
        for events in ready:
            self._take(events, self._running[events])

    def _submit(self) -> bool:
        """Start tasks, some more than there are workers; whether more are to be started at once.

        These begin as soon as a worker is free; a cluster that grows with its load sees that there is some.
        Of tasks whose frames are sent one is started at a time, for these take this machine's time.
        """
        slots = self.cluster.slots(*self._needs)
        while self._queue and len(self._running) < slots + max(2, slots // 2):
            _, _, film, segment = heapq.heappop(self._queue)
            if film.error is not None:
                continue
            with self._failing(film):
                self._start(film, segment)
            if film.sends_frames:
                return True
        return False

    def _start(self, film: PooledFilm, segment: Segment) -> None:
        film.attempts[segment] += 1
        frames = [self._sent_frames(film, segment)] if film.sends_frames else []
        events = self._task.remote(
            versions(),
            film.key,
            [film.order],
            [film.weights],
            pickled(segment),
            film.attempts[segment],
            frames,
        )
        self._running[events] = Task(film, segment)

    def _sent_frames(self, film: PooledFilm, segment: Segment) -> Any:
        report = DecodeReport()
        sent = pack_frames(film.film.plan.decode(segment.start, segment.stop, report))
        film.parts.add_problems(report.problems())
        return self.ray.put(sent)

    @contextmanager
    def _failing(self, film: PooledFilm) -> Iterator[None]:
        """Make an error here the film's: no other film suffers from it."""
        try:
            yield
        except Exception as error:
            self._fail(film, error)

    def _take(self, events: Any, task: Task) -> None:
        try:
            event = self.ray.get(next(events))
        except StopIteration:
            event = C2EError("its worker ended without a word")
        except Exception as error:
            event = error
        if not isinstance(event, FramesDone):
            del self._running[events]
        if task.film.error is None:
            with self._failing(task.film):
                self._handle(event, task)

    def _handle(self, event: Any, task: Task) -> None:
        if isinstance(event, FramesDone):
            task.counted += event.count
            self.progress.advance(event.count)
        elif isinstance(event, PartDone):
            self._finish(event, task)
        elif isinstance(event, FramesNeeded):
            self._send_frames(event, task)
        elif isinstance(event, tuple):
            raise C2EError(_refused(*event))
        else:
            self._repeat(event, task)

    def _finish(self, done: PartDone, task: Task) -> None:
        film, segment = task.film, task.segment
        path = done.path
        if path is None:
            path = film.parts.partial_path(segment)
            with disk_errors(path):
                path.write_bytes(done.content or b"")
        film.parts.add(segment, Part(path, done.pts, done.durations))
        film.parts.add_problems(done.problems)
        film.segments_on[done.machine] += 1
        film.seconds[segment] = done.seconds
        film.left -= 1
        asked = film.film.plan.options.precision
        if asked == "auto" and done.machine.precision != self.precision:
            film.tell_once(
                f"{done.machine.name} computes in {self.precision} as all machines do; by itself it would "
                f"take {done.machine.precision}"
            )

    def _send_frames(self, needed: FramesNeeded, task: Task) -> None:
        film = task.film
        film.sends_frames = True
        film.attempts[task.segment] -= 1
        film.tell_once(
            f"{needed.machine} does not have {film.film.plan.source.name} at its path; its frames are sent"
        )
        self._push(film, task.segment)

    def _repeat(self, error: BaseException, task: Task) -> None:
        """Begin a segment again whose worker failed; raise its own error at the third failure."""
        film, segment = task.film, task.segment
        self.progress.advance(-task.counted)
        cause = self._cause(error)
        if film.attempts[segment] >= MAX_ATTEMPTS:
            raise cause
        at = film.film.plan.info.timecode(segment.start)
        film.tell_once(f"the segment at {at} is begun again: {_line(cause)}")
        self._push(film, segment)

    def _cause(self, error: BaseException) -> BaseException:
        """What went wrong, without Ray's words around it."""
        exceptions = self.ray.exceptions
        if isinstance(error, exceptions.RayTaskError):
            cause = getattr(error, "cause", None)
            return cause if isinstance(cause, Exception) else error
        if isinstance(error, exceptions.OutOfMemoryError):
            return C2EError(
                "its machine has no memory left; give a task more processors, so that fewer run at once"
            )
        if isinstance(error, exceptions.NodeDiedError):
            return C2EError("its machine is gone")
        if isinstance(error, exceptions.WorkerCrashedError):
            return C2EError("its worker process was killed, or crashed")
        return error

    def _fail(self, film: PooledFilm, error: BaseException) -> None:
        film.error = error
        self._cancel({events: task for events, task in self._running.items() if task.film is film})

    def _cancel(self, tasks: dict[Any, Task]) -> None:
        """End tasks: by an interrupt, after which they clear away; by force where that does not end them."""
        for events in tasks:
            self._running.pop(events, None)
            with suppress(Exception):
                self.ray.cancel(events, force=False)
        end, left = time.monotonic() + STOP_SECONDS, list(tasks)
        while left and time.monotonic() < end:
            left = [events for events in left if not self._ended(events)]
        for events in left:
            with suppress(Exception):
                self.ray.cancel(events, force=True)

    def _ended(self, events: Any) -> bool:
        """Whether a cancelled task has ended; events that it still sends are dropped."""
        ready, _ = self.ray.wait([events], timeout=0.05)
        try:
            if ready:
                self.ray.get(next(events))
        except (StopIteration, Exception):
            return True
        return False

    def __enter__(self) -> SegmentPool:
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.clear()
        self._cancel(dict(self._running))


def _refused(machine: str, found: dict[str, str]) -> str:
    if not found:
        return (
            f"the worker on {machine} has no c2e-video, or an old one; install {versions()['c2e-video']} "
            "there, with the extra ray"
        )
    return (
        f"the worker on {machine} is refused: {differences(versions(), found)}; "
        "install the same on all machines"
    )


def _line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, C2EError) else f"{type(error).__name__}: {text[:200]}"
