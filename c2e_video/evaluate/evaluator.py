"""Colour clips made gray, painted again from a reference, and measured: one frame at a time.

Every frame counts, the reference's own included (it is painted like the others). A figure of a clip
is the mean over its frames. Two means close the table: over the clips, each weighing the same, and
over all frames, as the field's scripts have it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeVar

from ..errors import C2EError
from . import metrics
from .baselines import ColorizationMethod, GrayBaseline, MeanColorBaseline
from .clips import SMALLEST_SIDE, read_clip, read_pairs, read_picture, require, shrunk
from .lpips import Lpips
from .metrics import Floats, Gray, Mean, Motion, Picture

GRAY, MEAN_COLOR, PREDICTION = "gray", "mean ab", "prediction"  # the rows of every table
VECTOR_ALONE = "z alone"  # one more, where it is asked for

_SAMPLE_HEIGHT = 240  # of the small pictures kept for the sheet

T = TypeVar("T")
OnFrame = Callable[[str, int], None]


@dataclass(frozen=True)
class Scores:
    """The figures of one painted film; see :mod:`.metrics` for each. NaN: not to be had."""

    psnr: float
    psnr_ab: float
    psnr_wrapped: float
    ssim: float
    ciede2000: float
    lpips: float
    colorfulness: float
    colorfulness_truth: float
    cdc: float
    cdc_truth: float
    warp: float
    warp_truth: float

    @property
    def colorfulness_difference(self) -> float:
        return self.colorfulness - self.colorfulness_truth

    @property
    def cdc_difference(self) -> float:
        return self.cdc - self.cdc_truth

    @property
    def warp_difference(self) -> float:
        return self.warp - self.warp_truth


@dataclass(frozen=True, eq=False)
class ClipResult:
    """One clip or one pair: its figures by row, and small pictures by column for the sheet.

    The pictures are of ``sample``, the last frame whose number is a power of two: one from the
    second half of the clip, found without knowing the clip's length.
    """

    name: str
    frames: int
    width: int
    height: int
    scores: dict[str, Scores]
    sample: int
    pictures: dict[str, Picture]


@dataclass(frozen=True, eq=False)
class Results:
    """What was measured, and ``conditions``: how (JSON values)."""

    clips: list[ClipResult]
    conditions: dict[str, Any]

    @property
    def rows(self) -> list[str]:
        return list(self.clips[0].scores)

    def mean(self, over: Literal["clips", "frames"] = "clips") -> dict[str, Scores]:
        """The mean by row, each clip or each frame weighing the same; NaN is left out."""
        weights = [1 if over == "clips" else clip.frames for clip in self.clips]
        return {row: _mean([clip.scores[row] for clip in self.clips], weights) for row in self.rows}


def _mean(scores: Sequence[Scores], weights: Sequence[int]) -> Scores:
    means = {figure.name: Mean() for figure in fields(Scores)}
    for name, mean in means.items():
        for clip, weight in zip(scores, weights, strict=True):
            mean.add(getattr(clip, name), weight)
    return Scores(**{name: mean.value for name, mean in means.items()})


def evaluate_clips(
    methods: ColorizationMethod | Mapping[str, ColorizationMethod],
    clips: Sequence[Path],
    *,
    reference: int = 0,
    reference_interval: int | None = None,
    max_frames: int | None = None,
    size: int | None = None,
    lpips: Lpips | None = None,
    on_frame: OnFrame | None = None,
) -> Results:
    """Make each clip gray, paint it from its own frames, and measure; both floors always run too.

    ``methods`` is one painter (its row is "painted") or several by their rows' names; none is
    allowed. A clip is a colour film or a folder of numbered frames (:func:`read_clip`).
    ``reference`` is the number of the frame that colours the whole clip; with ``reference_interval`` N each
    frame is coloured by the last frame before it, or itself, whose number is a multiple of N.
    ``size`` shrinks the frames to that short side first. ``on_frame`` hears (clip, frame number).
    Raises ``C2EError``.
    """
    if not clips:
        raise C2EError("no clip to measure: name at least one film or folder of frames")
    _at_least(0, reference=reference)
    _at_least(1, reference_interval=reference_interval, max_frames=max_frames)
    _at_least(SMALLEST_SIDE, size=size)
    if reference_interval is not None and reference:
        raise C2EError(
            f"reference {reference} and reference_interval {reference_interval} exclude each other: give one"
        )
    require(clips)

    def measured(clip: Path) -> ClipResult:
        def frames() -> Iterator[Picture]:
            return read_clip(clip, size)

        frames_with_embeddings = (
            _told_by_one(clip, frames, reference)
            if reference_interval is None
            else _told(frames(), reference_interval)
        )
        return _measure(
            clip.stem, islice(frames_with_embeddings, max_frames), methods, lpips, on_frame
        )

    return Results(
        [measured(clip) for clip in clips],
        {
            "clips": [str(clip) for clip in clips],
            "reference": f"every {reference_interval}"
            if reference_interval is not None
            else f"frame {reference}",
            "max_frames": max_frames,
            "size": size,
            "lpips": lpips is not None,
        },
    )


def evaluate_pairs(
    methods: ColorizationMethod | Mapping[str, ColorizationMethod],
    file: Path,
    *,
    size: int | None = None,
    lpips: Lpips | None = None,
    on_frame: OnFrame | None = None,
) -> Results:
    """The same for pictures: ``file`` is CSV, a line for each pair ``reference,target``.

    That header may stand above them; paths are relative to the file. Figures through time are NaN.
    """
    _at_least(SMALLEST_SIDE, size=size)
    pairs = read_pairs(file)
    require([path for pair in pairs for path in pair])

    def measured(reference: Path, target: Path) -> ClipResult:
        shown = read_picture(reference, size)
        frames_with_embeddings = [(read_picture(target, size), shown)]
        result = _measure(target.stem, frames_with_embeddings, methods, lpips, on_frame)
        return replace(result, pictures={"reference": _small(shown), **result.pictures})

    return Results(
        [measured(*pair) for pair in pairs],
        {"pairs": str(file), "size": size, "lpips": lpips is not None},
    )


def _shown(truth: Picture, colorized: dict[str, Picture]) -> dict[str, Picture]:
    """The sheet's columns, small."""
    shown = {"truth": truth, **colorized}
    return {column: _small(shown[column]) for column in shown if column != MEAN_COLOR}


