"""Black stays black: bars with grain, lifted bars, leading black."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest

from c2e_video.inference.letterbox import Letterbox, LetterboxDetector
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from c2e_video.utils.arrays import Plane
from c2e_video.video.encode import EncodeSettings
from c2e_video.video.frames import Frame
from tests.media import luma, picture, plane_array, write_film
from tests.video.test_encode import info


def boxed(
    index: int,
    letterbox: Letterbox,
    lift: int = 0,
    grain: float = 0,
    size: tuple[int, int] = (96, 80),
) -> Plane:
    """A moving picture within bars that are ``lift`` above black, all of it under grain."""
    width, height = size
    inside = (width - letterbox.left - letterbox.right, height - letterbox.top - letterbox.bottom)
    y = np.full((height, width), 16.0 + lift)
    y[letterbox.top : height - letterbox.bottom, letterbox.left : width - letterbox.right] = luma(
        index, size=inside
    )
    y += grain * np.random.default_rng(index).standard_normal(y.shape)
    return cast(Plane, np.clip(np.rint(y), 0, 255).astype(np.uint8))


def found(lumas: Sequence[Plane], **film: Any) -> Letterbox:
    height, width = lumas[0].shape
    detector = LetterboxDetector(info((width, height), **film))
    for index, plane in enumerate(lumas):
        detector.update(Frame(plane, index, 1))
    return detector.compute()


@pytest.mark.parametrize(
    "letterbox", [Letterbox(10, 11), Letterbox(0, 0, 13, 8), Letterbox(6, 4, 9, 9), Letterbox()]
)
@pytest.mark.parametrize(("lift", "grain"), [(0, 0), (0, 2), (5, 1)])
def test_bars_are_found_to_the_line(letterbox: Letterbox, lift: int, grain: float) -> None:
    assert found([boxed(i, letterbox, lift, grain) for i in range(12)]) == letterbox
    deep: list[Any] = [boxed(i, letterbox, lift, grain).astype(np.uint16) << 2 for i in range(12)]
    assert found(deep, bit_depth=10) == letterbox


def test_a_dark_picture_or_black_frames_are_no_bars() -> None:
    black: Any = np.full((80, 96), 17, np.uint8)
    assert found([black] * 9) == Letterbox()
    assert found([black] * 9 + [boxed(0, Letterbox(8, 8))] * 2) == Letterbox(8, 8)


def test_one_leader_does_not_hide_the_bars() -> None:
    white: Any = np.full((80, 96), 230, np.uint8)
    assert found([white] + [boxed(i % 9, Letterbox(8, 8)) for i in range(600)]) == Letterbox(8, 8)


def chroma(path: Path) -> Any:
    """Cb and Cr of every frame, ``[N, 2, h, w]``."""
    with av.open(str(path)) as film:
        return np.stack(
            [
                [plane_array(plane, 8).copy() for plane in frame.planes[1:]]
                for frame in film.decode(video=0)
            ]
        )


def test_bars_and_leading_black_stay_neutral(
    tmp_path: Path, reference: Path, quick: Options
) -> None:
    """With lifted bars under grain, and a network that paints everything it is given."""
    letterbox = Letterbox(12, 10, 8, 6)
    rng = np.random.default_rng(0)
    leading = [
        np.clip(18 + 2 * rng.standard_normal((80, 96)), 0, 255).astype(np.uint8) for _ in range(5)
    ]
    frames = [*leading] + [boxed(i, letterbox, lift=4, grain=1.5) for i in range(12)]
    film = write_film(
        tmp_path / "film.mkv", codec="ffv1", pictures=[picture(frame) for frame in frames]
    )
    options = replace(quick, encode=EncodeSettings("ffv1"))
    result = colorize_video(film, references=reference, options=options)
    planes = chroma(result.output)
    assert (planes[:5] == 128).all()
    inside = planes[5:, :, 6:35, 4:45]
    assert np.abs(inside.astype(int) - 128).mean() > 5
    outside = np.ones(planes.shape[2:], bool)
    outside[6:35, 4:45] = False
    assert (planes[5:, :, outside] == 128).all()
