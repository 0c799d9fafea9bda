"""A film through the whole pipeline, against decoding and encoding alone, and its slowest stage."""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import av
import cv2
import numpy as np

from ..decode import decode, probe
from ..encode import Encoder, EncodeSettings, part_suffix, picture_format
from ..frames import ColorBatch, FrameBatch, PictureFormat, Shot, VideoInfo, batched
from ..options import Options, colorizer_for
from ..painter import Painter
from ..pipeline import colorize_video
from ..prefetch import Sink, prefetch
from ..reference_pictures import Reference
from ..references import ReferenceMap

RATE, SHOT_FRAMES = 24, 72
T = TypeVar("T")


@dataclass(frozen=True)
class FilmFigure:
    """Frames a second of each stage alone, of decoding and encoding together, and of the whole.

    ``whole`` is painting as users run it, without the look at the film before it. ``overlap`` is
    ``whole`` over the slowest stage alone: 1 where nothing waits.
    """

    width: int
    height: int
    frames: int
    decode: float
    paint: float
    encode: float
    passthrough: float
    whole: float
    peak_mib: float

    @property
    def overlap(self) -> float:
        return self.whole / min(self.decode, self.paint, self.encode)


@dataclass(frozen=True)
class GrowthFigure:
    """Painting a small film of ``frames``, with a cut every ``shot_frames``."""

    frames: int
    shot_frames: int
    fps: float
    peak_mib: float


def drawn(count: int, width: int, height: int, shot_frames: int = SHOT_FRAMES) -> Iterator[Any]:
    """``count`` grey pictures ``[H, W]``: pans over drawn scenes with grain, and cuts."""
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
    """A grey H.264 film of :func:`drawn`, encoded as players' films are (crf 23)."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for gray in drawn(count, width, height, shot_frames):
            planes = np.full((height * 3 // 2, width), 128, np.uint8)
            planes[:height] = gray
            film.mux(stream.encode(av.VideoFrame.from_ndarray(planes, "yuv420p")))
        film.mux(stream.encode(None))
    return path


def film_figure(options: Options, width: int, height: int, count: int) -> FilmFigure:
    """Make a film of ``count`` frames and measure it stage by stage, then whole."""
    return _in_own_process(_film, options, width, height, count)


def growth_figure(options: Options, frames: int, shot_frames: int) -> GrowthFigure:
    """Paint a film of ``frames`` frames of 160x96."""
    return _in_own_process(_growth, options, frames, shot_frames)


def _in_own_process(measure: Callable[..., T], *what: Any) -> T:
    """A process never gives its peak memory back: each figure has one to itself."""
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process,
        tempfile.TemporaryDirectory() as folder,
    ):
        return process.submit(measure, Path(folder), *what).result()


def _film(folder: Path, options: Options, width: int, height: int, count: int) -> FilmFigure:
    source = write_drawn(folder / f"{width}x{height}-{count}.mp4", count, width, height)
    info = probe(source)
    picture = picture_format(info, options.encode)
    painter = Painter(colorizer_for(options), info)
    reference = _reference(width, height)
    some = list(_batches(source, info, options.batch, most=max(options.batch, 24)))
    chosen = ReferenceMap.single(reference, [Shot(0, 0, 1 << 40)])
    painted = [painter.paint(batch, chosen, picture) for batch in some]  # warms up, too
    shown = sum(map(len, some))
    path = folder / f"part{part_suffix(options.encode)}"
    return FilmFigure(
        width,
        height,
        count,
        decode=_rate(count, lambda: _drain(decode(source, info))),
        paint=_rate(shown, lambda: _drain(painter.paint(b, chosen, picture) for b in some)),
        encode=_rate(shown, lambda: _encoded(path, info, options.encode, painted)),
        passthrough=_rate(count, lambda: _passed(path, source, info, options, picture)),
        whole=_whole(source, folder, reference, options),
        peak_mib=peak_mib(),
    )


def _growth(folder: Path, options: Options, frames: int, shot_frames: int) -> GrowthFigure:
    width, height = 160, 96
    source = write_drawn(folder / "film.mp4", frames, width, height, shot_frames)
    fps = _whole(source, folder, _reference(width, height), options)
    return GrowthFigure(frames, shot_frames, fps, peak_mib())


def _reference(width: int, height: int) -> Reference:
    tones = np.random.default_rng(2).integers(0, 256, (9, 16, 3), dtype=np.uint8)
    image: Any = cv2.resize(tones, (width, height))
    return Reference(image, Path("drawn.png"))


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
    path: Path, source: Path, info: VideoInfo, options: Options, picture: PictureFormat
) -> None:
    """Decoded and encoded again with neutral chroma, as the pipeline does without its network."""
    sx, sy = picture.subsampling
    shape = (-(-info.height // sy), -(-info.width // sx))
    kind = np.uint8 if picture.bit_depth == 8 else np.uint16

    def neutral(batch: FrameBatch) -> ColorBatch:
        plane = np.full((len(batch), *shape), 1 << picture.bit_depth - 1, kind)
        return ColorBatch(batch, plane, plane)

    frames = prefetch(decode(source, info), depth=24)
    batches = batched(frames, [Shot(0, 0, 1 << 40)], options.batch)
    _encoded(path, info, options.encode, map(neutral, batches))


class _PaintingClock:
    """A watcher that times the painting of a film from its first frame to the end of the run."""

    def __init__(self) -> None:
        self.began, self.frames = 0.0, 0

    def stage(self, name: str, frames: int | None) -> None:
        self.began, self.frames = time.perf_counter(), frames or 0

    def advance(self, frames: int) -> None: ...

    def note(self, line: str) -> None: ...


def _whole(source: Path, folder: Path, reference: Reference, options: Options) -> float:
    clock = _PaintingClock()
    picture = folder / "reference.png"
    cv2.imwrite(str(picture), reference.image[:, :, ::-1])
    colorize_video(
        source,
        folder / "whole.mp4",
        references=picture,
        options=options,
        overwrite=True,
        progress=clock,
    )
    return clock.frames / (time.perf_counter() - clock.began)


def peak_mib() -> float:
    """The most memory that this process has held, in MiB."""
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