def _small(picture: Picture) -> Picture:
    return shrunk(picture, _SAMPLE_HEIGHT / len(picture)).copy()


def _at_least(least: int, **options: int | None) -> None:
    for name, value in options.items():
        if value is not None and value < least:
            raise C2EError(f"{name} is {value}; it is a whole number from {least} on")


# --- measuring --------------------------------------------------------------------------------

Told = tuple[Picture, Picture | None]  # a frame, and the reference that holds from it on, if new
_Asked = tuple[Gray, Picture | None]  # the same of a gray frame


def _shared(items: Iterable[T], count: int) -> list[Iterator[T]]:
    """The items for ``count`` readers. (``itertools.tee`` holds up to 57 that all have read.)"""
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


def _told(frames: Iterable[Picture], every: int) -> Iterator[Told]:
    for number, frame in enumerate(frames):
        yield frame, (frame if number % every == 0 else None)


def _told_by_one(
    clip: Path, frames: Callable[[], Iterator[Picture]], number: int
) -> Iterator[Told]:
    reference: Picture | None = next(islice(frames(), number, None), None)
    if reference is None:
        raise C2EError(f"{clip}: has no frame {number} to take as reference; count from 0")
    for frame in frames():
        yield frame, reference
        reference = None


@dataclass
class _Film:
    """What is told of a film by itself, frame after frame."""

    colorfulness: Mean = field(default_factory=Mean)
    consistency: metrics.ColorConsistency = field(default_factory=metrics.ColorConsistency)
    warp: Mean = field(default_factory=Mean)
    lab: Floats | None = None  # of the last frame

    def add(self, rgb: Picture, motion: Motion | None) -> Floats:
        lab = metrics.lab_of(rgb)
        self.colorfulness.add(metrics.colorfulness(rgb))
        self.consistency.add(rgb)
        if self.lab is not None and motion is not None:
            self.warp.add(metrics.warp_error(self.lab, lab, motion))
        self.lab = lab
        return lab


_NEARNESS = ("psnr", "psnr_ab", "psnr_wrapped", "ssim", "ciede2000", "lpips")


