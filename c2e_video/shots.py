"""Where one shot ends and the next begins, in damaged black-and-white film.

Frames are compared by a perceptual hash of their luma: the signs of its low frequencies against their
median. It does not see brightness, contrast, grain or scratches, and jumps where the picture does.
What comes back after a moment (a photographer's flash, a blank or torn frame) is no cut. A fade
through black is one cut, where it is darkest. Dissolves are not looked for: a map may name them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from .errors import MediaError
from .frames import Frame, Plane, Shot, VideoInfo

Hash = npt.NDArray[np.bool_]

SIDE, LOW = 32, 16  # of the thumbnail, and of the frequencies that are kept
UNLIKE = 0.395  # share of signs that differ between two pictures of different shots
BLANK = 2.5  # standard deviation, of 255, below which a frame shows nothing
PATIENCE = 4  # frames after which a picture that has not come back is gone
SHORTEST_SECONDS = 0.3


def find_shots(frames: Iterable[Frame], info: VideoInfo) -> list[Shot]:
    """The shots of a film, without holes, from its frames in order. Memory does not grow with it.

    Raises :class:`MediaError` if there are no frames.
    """
    detector = ShotDetector(info)
    for frame in frames:
        detector.see(frame)
    return detector.finish()


@dataclass
class _Change:
    """A picture unlike the one before, that may yet come back."""

    pts: int
    frames: int = 0


class ShotDetector:
    """:func:`find_shots` for a caller who has other things to do with the frames too."""

    def __init__(self, info: VideoInfo) -> None:
        self._depth = info.bit_depth
        self._shortest = SHORTEST_SECONDS / info.time_base
        self._known: Hash | None = None  # the last frame of the current shot
        self._change: _Change | None = None
        self._darkest: tuple[float, int] | None = None  # of the blank frames we are in
        self._cuts: list[int] = []
        self._end = 0

    def see(self, frame: Frame) -> None:
        """Take the next frame of the film."""
        if not self._cuts:
            self._cuts.append(frame.pts)
        self._end = frame.pts + max(1, frame.duration)
        thumbnail = _thumbnail(frame.luma, self._depth)
        if thumbnail.std() < BLANK:
            self._see_blank(float(thumbnail.mean()), frame.pts)
        else:
            self._see_picture(_hash(thumbnail), frame.pts)
            self._darkest = None

    def _see_blank(self, brightness: float, pts: int) -> None:
        if self._darkest is None or brightness < self._darkest[0]:
            self._darkest = (brightness, pts)

    def _see_picture(self, seen: Hash, pts: int) -> None:
        if self._known is None or np.mean(seen != self._known) < UNLIKE:
            self._known, self._change = seen, None
            return
        if self._change is None:
            self._change = _Change(pts if self._darkest is None else self._darkest[1])
        self._change.frames += 1
        if self._change.frames >= PATIENCE:
            self._cut(self._change.pts)
            self._known, self._change = seen, None

    def _cut(self, pts: int) -> None:
        if pts - self._cuts[-1] >= self._shortest:
            self._cuts.append(pts)

    def finish(self) -> list[Shot]:
        """The shots of all frames seen. Raises :class:`MediaError` if there were none."""
        if not self._cuts:
            raise MediaError(
                "the film gave no frames between its start and its end; nothing to paint"
            )
        cuts = self._cuts if self._end - self._cuts[-1] >= self._shortest else self._cuts[:-1]
        borders = [*(cuts or self._cuts), self._end]
        return [Shot(i, start, stop) for i, (start, stop) in enumerate(pairwise(borders))]


def _thumbnail(luma: Plane, depth: int) -> npt.NDArray[np.float32]:
    """``[SIDE, SIDE]`` in steps of 8 bits."""
    small = cv2.resize(luma, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(small / (1 << depth - 8), np.float32)


def _hash(thumbnail: npt.NDArray[np.float32]) -> Hash:
    """Signs of the low frequencies against their median (a DCT hash, as of Zauner 2010)."""
    low = cv2.dct(thumbnail)[:LOW, :LOW]
    return np.asarray(low > np.median(low), np.bool_)
