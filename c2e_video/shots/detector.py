"""Where one shot ends and the next begins, in damaged black-and-white film."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from ..errors import MediaError
from ..utils.arrays import Floats, Plane
from ..video.frames import Frame, Shot, VideoInfo
from .cuts import CutFinder, Transition
from .dissolves import DissolveFinder

ROWS, COLUMNS = 27, 48  # of a thumbnail
BLANK, BLANK_IN_THE_DARK, DARK = 2.0, 6.0, 32.0  # of 255: spread, and brightness
BLANK_FRAMES = 3  # from so many on they are a fade; fewer are torn frames
SHORTEST_SECONDS = 0.3


def find_shots(frames: Iterable[Frame], info: VideoInfo) -> list[Shot]:
    """Find the shots of a film. Memory does not grow with the film.

    Args:
        frames: The film's frames, in order.
        info: The film.

    Returns:
        The shots, in order and without holes.

    Raises:
        MediaError: There are no frames.
    """
    detector = ShotDetector(info)
    for frame in frames:
        detector.update(frame)
    return detector.compute()


class ShotDetector:
    """:func:`find_shots`, frame by frame, for a caller who uses the frames for other things as well."""

    def __init__(self, info: VideoInfo) -> None:
        self._depth = info.bit_depth
        self._shortest = SHORTEST_SECONDS / info.time_base
        self._cuts, self._dissolves = CutFinder(), DissolveFinder()
        self._darkest: tuple[float, int] | None = None  # of the blank frames we are in
        self._blank_frames = 0
        self._start: int | None = None
        self._end = 0

    def update(self, frame: Frame) -> None:
        """Take the next frame of the film."""
        if self._start is None:
            self._start = frame.pts
        self._end = frame.pts + max(1, frame.duration)
        small = thumbnail(frame.luma, self._depth)
        clean = np.asarray(cv2.medianBlur(small, 5), np.float32)
        low, high = quantiles(clean)
        if high - low < (BLANK_IN_THE_DARK if high < DARK else BLANK):
            self._darkest = min(self._darkest or (high, frame.pts), (high, frame.pts))
            self._blank_frames += 1
            return
        cut = frame.pts if self._darkest is None else self._darkest[1]
        self._cuts.update(clean, cut, in_the_dark=self._blank_frames >= BLANK_FRAMES)
        self._dissolves.update(clean, frame.pts)
        self._darkest, self._blank_frames = None, 0

    def compute(self) -> list[Shot]:
        """The shots of all frames taken. Raises MediaError where there were none."""
        if self._start is None:
            raise MediaError(
                "the film gave no frames between its start and its end; nothing to colorize"
            )
        # Where a cut and a dissolve overlap, it is the cut.
        transitions = united(self._cuts.compute(), self._dissolves.compute())
        starts = [Transition(self._start)]
        for transition in transitions:
            if transition.start - starts[-1].start >= self._shortest:
                starts.append(transition)
        while len(starts) > 1 and self._end - starts[-1].start < self._shortest:
            starts.pop()
        ends = [*(start for start, _ in starts[1:]), self._end]
        return [
            Shot.after(length, index, start, end)
            for index, ((start, length), end) in enumerate(zip(starts, ends, strict=True))
        ]


def united(known: list[Transition], more: list[Transition]) -> list[Transition]:
    """Both in order; of ``more`` only those that overlap none of ``known``."""

    def apart(one: Transition, other: Transition) -> bool:
        return one.start + one.length < other.start

    new = [m for m in more if all(apart(k, m) or apart(m, k) for k in known)]
    return sorted([*known, *new])


def quantiles(thumbnail: Floats) -> tuple[float, float]:
    """The 20th and the 80th percentile of the samples."""
    fifth = thumbnail.size // 5
    ordered = np.partition(thumbnail, (fifth, -fifth), axis=None)
    return float(ordered[fifth]), float(ordered[-fifth])


def thumbnail(luma: Plane, depth: int) -> Floats:
    """A picture reduced by area means to ``[ROWS, COLUMNS]``, in steps of 8 bits.

    Args:
        luma: ``[H, W]`` of ``depth`` bits.
        depth: 8 to 16.
    """
    rows, columns = luma.shape
    step = max(1, min(rows // ROWS, columns // COLUMNS))
    # By a whole number first, which OpenCV does ten times as fast.
    whole = luma[: rows // step * step, : columns // step * step]
    coarse = cv2.resize(whole, (columns // step, rows // step), interpolation=cv2.INTER_AREA)
    small = cv2.resize(coarse, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(small / (1 << depth - 8), np.float32)