@dataclass
class _Row:
    """A painter at work on one clip."""

    method: ColorizationMethod
    film: _Film = field(default_factory=_Film)
    nearness: dict[str, Mean] = field(default_factory=lambda: {name: Mean() for name in _NEARNESS})

    def colorize_image(self, frames_with_embeddings: Iterable[_Asked]) -> Iterator[Picture]:
        """The film that is told, painted; each reference is read once."""
        frames_with_embeddings, grays = _shared(frames_with_embeddings, 2)
        for colorized, (gray, _) in zip(
            self.method.colorize_frames(self._embeddings(frames_with_embeddings)),
            grays,
            strict=True,
        ):
            if colorized.shape != (*gray.shape, 3) or colorized.dtype != gray.dtype:
                raise ValueError(
                    f"painted {colorized.dtype} {colorized.shape} for gray {gray.shape}"
                )
            yield colorized

    def _embeddings(self, frames_with_embeddings: Iterable[_Asked]) -> Iterator[tuple[Gray, Any]]:
        embedding: Any = None
        for gray, reference in frames_with_embeddings:
            if reference is not None:
                embedding = self.method.embed(reference)
            yield gray, embedding

    def add(self, truth: Picture, lab: Floats, colorized: Picture, motion: Motion | None) -> None:
        painted_lab = self.film.add(colorized, motion)
        near = self.nearness
        near["psnr"].add(metrics.psnr(truth, colorized))
        near["psnr_ab"].add(metrics.psnr_ab(lab, painted_lab))
        near["psnr_wrapped"].add(metrics.psnr_wrapped(truth, colorized))
        near["ssim"].add(metrics.ssim(truth, colorized))
        near["ciede2000"].add(metrics.ciede2000(lab, painted_lab))

    def scores(self, truth: _Film) -> Scores:
        return Scores(
            **{name: self.nearness[name].value for name in _NEARNESS},
            colorfulness=self.film.colorfulness.value,
            colorfulness_truth=truth.colorfulness.value,
            cdc=self.film.consistency.value,
            cdc_truth=truth.consistency.value,
            warp=self.film.warp.value,
            warp_truth=truth.warp.value,
        )


def _rows(methods: ColorizationMethod | Mapping[str, ColorizationMethod]) -> dict[str, _Row]:
    named = methods if isinstance(methods, Mapping) else {PREDICTION: methods}
    every: dict[str, ColorizationMethod] = {
        GRAY: GrayBaseline(),
        MEAN_COLOR: MeanColorBaseline(),
        **named,
    }
    return {name: _Row(method) for name, method in every.items()}


def _measure(
    name: str,
    frames_with_embeddings: Iterable[Told],
    methods: ColorizationMethod | Mapping[str, ColorizationMethod],
    lpips: Lpips | None,
    on_frame: OnFrame | None,
) -> ClipResult:
    rows, film = _rows(methods), _Film()
    before: Gray | None = None
    shape, sample, frames = (0, 0), 0, 0
    pictures: dict[str, Picture] = {}
    # A painter may look at some frames ahead of the one it gives.
    grays = ((truth, metrics.to_gray(truth), new) for truth, new in frames_with_embeddings)
    shown, *asked = _shared(grays, 1 + len(rows))
    films = [
        row.colorize_image((gray, new) for _, gray, new in own)
        for row, own in zip(rows.values(), asked, strict=True)
    ]
    for number, ((truth, gray, _), *made) in enumerate(zip(shown, *films, strict=True)):
        motion = None if before is None else metrics.motion_between(before, gray)
        lab = film.add(truth, motion)
        colorized = dict(zip(rows, made, strict=True))
        for title, picture in colorized.items():
            rows[title].add(truth, lab, picture, motion)
        if lpips:
            distances = lpips.distances(truth, list(colorized.values()))
            for row, distance in zip(rows.values(), distances, strict=True):
                row.nearness["lpips"].add(distance)
        if number & (number - 1) == 0:  # a power of two (or the first frame)
            sample, pictures = number, _shown(truth, colorized)
        before, shape, frames = gray, gray.shape, number + 1
        if on_frame:
            on_frame(name, number)
    height, width = shape
    scores = {title: row.scores(film) for title, row in rows.items()}
    return ClipResult(name, frames, width, height, scores, sample, pictures)
