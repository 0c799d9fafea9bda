"""Helpers for tests of decoding."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from c2e_video.video.decode.decoder import decode, probe
from c2e_video.video.frames import Frame, VideoInfo
from tests.factories import video_info
from tests.media import (
    luma,
    picture,
    write_film,
)


def frames_of(path: Path, **options: Any) -> list[Frame]:
    return list(decode(path, probe(path), **options))


def same(some: Sequence[Frame], others: Sequence[Frame]) -> bool:
    return (
        [frame.pts for frame in some] == [frame.pts for frame in others]
        and [frame.duration for frame in some] == [frame.duration for frame in others]
        and all(np.array_equal(a.luma, b.luma) for a, b in zip(some, others, strict=True))
    )


def made_info(width: int, height: int, form: str, depth: int, matrix: Any = "bt709") -> VideoInfo:
    return video_info(
        *(width, height, depth),
        path=Path("made"),
        pixel_format=form,
        matrix=matrix,
        full_range=form.startswith("gbr"),
        frame_rate=Fraction(25),
    )


HOLES = [5, 6, 9, 10, 11, 30, 31, 33, 40, 41, 42, 55]


def interlaced(path: Path, **options: Any) -> Path:
    """Two moments in each frame, a line each."""
    woven = []
    for index in range(30):
        y = luma(2 * index).copy()
        y[1::2] = luma(2 * index + 1)[1::2]
        woven.append(picture(y))
    return write_film(path, pictures=woven, options={"x264-params": "interlaced=1"}, **options)


def folder(path: Path) -> None:
    path.mkdir()
