"""Black stays black: bars with grain, lifted bars, leading black."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest

from c2e_video.inference.letterbox import BarDetector, Bars
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from c2e_video.utils.arrays import Plane
from c2e_video.video.encode import EncodeSettings
from c2e_video.video.frames import Frame
from tests.media import luma, picture, plane_array, write_film
from tests.video.test_encode import info


def boxed(
    index: int, bars: Bars, lift: int = 0, grain: float = 0, size: tuple[int, int] = (96, 80)
) -> Plane:
    """A moving picture within bars that are ``lift`` above black, all of it under grain."""
    width, height = size
    inside = (width - bars.left - bars.right, height - bars.top - bars.bottom)
    y = np.full((height, width), 16.0 + lift)
    y[bars.top : height - bars.bottom, bars.left : width - bars.right] = luma(index, size=inside)
    y += grain * np.random.default_rng(index).standard_normal(y.shape)
    return cast(Plane, np.clip(np.rint(y), 0, 255).astype(np.uint8))


def found(lumas: Sequence[Plane], **film: Any) -> Bars:
    height, width = lumas[0].shape
    detector = BarDetector(info((width, height), **film))
    for index, plane in enumerate(lumas):
        detector.see(Frame(plane, index, 1))
    return detector.finish()


@pytest.mark.parametrize("bars", [Bars(10, 11), Bars(0, 0, 13, 8), Bars(6, 4, 9, 9), Bars()])
@pytest.mark.parametrize(("lift", "grain"), [(0, 0), (0, 2), (5, 1)])
def test_bars_are_found_to_the_line(bars: Bars, lift: int, grain: float) -> None:
    assert found([boxed(i, bars, lift, grain) for i in range(12)]) == bars
    deep: list[Any] = [boxed(i, bars, lift, grain).astype(np.uint16) << 2 for i in range(12)]
    assert found(deep, bit_depth=10) == bars


def test_a_dark_picture_or_black_frames_are_no_bars() -> None:
    black: Any = np.full((80, 96), 17, np.uint8)
    assert found([black] * 9) == Bars()
    assert found([black] * 9 + [boxed(0, Bars(8, 8))] * 2) == Bars(8, 8)


def test_one_leader_does_not_hide_the_bars() -> None:
    white: Any = np.full((80, 96), 230, np.uint8)
    assert found([white] + [boxed(i % 9, Bars(8, 8)) for i in range(600)]) == Bars(8, 8)


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
    bars = Bars(12, 10, 8, 6)
    rng = np.random.default_rng(0)
    leading = [
        np.clip(18 + 2 * rng.standard_normal((80, 96)), 0, 255).astype(np.uint8) for _ in range(5)
    ]
    frames = [*leading] + [boxed(i, bars, lift=4, grain=1.5) for i in range(12)]
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
