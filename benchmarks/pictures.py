"""Pictures and descriptions of films, for the benchmarks."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2

from c2e_video.video.frames import VideoInfo


def read_rgb(path: Path) -> Any:
    """The picture in a file, RGB uint8 ``[H, W, 3]``."""
    picture: Any = cv2.imread(str(path))
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def full_range_film(width: int, height: int) -> VideoInfo:
    """The description of a film of full-range BT.601 luma, 24 frames a second."""
    return VideoInfo(
        path=Path("drawn"),
        width=width,
        height=height,
        pixel_format="yuvj420p",
        bit_depth=8,
        matrix="bt601",
        full_range=True,
        transfer=2,
        primaries=2,
        sample_aspect_ratio=Fraction(1),
        rotation=0,
        time_base=Fraction(1, 24),
        frame_rate=Fraction(24),
        frame_count=None,
        duration_seconds=None,
    )
