"""What runs on a worker: a film and its network are kept, one segment after another is rendered."""

from __future__ import annotations

import hashlib
import os
import socket
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ..errors import BadWeights, C2EError, MediaError
from ..inference.colorizer import Colorizer
from ..inference.video_colorizer import VideoColorizer
from ..pipeline.digests import film_digest
from ..pipeline.options import colorizer_for
from ..pipeline.part_writer import PartWriter
from ..pipeline.render_plan import RenderPlan
from ..pipeline.segment_renderer import SegmentRenderer
from ..pipeline.segments import Segment
from ..utils.devices import configure_process, find_dtype, limit_processors, precision_name
from ..video.decode import DecodeReport
from ..video.encode import Part, part_suffix
from ..video.frames import Frame
from .events import Event, FramesDone, FramesNeeded, Machine, PartDone
from .sent_frames import SentFrame, unpack_frames

REPORT_SECONDS = 1.0  # between two reports of frames
MAX_FILMS = 2  # kept open: of a queue, one film ends while the next begins


@dataclass(frozen=True, eq=False)
class FilmOrder:
    """All that a worker needs of a film, sent to each machine once.

    Args:
        key: Names the order; a worker keeps what it opened for it.
        plan: The film. Its options name a device and a precision, and no weights.
        source_digest: By which a worker knows whether the film at the plan's path is the same.
        weights_digest: sha256 of the weights file.
        folder: The job folder.
        folder_digest: sha256 of its ``job.json``, by which a worker checks that it is the same folder.
        cpus: Processors of a task.
    """

    key: str
    plan: RenderPlan
    source_digest: str
    weights_digest: str
    folder: Path
    folder_digest: str
    cpus: int


@dataclass(frozen=True, eq=False)
class OpenFilm:
    """A film on a worker: what it needs, and what the worker reaches of it."""

    order: FilmOrder
    video_colorizer: VideoColorizer
    sees_source: bool
    shares_folder: bool


_films: OrderedDict[str, OpenFilm] = OrderedDict()
_colorizer: tuple[Any, Colorizer] | None = None


def render_segment(
    key: str,
    fetch_order: Callable[[], FilmOrder],
    fetch_weights: Callable[[], bytes],
    segment: Segment,
    attempt: int,
    fetch_frames: Callable[[], list[SentFrame]] | None,
) -> Iterator[Event]:
    """Render a segment.

    Args:
        key: The order's key.
        fetch_order: Gets the order; called once a film.
        fetch_weights: Gets the weights file; called once for all films that use it.
        segment: What is rendered.
        attempt: Tells this attempt's file from those of earlier ones.
        fetch_frames: Gets the frames, where they are sent; called if the worker cannot read the film.

    Yields:
        :class:`FramesDone` about once a second, and :class:`PartDone` at the end; or, where frames are
        not sent and cannot be read, :class:`FramesNeeded` alone.

    Raises:
        C2EError: As :class:`~..pipeline.segment_renderer.SegmentRenderer` does.
    """
    film = _open_film(key, fetch_order, fetch_weights)
    if not film.sees_source and fetch_frames is None:
        yield FramesNeeded(socket.gethostname())
        return
    plan, report, began = film.order.plan, DecodeReport(), time.process_time()
    frames = (
        plan.decode(segment.start, segment.stop, report)
        if film.sees_source or fetch_frames is None
        else unpack_frames(fetch_frames())
    )
    with _part_path(film, segment, attempt) as path:
        part = yield from _rendered(film, segment, frames, path)
        yield PartDone(
            path if film.shares_folder else None,
            None if film.shares_folder else path.read_bytes(),
            part.pts,
            part.durations,
            tuple(report.problems()),
            _machine(film.video_colorizer.colorizer),
            time.process_time() - began,
        )


class _Counter:
    """Frames done since the last report. :meth:`add` raises in the rendering thread once it is stopped."""

    def __init__(self) -> None:
        self._lock, self._count, self.stopped = threading.Lock(), 0, False

    def add(self, count: int) -> None:
        if self.stopped:
            raise C2EError("the task was cancelled")
        with self._lock:
            self._count += count

    def take(self) -> int:
        with self._lock:
            count, self._count = self._count, 0
        return count


