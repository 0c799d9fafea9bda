"""Black bars around the picture, and black frames, get neutral chroma.

At code black the gamut has no colours. But bars have grain, and telecines raise them: at 4 of 219 steps a
tint shows. Bars are found over the whole film, black frames one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from ..utils.arrays import Plane
from ..video.frames import ColorBatch, Frame, PictureFormat, VideoInfo

# Shares of the way from black to white.
DARK = 12 / 219  # the largest mean luma of a block of a bar; a mean, because bars have grain
# The luma of the brightest block below which a frame gets no colour, and from which on it gets all of it.
FADE = (6 / 219, 24 / 219)
BLOCKS = 16  # across and down
SAMPLES = 8  # of a block that are read, across and down
STRAY = 1 / 500  # share of frames in which a bar may be bright: a leader, a torn frame, a flash


@dataclass(frozen=True)
class Letterbox:
    """Luma rows and columns at the picture's borders that are black in the whole film.

    Args:
        top: Rows.
        bottom: Rows.
        left: Columns.
        right: Columns.
    """

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0


NO_LETTERBOX = Letterbox()


class LetterboxDetector:
    """Finds the bars of a film from its frames; memory does not grow with their number.

    Args:
        info: The film.
    """

    def __init__(self, info: VideoInfo) -> None:
        self.info, self._frames = info, 0
        self._rows = np.zeros(info.height, np.int64)
        self._columns = np.zeros(info.width, np.int64)

    def update(self, frame: Frame) -> None:
        """Count the rows and columns in which the frame is bright. Black frames are not counted."""
        height, width = frame.luma.shape
        rows = _brightness(_shrunk(frame.luma, (height, BLOCKS)).max(1), self.info) > DARK
        if rows.any():
            columns = _brightness(_shrunk(frame.luma, (BLOCKS, width)).max(0), self.info) > DARK
            self._rows += rows
            self._columns += columns
            self._frames += 1

    def compute(self) -> Letterbox:
        """The bars of all frames that were counted."""
        return Letterbox(*self._ends(self._rows), *self._ends(self._columns))

    def _ends(self, bright: npt.NDArray[np.int64]) -> tuple[int, int]:
        inside = np.flatnonzero(bright > self._frames * STRAY)
        return (int(inside[0]), len(bright) - 1 - int(inside[-1])) if inside.size else (0, 0)


def neutralize_black(
    colorized: ColorBatch, letterbox: Letterbox, info: VideoInfo, picture: PictureFormat
) -> ColorBatch:
    """Make chroma neutral in the bars and in black frames.

    Args:
        colorized: The frames.
        letterbox: The bars.
        info: The film.
        picture: The pictures of the output.

    Returns:
        The batch. In frames whose brightest block lies within :data:`FADE`, chroma is reduced smoothly.
    """
    shares = [_share(frame.luma, info) for frame in colorized.gray.frames]
    if letterbox == NO_LETTERBOX and min(shares) == 1:
        return colorized
    cb, cr = (_neutral(plane, shares, letterbox, picture) for plane in (colorized.cb, colorized.cr))
    return ColorBatch(colorized.gray, cb, cr)


def _neutral(
    chroma: Plane, shares: list[float], letterbox: Letterbox, picture: PictureFormat
) -> Plane:
    middle, (sx, sy) = 1 << picture.bit_depth - 1, picture.subsampling
    weights = np.array(shares, np.float32)[:, None, None]
    faded: Any = np.rint((chroma.astype(np.float32) - middle) * weights + middle)
    _, height, width = chroma.shape
    # A chroma sample that covers some of the picture is the picture's.
    faded[:, : letterbox.top // sy] = faded[:, height - letterbox.bottom // sy :] = middle
    faded[:, :, : letterbox.left // sx] = faded[:, :, width - letterbox.right // sx :] = middle
    return cast(Plane, faded.astype(chroma.dtype))


def _share(luma: Plane, info: VideoInfo) -> float:
    """The factor of a frame's chroma, 0 to 1: a smooth step over :data:`FADE` of its brightest block."""
    brightest = float(_brightness(_shrunk(luma, (BLOCKS, BLOCKS)), info).max())
    none, all_of_it = FADE
    way = min(1.0, max(0.0, (brightest - none) / (all_of_it - none)))
    return way * way * (3 - 2 * way)


def _shrunk(luma: Plane, size: tuple[int, int]) -> Plane:
    """Block means over some samples of each block; at most one block a sample."""
    steps = (max(1, n // (SAMPLES * m)) for n, m in zip(luma.shape, size, strict=True))
    some: Any = np.ascontiguousarray(luma[tuple(slice(None, None, step) for step in steps)])
    height, width = (min(n, m) for n, m in zip(some.shape, size, strict=True))
    small = cv2.resize(some, (width, height), interpolation=cv2.INTER_AREA)
    return cast(Plane, small.reshape(height, width))


def _brightness(luma: Plane, info: VideoInfo) -> npt.NDArray[np.float64]:
    """Luma as a share: 0 is black, 1 is white."""
    black, white = info.luma_range.ends
    return (luma.astype(np.float64) - black) / (white - black)
