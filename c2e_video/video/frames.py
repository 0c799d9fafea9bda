"""What flows between the stages: frozen values that carry their own time.

Luma and chroma are codec Y and CbCr; lightness and ab are Lab. Times are integer pts in the film's
``time_base``; a float of seconds only ever has a name that ends in ``_seconds``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from ..color.colorimetry import Colorimetry
from ..color.luma_range import LumaRange
from ..color.matrices import Matrix
from ..utils.arrays import Plane
from ..utils.timecode import format_timecode


class Crop(NamedTuple):
    """So many samples at each side of the stored picture that players do not show."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True)
class VideoInfo:
    """A film's picture track, as its container and its first decoded frame describe it.

    Attributes:
        path: The film.
        width: Of the stored picture in samples, before rotation and sample aspect ratio.
        height: Of the stored picture in samples.
        pixel_format: FFmpeg's name of it.
        bit_depth: Of luma, 8 to 16.
        matrix: How R, G, B become Y, Cb, Cr; guessed by size where the film does not say, as players do.
        full_range: Whether samples use all their values, or the limited range of video.
        transfer: ITU-T H.273 code point of the transfer curve; 2 is unspecified.
        primaries: ITU-T H.273 code point of the primaries; 2 is unspecified.
        sample_aspect_ratio: Width over height of a pixel.
        rotation: Degrees counter-clockwise by which players turn the stored picture.
        time_base: A tick of the track's pts, in seconds.
        frame_rate: Frames a second, if it is known; of a variable rate, the average.
        frame_count: The container's word, or an estimate by the duration; for progress bars only.
        duration_seconds: The container's word.
        interlaced: Whether a frame holds two fields.
        top_field_first: Whether the top field of an interlaced frame is the earlier one.
        start_timecode: SMPTE timecode ``HH:MM:SS:FF`` of the first frame, where the film says one.
        mirrored: Whether players exchange left and right after the rotation.
        display_matrix: The nine numbers by which the file says rotation and mirroring, if it does.
        crop: What the container hides of the stored picture, if anything.
    """

    path: Path
    width: int
    height: int
    pixel_format: str
    bit_depth: int
    matrix: Matrix
    full_range: bool
    transfer: int
    primaries: int
    sample_aspect_ratio: Fraction
    rotation: int
    time_base: Fraction
    frame_rate: Fraction | None
    frame_count: int | None
    duration_seconds: float | None
    interlaced: bool = False
    top_field_first: bool = True
    start_timecode: str | None = None
    mirrored: bool = False
    display_matrix: tuple[int, ...] | None = None
    crop: Crop | None = None

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a picture is at least 1x1, got {self.width}x{self.height}")
        if not 8 <= self.bit_depth <= 16:
            raise ValueError(f"bit_depth is 8 to 16, got {self.bit_depth}")
        if self.time_base <= 0:
            raise ValueError(f"time_base is positive, got {self.time_base}")

    @property
    def turns(self) -> int:
        """Quarter turns counter-clockwise that set the stored picture upright, 0 to 3."""
        return round(self.rotation / 90) % 4

    def upright(self, stored: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A stored picture as it is shown.

        Args:
            stored: ``[H, W, ...]``.

        Returns:
            The picture turned and mirrored, a view.
        """
        turned = np.rot90(stored, self.turns)
        return turned[:, ::-1] if self.mirrored else turned

    def stored(self, upright: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A picture as the film stores it: the reverse of :meth:`upright`.

        Args:
            upright: ``[H, W, ...]``.

        Returns:
            The picture mirrored and turned, a view.
        """
        turned = upright[:, ::-1] if self.mirrored else upright
        return np.rot90(turned, -self.turns)

    @property
    def luma_range(self) -> LumaRange:
        """Depth and range of the film's luma."""
        return LumaRange(self.bit_depth, self.full_range)

    @property
    def colorimetry(self) -> Colorimetry:
        """What the film's samples mean."""
        return Colorimetry(self.matrix, self.primaries, self.transfer)

    def seconds(self, pts: int) -> float:
        """A time in seconds.

        Args:
            pts: The time in units of ``time_base``.

        Returns:
            The time in seconds.
        """
        return float(pts * self.time_base)

    def timecode(self, pts: int) -> str:
        """A time as text.

        Args:
            pts: The time in units of ``time_base``.

        Returns:
            ``HH:MM:SS.mmm``.
        """
        return format_timecode(pts * self.time_base)


@dataclass(frozen=True)
class PictureFormat:
    """The pictures of the output: what chroma has to be made for.

    ``subsampling`` is ``(sx, sy)``, luma samples to a chroma sample across and down: (2, 2) for 4:2:0.
    """

    pixel_format: str
    bit_depth: int
    subsampling: tuple[int, int]
    matrix: Matrix
    full_range: bool


@dataclass(frozen=True, eq=False)
class Frame:
    """One decoded picture: the source's own Y plane, uint8 or uint16 ``[H, W]``, and its time.

    Samples are right-aligned (a 10-bit plane holds 0 to 1023). The array may be a view of the
    decoder's buffer: read it, never write it.
    """

    luma: Plane
    pts: int
    duration: int

    def __post_init__(self) -> None:
        if self.luma.ndim != 2 or self.luma.dtype not in (np.uint8, np.uint16):
            raise ValueError(
                f"luma is uint8 or uint16 [H, W], got {self.luma.dtype} {self.luma.shape}"
            )

    def detached(self) -> Frame:
        """The frame with a copy of its luma: a view keeps the decoder's whole picture, chroma included."""
        return replace(self, luma=self.luma.copy())


@dataclass(frozen=True)
class Shot:
    """A run of frames without a cut: ``start <= pts < stop``.

    ``transition`` tells how the shot begins. A dissolve begins with ``dissolve`` pts in which the
    shot before fades out and this one in: it spans ``[start, start + dissolve)``.
    """

    index: int
    start: int
    stop: int
    transition: Literal["cut", "dissolve"] = "cut"
    dissolve: int = 0

    def __post_init__(self) -> None:
        if self.stop <= self.start:
            raise ValueError(f"shot {self.index} is empty: [{self.start}, {self.stop})")
        if (self.transition == "dissolve") != (self.dissolve > 0):
            raise ValueError(f"shot {self.index}: a dissolve has a length, a cut has none")

    @classmethod
    def after(cls, dissolve: int, index: int, start: int, stop: int) -> Shot:
        """A shot, by the length of the dissolve at its start.

        Args:
            dissolve: Length of the dissolve in pts; 0 for a cut.
            index: The shot's number, from 0.
            start: Its first pts.
            stop: The pts after its last.

        Returns:
            The shot.
        """
        return cls(index, start, stop, "dissolve" if dissolve else "cut", dissolve)

    def __contains__(self, pts: int) -> bool:
        return self.start <= pts < self.stop


@dataclass(frozen=True, eq=False)
class FrameBatch:
    """Frames of one shot, in order, all of one size: what the network colorizes at once."""

    frames: tuple[Frame, ...]
    shot: Shot

    def __post_init__(self) -> None:
        if not self.frames:
            raise ValueError("a batch holds at least one frame")
        if len({frame.luma.shape for frame in self.frames}) != 1:
            raise ValueError("the frames of a batch have one size")

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def pts(self) -> tuple[int, ...]:
        return tuple(frame.pts for frame in self.frames)

    @property
    def size(self) -> tuple[int, ...]:
        """Height and width of its frames."""
        return self.frames[0].luma.shape

    @property
    def luma(self) -> Plane:
        """``[N, H, W]``, a copy in the source's own dtype."""
        return cast(Plane, np.stack([frame.luma for frame in self.frames]))


@dataclass(frozen=True, eq=False)
class ColorBatch:
    """A colorized batch: the gray batch itself, and its new chroma.

    ``cb`` and ``cr`` are ``[N, ceil(H / sy), ceil(W / sx)]`` for the encoder's subsampling, uint8
    at 8 bits and uint16 above, in the encoder's range and depth. No code writes Y: the encoder
    takes ``gray``'s planes as the decoder left them.
    """

    gray: FrameBatch
    cb: Plane
    cr: Plane

    def __post_init__(self) -> None:
        if self.cb.shape != self.cr.shape or self.cb.dtype != self.cr.dtype:
            raise ValueError(f"cb {self.cb.shape} and cr {self.cr.shape} differ")
        if len(self.cb) != len(self.gray):
            raise ValueError(f"{len(self.gray)} frames have {len(self.cb)} chroma planes")

    def runs(self, key: Callable[[int], int]) -> Iterator[tuple[int, ColorBatch]]:
        """The batch in pieces, of frames whose pts have one ``key``, each with it."""
        for owner, run in groupby(range(len(self.gray)), key=lambda i: key(self.gray.pts[i])):
            numbers = list(run)
            part = slice(numbers[0], numbers[-1] + 1)
            frames = FrameBatch(self.gray.frames[part], self.gray.shot)
            yield owner, ColorBatch(frames, self.cb[part], self.cr[part])


def batched(frames: Iterable[Frame], shots: Iterable[Shot], size: int) -> Iterator[FrameBatch]:
    """Group frames into batches of at most ``size`` that never reach across a cut.

    ``shots`` are in order and without holes; a frame past the last shot's ``stop`` belongs to it.
    """
    remaining = iter(shots)
    shot = next(remaining)
    following = next(remaining, None)

    def current(frame: Frame) -> Shot:
        nonlocal shot, following
        while following is not None and frame.pts >= following.start:
            shot, following = following, next(remaining, None)
        return shot

    for owner, run in groupby(frames, key=current):
        batch: list[Frame] = []
        for frame in run:
            if len(batch) == size or (batch and batch[0].luma.shape != frame.luma.shape):
                yield FrameBatch(tuple(batch), owner)
                batch = []
            batch.append(frame)
        if batch:
            yield FrameBatch(tuple(batch), owner)