def _rendered(
    film: OpenFilm, segment: Segment, frames: Generator[Frame, None, None], path: Path
) -> Generator[Event, None, Part]:
    """Render in a thread, for a cancelled task interrupts the main one; returns the closed part."""
    counter = _Counter()
    with ThreadPoolExecutor(1, "c2e-render") as thread:
        rendering = thread.submit(_render, film, segment, frames, path, counter.add)
        try:
            while not wait([rendering], REPORT_SECONDS).done:
                yield FramesDone(counter.take())
            part = rendering.result()
        except BaseException:
            counter.stopped = True
            raise
    yield FramesDone(counter.take())
    return part


def _render(
    film: OpenFilm,
    segment: Segment,
    frames: Generator[Frame, None, None],
    path: Path,
    advance: Callable[[int], None],
) -> Part:
    parts: list[Part] = []
    plan = film.order.plan
    with PartWriter(plan, lambda _: path, lambda _, part: parts.append(part)) as writer:
        SegmentRenderer(plan, film.video_colorizer, advance).render([segment], frames, writer)
    if not parts:
        plan.check_count(segment, 0)
    return parts[0]


@contextmanager
def _part_path(film: OpenFilm, segment: Segment, attempt: int) -> Iterator[Path]:
    """Where the part is written: into the job folder, or a temporary one that ends with the block."""
    suffix = part_suffix(film.order.plan.options.encode)
    name = f"part-{segment.index:05d}.partial-{attempt}-{os.getpid()}{suffix}"
    if film.shares_folder:
        yield film.order.folder / name
        return
    with tempfile.TemporaryDirectory(prefix="c2e-video-") as folder:
        yield Path(folder) / name


def _open_film(
    key: str, fetch_order: Callable[[], FilmOrder], fetch_weights: Callable[[], bytes]
) -> OpenFilm:
    film = _films.pop(key, None)
    if film is None:
        order = fetch_order()
        configure_process()
        limit_processors(order.cpus)
        colorizer = _colorizer_of(order, fetch_weights)
        film = OpenFilm(
            order,
            VideoColorizer(colorizer, order.plan.info),
            _sees_source(order),
            _shares_folder(order),
        )
    _films[key] = film  # last, as the one used last
    while len(_films) > MAX_FILMS:
        _films.popitem(last=False)
    return film


def _colorizer_of(order: FilmOrder, fetch_weights: Callable[[], bytes]) -> Colorizer:
    global _colorizer
    options = order.plan.options
    key = (order.weights_digest, options)
    if _colorizer is None or _colorizer[0] != key:
        with tempfile.TemporaryDirectory(prefix="c2e-video-") as folder:
            path = Path(folder) / "weights.safetensors"
            path.write_bytes(_checked(fetch_weights(), order.weights_digest))
            _colorizer = key, colorizer_for(replace(options, weights=path))
    return _colorizer[1]


def _checked(weights: bytes, expected: str) -> bytes:
    digest = hashlib.sha256(weights).hexdigest()
    if digest != expected:
        raise BadWeights(
            f"the worker on {socket.gethostname()} has other weights ({digest[:16]}) than the run "
            f"({expected[:16]}); run again"
        )
    return weights


def _sees_source(order: FilmOrder) -> bool:
    try:
        return film_digest(order.plan.source) == order.source_digest
    except (OSError, MediaError):
        return False


def _shares_folder(order: FilmOrder) -> bool:
    try:
        content = (order.folder / "job.json").read_bytes()
    except OSError:
        return False
    return hashlib.sha256(content).hexdigest() == order.folder_digest and os.access(
        order.folder, os.W_OK
    )


def _machine(colorizer: Colorizer) -> Machine:
    device = colorizer.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return Machine(socket.gethostname(), name, precision_name(find_dtype("auto", device)))
