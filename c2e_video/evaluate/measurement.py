"""One clip measured in one pass: every method colorizes the same gray frames, and memory does not grow."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from ..utils.arrays import Floats, Picture
from . import metrics
from .baselines import ColorizationMethod, GrayBaseline, MeanColorBaseline
from .clips import shrunk
from .lpips import Lpips
from .metrics import Gray, Mean, Motion
from .palette import Palette, palette_of, palette_similarity
from .scores import GRAY, MEAN_COLOR, PREDICTION, ClipResult, Scores

SAMPLE_HEIGHT = 240  # rows of a thumbnail on the sheet

T = TypeVar("T")
OnFrame = Callable[[str, int], None]  # clip, frame number
# A true frame, and the reference that is used from this frame on (None: the one before).
FrameAndReference = tuple[Picture, Picture | None]
_GrayAndReference = tuple[Gray, Picture | None]

_PER_FRAME = ("psnr", "psnr_ab", "psnr_wrapped", "ssim", "ciede2000", "lpips", "palette")


@dataclass
class _VideoFigures:
    """The figures that need no truth: colorfulness, CDC and warp error, frame after frame."""

    colorfulness: Mean = field(default_factory=Mean)
    consistency: metrics.ColorConsistency = field(default_factory=metrics.ColorConsistency)
    warp: Mean = field(default_factory=Mean)
    previous_lab: Floats | None = None

    def add(self, rgb: Picture, motion: Motion | None) -> Floats:
        """Add a frame; returns its Lab."""
        lab = metrics.lab_of(rgb)
        self.colorfulness.add(metrics.colorfulness(rgb))
        self.consistency.add(rgb)
        if self.previous_lab is not None and motion is not None:
            self.warp.add(metrics.warp_error(self.previous_lab, lab, motion))
        self.previous_lab = lab
        return lab


@dataclass
class _Row:
    """One method applied to one clip, and its figures."""

    method: ColorizationMethod
    video: _VideoFigures = field(default_factory=_VideoFigures)
    per_frame: dict[str, Mean] = field(
        default_factory=lambda: {name: Mean() for name in _PER_FRAME}
    )

    def colorize(self, frames: Iterable[_GrayAndReference]) -> Iterator[Picture]:
        """The frames in colour. Each reference is embedded once."""
        frames, grays = _shared(frames, 2)
        colorized = self.method.colorize_frames(self._with_embeddings(frames))
        for picture, (gray, _) in zip(colorized, grays, strict=True):
            if picture.shape != (*gray.shape, 3) or picture.dtype != gray.dtype:
                raise ValueError(f"got {picture.dtype} {picture.shape} for gray {gray.shape}")
            yield picture

    def _with_embeddings(self, frames: Iterable[_GrayAndReference]) -> Iterator[tuple[Gray, Any]]:
        embedding: Any = None
        for gray, reference in frames:
            if reference is not None:
                embedding = self.method.embed(reference)
            yield gray, embedding

    def add(self, truth: Picture, lab: Floats, prediction: Picture, motion: Motion | None) -> None:
        """Compare one frame with the truth, whose Lab is ``lab``."""
        predicted_lab = self.video.add(prediction, motion)
        means = self.per_frame
        means["psnr"].add(metrics.psnr(truth, prediction))
        means["psnr_ab"].add(metrics.psnr_ab(lab, predicted_lab))
        means["psnr_wrapped"].add(metrics.psnr_wrapped(truth, prediction))
        means["ssim"].add(metrics.ssim(truth, prediction))
        means["ciede2000"].add(metrics.ciede2000(lab, predicted_lab))

    def scores(self, truth: _VideoFigures) -> Scores:
        return Scores(
            **{name: self.per_frame[name].value for name in _PER_FRAME},
            colorfulness=self.video.colorfulness.value,
            colorfulness_truth=truth.colorfulness.value,
            cdc=self.video.consistency.value,
            cdc_truth=truth.consistency.value,
            warp=self.video.warp.value,
            warp_truth=truth.warp.value,
        )


def measure(
    name: str,
    frames: Iterable[FrameAndReference],
    methods: ColorizationMethod | Mapping[str, ColorizationMethod],
    lpips: Lpips | None,
    on_frame: OnFrame | None,
) -> ClipResult:
    """Scores of one clip for every method and both baselines.

    Args:
        name: The clip's name.
        frames: Its true frames, R'G'B' uint8 ``[H, W, 3]``, each with its reference where that is a new one.
        methods: One method (its row is "prediction"), or several by the names of their rows.
        lpips: The LPIPS measure, or None to leave it out.
        on_frame: Called with the clip's name and the frame's number after each frame.

    Returns:
        The clip's result.
    """
    rows, truth_figures = _rows(methods), _VideoFigures()
    previous: Gray | None = None
    shape, sample, count = (0, 0), 0, 0
    palette: Palette | None = None
    pictures: dict[str, Picture] = {}
    # A method may read some frames ahead of the one it yields, so each has a queue of its own.
    with_gray = ((truth, metrics.to_gray(truth), new) for truth, new in frames)
    truths, *queues = _shared(with_gray, 1 + len(rows))
    predictions = [
        row.colorize((gray, new) for _, gray, new in queue)
        for row, queue in zip(rows.values(), queues, strict=True)
    ]
    for number, ((truth, gray, new), *made) in enumerate(zip(truths, *predictions, strict=True)):
        motion = None if previous is None else metrics.motion_between(previous, gray)
        lab = truth_figures.add(truth, motion)
        palette = palette if new is None else palette_of(new)
        by_row = dict(zip(rows, made, strict=True))
        for title, picture in by_row.items():
            rows[title].add(truth, lab, picture, motion)
            if palette is not None:
                similarity = palette_similarity(palette_of(picture), palette)
                rows[title].per_frame["palette"].add(similarity)
        if lpips:
            distances = lpips.distances(truth, list(by_row.values()))
            for row, distance in zip(rows.values(), distances, strict=True):
                row.per_frame["lpips"].add(distance)
        if number & (number - 1) == 0:  # a power of two, or the first frame
            sample, pictures = number, _thumbnails(truth, by_row)
        previous, shape, count = gray, gray.shape, number + 1
        if on_frame:
            on_frame(name, number)
    height, width = shape
    scores = {title: row.scores(truth_figures) for title, row in rows.items()}
    return ClipResult(name, count, width, height, scores, sample, pictures)


def thumbnail(picture: Picture) -> Picture:
    """The picture at the height it has on the sheet."""
    return shrunk(picture, SAMPLE_HEIGHT / len(picture)).copy()


def _rows(methods: ColorizationMethod | Mapping[str, ColorizationMethod]) -> dict[str, _Row]:
    named = methods if isinstance(methods, Mapping) else {PREDICTION: methods}
    baselines: dict[str, ColorizationMethod] = {
        GRAY: GrayBaseline(),
        MEAN_COLOR: MeanColorBaseline(),
    }
    return {name: _Row(method) for name, method in {**baselines, **named}.items()}


def _thumbnails(truth: Picture, by_row: dict[str, Picture]) -> dict[str, Picture]:
    shown = {"truth": truth, **by_row}
    return {column: thumbnail(shown[column]) for column in shown if column != MEAN_COLOR}


def _shared(items: Iterable[T], count: int) -> list[Iterator[T]]:
    """``items`` for ``count`` readers; an item is kept until all have read it.

    ``itertools.tee`` would keep up to 57 items more.
    """
    source, waiting = iter(items), [deque[T]() for _ in range(count)]

    def read(own: deque[T]) -> Iterator[T]:
        while True:
            if not own:
                for item in islice(source, 1):
                    for queue in waiting:
                        queue.append(item)
            if not own:
                return
            yield own.popleft()

    return [read(own) for own in waiting]
