"""Colour clips are converted to gray, colorized from a reference, and compared with the truth.

Every frame counts, the reference's own included. A figure of a clip is the mean over its frames. Two means
close a table: over the clips with equal weights, and over all frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from ..errors import C2EError
from ..utils.arrays import Picture
from .baselines import ColorizationMethod
from .clips import SMALLEST_SIDE, read_clip, read_pairs, read_picture, require
from .lpips import Lpips
from .measurement import FrameAndReference, OnFrame, measure, thumbnail
from .scores import ClipResult, Results


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
    """Measure methods on colour clips, each colorized from frames of its own.

    Args:
        methods: One method (its row is "prediction"), or several by the names of their rows; may be empty.
            Both baselines always run too.
        clips: Colour films or folders of numbered frames (:func:`read_clip`).
        reference: Number of the frame that is the reference of the whole clip, counted from 0.
        reference_interval: N makes every N-th frame the reference of itself and of those up to the next.
        max_frames: Frames of each clip that are measured; all by default.
        size: Short side in pixels that the frames are reduced to first; their own by default.
        lpips: The LPIPS measure, or None to leave it out.
        on_frame: Called with the clip's name and the frame's number after each frame.

    Returns:
        The results of all clips.

    Raises:
        C2EError: A number is out of range, or a clip cannot be read.
    """
    if not clips:
        raise C2EError("no clip to measure: name at least one film or folder of frames")
    _at_least(0, reference=reference)
    _at_least(1, reference_interval=reference_interval, max_frames=max_frames)
    _at_least(SMALLEST_SIDE, size=size)
    if reference_interval is not None and reference:
        raise C2EError(
            f"reference {reference} and reference_interval {reference_interval} exclude each other: "
            "give one"
        )
    require(clips)

    def measured(clip: Path) -> ClipResult:
        def frames() -> Iterator[Picture]:
            return read_clip(clip, size)

        if reference_interval is None:
            with_references = _with_one_reference(clip, frames, reference)
        else:
            with_references = _with_references(frames(), reference_interval)
        return measure(clip.stem, islice(with_references, max_frames), methods, lpips, on_frame)

    return Results(
        [measured(clip) for clip in clips],
        {
            "clips": [str(clip) for clip in clips],
            "reference": (
                f"frame {reference}"
                if reference_interval is None
                else f"every {reference_interval} frames"
            ),
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
    """Measure methods on single pictures, each with a reference of its own.

    Args:
        methods: As for :func:`evaluate_clips`.
        file: A CSV file with a line ``reference,target`` a pair; that line may also stand above them as a
            header. Paths are relative to the file.
        size: As for :func:`evaluate_clips`.
        lpips: As for :func:`evaluate_clips`.
        on_frame: As for :func:`evaluate_clips`.

    Returns:
        The results; figures over time are NaN.

    Raises:
        C2EError: The file or a picture cannot be read.
    """
    _at_least(SMALLEST_SIDE, size=size)
    pairs = read_pairs(file)
    require([path for pair in pairs for path in pair])

    def measured(reference: Path, target: Path) -> ClipResult:
        picture = read_picture(reference, size)
        frames = [(read_picture(target, size), picture)]
        result = measure(target.stem, frames, methods, lpips, on_frame)
        return replace(result, pictures={"reference": thumbnail(picture), **result.pictures})

    return Results(
        [measured(*pair) for pair in pairs],
        {"pairs": str(file), "size": size, "lpips": lpips is not None},
    )


def _at_least(least: int, **options: int | None) -> None:
    for name, value in options.items():
        if value is not None and value < least:
            raise C2EError(f"{name} is {value}; it is a whole number from {least} on")


def _with_references(frames: Iterable[Picture], interval: int) -> Iterator[FrameAndReference]:
    for number, frame in enumerate(frames):
        yield frame, (frame if number % interval == 0 else None)


def _with_one_reference(
    clip: Path, frames: Callable[[], Iterator[Picture]], number: int
) -> Iterator[FrameAndReference]:
    reference: Picture | None = next(islice(frames(), number, None), None)
    if reference is None:
        raise C2EError(f"{clip}: has no frame {number} to take as reference; count from 0")
    for frame in frames():
        yield frame, reference
        reference = None
