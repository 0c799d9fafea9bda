"""Frames of colour films as R'G'B' pictures, small and upright: references, not film to be colorized."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation

from ...utils.arrays import Picture
from ..frames import VideoInfo
from .report import DecodeReport
from .seeking import pictures_from
from .timestamps import timed

MAX_SIDE = 512  # of the short side, in pixels
_MATRICES = {
    "bt601": Colorspace.ITU601,
    "bt709": Colorspace.ITU709,
    "bt2020": Colorspace.BT2020,
}


def color_frames(
    path: str | Path, info: VideoInfo, start: int | None = None
) -> Iterator[tuple[int, VideoFrame]]:
    """The decoded pictures of a film with their pts, from ``start`` on; see :func:`as_rgb`.

    Raises:
        MediaError: The film cannot be opened.
    """
    for picture, pts, _ in timed(pictures_from(path, start, 0, DecodeReport()), info):
        if start is None or pts >= start:
            yield pts, picture


def color_frame_at(path: str | Path, info: VideoInfo, pts: int) -> Picture | None:
    """The frame shown at ``pts``, or at most two milliseconds later; None where there is none.

    Args:
        path: The film.
        info: What its picture track holds.
        pts: A time, which may have been rounded to a millisecond.

    Returns:
        As :func:`as_rgb` has it.
    """
    slack = round(Fraction(2, 1000) / info.time_base)
    for _, picture in color_frames(path, info, pts - slack):
        return as_rgb(picture, info)
    return None


def as_rgb(picture: VideoFrame, info: VideoInfo) -> Picture:
    """R'G'B' uint8 ``[H, W, 3]``: upright, with square pixels, the short side ``MAX_SIDE`` at most."""
    width, height = picture.width * info.sample_aspect_ratio, Fraction(picture.height)
    scale = min(Fraction(1), Fraction(MAX_SIDE) / min(width, height))
    rgb = picture.reformat(
        width=max(1, round(width * scale)),
        height=max(1, round(height * scale)),
        format="rgb24",
        src_colorspace=_MATRICES[info.matrix],
        interpolation=Interpolation.AREA,
        threads=1,
    ).to_ndarray()
    return np.ascontiguousarray(info.upright(rgb).astype(np.uint8, copy=False))
