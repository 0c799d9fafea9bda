"""A queue of films on a cluster: all their segments in one pool, while further films are planned here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from ..errors import C2EError
from ..inference.colorizer import Colorizer
from ..pipeline.film_parts import FilmParts
from ..pipeline.film_queue import QueuedFilm
from ..pipeline.job import Job
from ..pipeline.options import Options
from ..pipeline.planned_film import PlannedFilm, plan_film
from ..utils.devices import processors
from ..utils.progress import Progress
from .colorize import common_options, common_precision, planning_colorizer, with_precision
from .connection import Cluster
from .pool import SegmentPool
from .pooled_film import PooledFilm
from .settings import ClusterSettings

MAX_OPEN = 64  # films that are planned and not made: each holds a job open


def run_queue_on_cluster(
    films: Sequence[QueuedFilm],
    settings: ClusterSettings,
    options: Options,
    progress: Progress,
    *,
    overwrite: bool = False,
    restart: bool = False,
) -> None:
    """Make what is left of a queue on the workers of a Ray cluster.

    Films are planned on this machine, some at a time. The segments of all planned films are in one pool, the
    longest first. A film is joined as soon as its last part is there.

    Args:
        films: The queue; each film's state is set when it is made, or has failed.
        settings: Which cluster, and what a task takes of it.
        options: How the films are colorized and written.
        progress: Is told of the frames that all workers have done, and of each film.
        overwrite: Whether outputs that exist may be replaced.
        restart: Whether interrupted runs are forgotten instead of taken up.

    Raises:
        C2EError: There is no such cluster.
    """
    with Cluster(settings, progress) as cluster:
        device = cluster.device(options.device)
        options, precision = common_options(options, device), common_precision(options, device)
        colorizer = planning_colorizer(options, device, precision)
        progress.stage("colorizing", None)
        pool = SegmentPool(cluster, device, precision, progress)
        with (
            _OpenFilms(pool, colorizer, progress, restart=restart) as opened,
            _Planner(options, colorizer, progress, overwrite=overwrite) as planner,
            pool,
        ):
            waiting = iter([film for film in films if film.state == "left"])
            planner.begin(waiting)
            while planner.is_busy or opened.films:
                for queued, planned in planner.take():
                    with queued.failing():
                        opened.add(queued, with_precision(planned.result(), precision))
                opened.join_finished()
                if len(opened.films) < MAX_OPEN:
                    planner.begin(waiting)
                pool.step()


@dataclass(eq=False)
class _OpenFilm:
    queued: QueuedFilm
    planned: PlannedFilm
    job: Job
    parts: FilmParts
    pooled: PooledFilm


class _OpenFilms:
    """The films in the pool, with their jobs open. A context manager; at its end what is open is closed."""

    def __init__(
        self, pool: SegmentPool, colorizer: Colorizer, progress: Progress, *, restart: bool
    ) -> None:
        self._pool, self._colorizer = pool, colorizer
        self._progress, self._restart = progress, restart
        self.films: list[_OpenFilm] = []

    def add(self, queued: QueuedFilm, planned: PlannedFilm) -> None:
        """Open a film's job and put what is missing into the pool."""
        named = _Named(queued, self._progress)
        with ExitStack() as stack:
            job = stack.enter_context(planned.open_job(restart=self._restart))
            parts = FilmParts(planned.plan, planned.segments(), job, named)
            pooled = self._pool.add(planned, parts, self._colorizer.weights)
            self.films.append(_OpenFilm(queued, planned, job, parts, pooled))
            stack.pop_all()

    def join_finished(self) -> None:
        """Make the films whose parts are all there, and close those that failed."""
        for film in [film for film in self.films if film.pooled.is_done]:
            self.films.remove(film)
            with film.job, film.queued.failing():
                self._join(film)

    def _join(self, film: _OpenFilm) -> None:
        if film.pooled.error is not None:
            raise film.pooled.error
        made, problems = film.parts.complete()
        machines = film.pooled.machines()
        result = film.planned.join(film.job, made, problems, film.parts.progress, machines=machines)
        film.queued.finish(result)
        self._progress.note(f"made {film.queued.line}")

    def __enter__(self) -> _OpenFilms:
        return self

    def __exit__(self, *_: object) -> None:
        for film in self.films:
            film.job.close()


class _Named:
    """The progress of one film of several: its notes begin with its name, its stages are not shown."""

    def __init__(self, queued: QueuedFilm, progress: Progress) -> None:
        self._name, self._progress = queued.source.name, progress

    def stage(self, name: str, total: int | None, unit: str = "frame") -> None:
        """See :meth:`~c2e_video.utils.progress.Progress.stage`."""

    def advance(self, count: int) -> None:
        """See :meth:`~c2e_video.utils.progress.Progress.advance`."""
        self._progress.advance(count)

    def note(self, line: str) -> None:
        """See :meth:`~c2e_video.utils.progress.Progress.note`."""
        self._progress.note(f"{self._name}: {line}")


class _Planner:
    """Plans films in threads. A context manager; at its end no film is planned any more.

    A film's notes wait until :meth:`take`, because a progress is called in one thread.
    """

    def __init__(
        self, options: Options, colorizer: Colorizer, progress: Progress, *, overwrite: bool
    ) -> None:
        self._options, self._colorizer, self._overwrite = options, colorizer, overwrite
        self._progress = progress
        self._count = max(1, min(4, processors() // 2))
        self._threads = ThreadPoolExecutor(self._count, "c2e-plan")
        self._plans: dict[Future[PlannedFilm], QueuedFilm] = {}
        self._lines: SimpleQueue[str] = SimpleQueue()
        self.stopped = False

    @property
    def is_busy(self) -> bool:
        """Whether a film is being planned."""
        return bool(self._plans)

    def begin(self, waiting: Iterator[QueuedFilm]) -> None:
        """Begin with as many films as there are threads free."""
        while len(self._plans) < self._count and (queued := next(waiting, None)) is not None:
            self._plans[self._threads.submit(self._plan, queued)] = queued

    def take(self) -> list[tuple[QueuedFilm, Future[PlannedFilm]]]:
        """The films that are planned since."""
        while True:
            try:
                self._progress.note(self._lines.get_nowait())
            except Empty:
                break
        done = [plan for plan in self._plans if plan.done()]
        return [(self._plans.pop(plan), plan) for plan in done]

    def _plan(self, queued: QueuedFilm) -> PlannedFilm:
        listener: Any = _Named(queued, _Collected(self))
        film, _ = plan_film(
            queued.source,
            queued.output,
            queued.references,
            self._options,
            self._colorizer,
            listener,
            overwrite=self._overwrite,
        )
        return film

    def collect(self, line: str) -> None:
        """Keep a line until :meth:`take`."""
        self._lines.put(line)

    def __enter__(self) -> _Planner:
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped = True
        self._threads.shutdown(wait=True, cancel_futures=True)


class _Collected:
    """The progress of a planning thread: it keeps notes, and ends the planning when the queue is stopped."""

    def __init__(self, planner: _Planner) -> None:
        self._planner = planner

    def stage(self, name: str, total: int | None, unit: str = "frame") -> None:
        """See :meth:`~c2e_video.utils.progress.Progress.stage`."""

    def advance(self, count: int) -> None:
        """See :meth:`~c2e_video.utils.progress.Progress.advance`."""
        if self._planner.stopped:
            raise C2EError("the queue was stopped")

    def note(self, line: str) -> None:
        """See :meth:`~c2e_video.utils.progress.Progress.note`."""
        self._planner.collect(line)
