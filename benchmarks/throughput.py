"""A film through the whole pipeline, against decoding and encoding alone, and its slowest stage."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import av
import cv2
import numpy as np

from c2e_video.inference.video_colorizer import VideoColorizer
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options, colorizer_for
from c2e_video.references.image import load_references
from c2e_video.references.reference_map import ReferenceMap
from c2e_video.utils.prefetch import Sink, prefetch
from c2e_video.video.decode.decoder import decode, probe
from c2e_video.video.encode import Encoder, EncodeSettings, part_suffix, picture_format
from c2e_video.video.frames import ColorBatch, FrameBatch, Shot, VideoInfo, batched

try:
    import resource
except ImportError:  # on Windows
    resource = None  # type: ignore[assignment]

RATE, SHOT_FRAMES = 24, 72
ALONE = 48  # frames that are painted, and encoded, by themselves: they are held in memory
T = TypeVar("T")


@dataclass(frozen=True)
class FilmFigure:
    """Frames a second of each stage alone, of decoding and encoding together, and of the whole.

    ``whole`` is painting as users run it, from the second batch on, and ``in_all`` with the start and the
    look at the film before it. ``overlap`` is ``whole`` over the slowest stage alone: 1 where nothing waits.
    ``peak_mib`` is the most memory that a process held that did nothing else, None if not to be had.
    """

    width: int
    height: int
    frames: int
    decode: float
    paint: float
    encode: float
    passthrough: float
    whole: float
    in_all: float
    peak_mib: float | None

    @property
    def overlap(self) -> float:
        return self.whole / min(self.decode, self.paint, self.encode)


@dataclass(frozen=True)
class GrowthFigure:
    """Painting a small film of ``frames``, with a cut every ``shot_frames``."""

    frames: int
    shot_frames: int
    fps: float
    peak_mib: float | None


def drawn(count: int, width: int, height: int, shot_frames: int = SHOT_FRAMES) -> Iterator[Any]:
    """``count`` gray pictures ``[H, W]``: pans over drawn scenes with grain, and cuts."""
    rng = np.random.default_rng(0)
    grain = rng.normal(0, 3, (8, height, width)).astype(np.float32)
    scene = np.zeros((height, 2 * width), np.float32)
    for index in range(count):
        if index % shot_frames == 0:
            layers = [
                cv2.resize(rng.random((4 * k, 9 * k)).astype(np.float32), (2 * width, height))
                for k in (1, 3, 9)
            ]
            scene = 40 + 60 * np.sum(layers, axis=0)
        left = index % shot_frames * width // shot_frames
        noisy = scene[:, left : left + width] + grain[index % len(grain)]
        yield noisy.clip(16, 235).astype(np.uint8)


def write_drawn(
    path: Path, count: int, width: int, height: int, shot_frames: int = SHOT_FRAMES
) -> Path:
    """A gray H.264 film of :func:`drawn`, encoded as players' films are (crf 23)."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for gray in drawn(count, width, height, shot_frames):
            planes = np.full((height * 3 // 2, width), 128, np.uint8)
            planes[:height] = gray
            film.mux(stream.encode(av.VideoFrame.from_ndarray(planes, "yuv420p")))
        film.mux(stream.encode(None))
    return path


def write_reference(film: Path, width: int, height: int) -> Path:
    """A colour picture beside ``film``."""
    tones = np.random.default_rng(2).integers(0, 256, (9, 16, 3), dtype=np.uint8)
    path = film.with_name("reference.png")
    cv2.imwrite(str(path), cv2.resize(tones, (width, height)))
    return path


def film_figure(options: Options, width: int, height: int, count: int) -> FilmFigure:
    """Make a film of ``count`` frames and measure it whole, then stage by stage."""
    return _of_a_drawn_film(_film, options, count, width, height)


def growth_figure(options: Options, frames: int, shot_frames: int) -> GrowthFigure:
    """Paint a film of ``frames`` frames of 160x96."""
    return _of_a_drawn_film(_growth, options, frames, 160, 96, shot_frames)


def _of_a_drawn_film(measure: Callable[..., T], options: Options, *drawing: int) -> T:
    """A process never gives its peak memory back: each figure has one to itself, drawing another."""
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process,
    ):
        source = write_drawn(Path(folder) / "film.mp4", *drawing)
        return process.submit(measure, source, options, *drawing).result()


def _film(source: Path, options: Options, count: int, width: int, height: int) -> FilmFigure:
    reference = write_reference(source, width, height)
    whole, in_all = _whole(source, reference, options)
    peak = peak_mib()
    info = probe(source)
    picture = picture_format(info, options.encode)
    colorizer = VideoColorizer(colorizer_for(options), info)
    some = list(_batches(source, info, options.batch, most=max(ALONE, options.batch)))
    (picture_read,) = load_references([reference])
    chosen = ReferenceMap.single(picture_read, [Shot(0, 0, 1 << 40)])
    painted = list(colorizer.colorize(some, chosen, picture))  # warms up, too
    shown = sum(map(len, some))
    path = source.with_name(f"part{part_suffix(options.encode)}")
    return FilmFigure(
        width,
        height,
        count,
        decode=_rate(count, lambda: _drain(decode(source, info))),
        paint=_rate(shown, lambda: _drain(colorizer.colorize(some, chosen, picture))),
        encode=_rate(shown, lambda: _encoded(path, info, options.encode, painted)),
        passthrough=_rate(count, lambda: _passed(path, source, info, options, painted)),
        whole=whole,
        in_all=in_all,
        peak_mib=peak,
    )


def _growth(
    source: Path, options: Options, frames: int, width: int, height: int, shot_frames: int
) -> GrowthFigure:
    fps, _ = _whole(source, write_reference(source, width, height), options)
    return GrowthFigure(frames, shot_frames, fps, peak_mib())


def _rate(frames: int, work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return frames / (time.perf_counter() - began)


def _drain(items: Iterable[object]) -> None:
    for _ in items:
        pass


def _batches(source: Path, info: VideoInfo, size: int, most: int) -> Iterator[FrameBatch]:
    seen = 0
    for batch in batched(decode(source, info), [Shot(0, 0, 1 << 40)], size):
        seen += len(batch)
        if seen > most:
            return
        yield batch


def _encoded(
    path: Path, info: VideoInfo, settings: EncodeSettings, painted: Iterable[ColorBatch]
) -> None:
    with Encoder(path, info, settings) as encoder, Sink(encoder.write, depth=3) as sink:
        for batch in painted:
            sink.put(batch)


def _passed(
    path: Path, source: Path, info: VideoInfo, options: Options, painted: Sequence[ColorBatch]
) -> None:
    """Decoded and encoded again as the pipeline does without its network, in colours painted before."""
    frames = prefetch(decode(source, info), depth=24)
    batches = batched(frames, [Shot(0, 0, 1 << 40)], options.batch)

    cb, cr = (
        np.concatenate(planes) for planes in zip(*((p.cb, p.cr) for p in painted), strict=True)
    )

    def colored(batch: FrameBatch, first: int) -> ColorBatch:
        part = slice(first, first + len(batch))
        return ColorBatch(batch, cb[part], cr[part])

    starts = cycle(range(0, max(1, len(cb) - options.batch + 1), options.batch))
    _encoded(path, info, options.encode, map(colored, batches, starts))


class _PaintingClock:
    """A watcher that counts the frames after a stage's first batch, which warms up, and times them."""

    def __init__(self) -> None:
        self.began, self.frames = 0.0, 0

    def stage(self, name: str, total: int | None, unit: str = "frame") -> None:
        self.began, self.frames = 0.0, 0

    def advance(self, count: int) -> None:
        if self.began:
            self.frames += count
        else:
            self.began = time.perf_counter()

    def note(self, line: str) -> None: ...


def _whole(source: Path, reference: Path, options: Options) -> tuple[float, float]:
    """Frames a second from the second batch on, and from the start of it all."""
    clock = _PaintingClock()
    began = time.perf_counter()
    result = colorize_video(
        source,
        source.with_name("whole.mp4"),
        references=reference,
        options=options,
        overwrite=True,
        progress=clock,
    )
    ended = time.perf_counter()
    return clock.frames / (ended - clock.began), result.frames / (ended - began)


def peak_mib() -> float | None:
    """The most memory that this process has held, in MiB; None where the system does not tell."""
    try:
        # On Linux the other figure goes on from that of the process which began this one.
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    except (OSError, IndexError):
        if resource is None:
            return None
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
