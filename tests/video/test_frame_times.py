"""A constant rate that a container rounded is constant again in mp4 and mov."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from c2e_video.video.mux.frame_times import FrameTimes, constant_times
from tests import media
from tests.video.muxing import FFV1, UNEVEN, finish, picture_times

NTSC, FILM = Fraction(30000, 1001), Fraction(24000, 1001)
MS = Fraction(1, 1000)


@pytest.mark.parametrize("rate", [FILM, NTSC, Fraction(60000, 1001), 18, 24], ids=str)
@pytest.mark.parametrize(
    ("suffix", "codec"), [(".mkv", None), (".webm", None), (".flv", "libx264"), (".ts", None)]
)
@pytest.mark.parametrize("output", ["out.mp4", "out.mov"])
def test_a_constant_rate_comes_out_constant(
    tmp_path: Path, suffix: str, codec: str | None, output: str, rate: Fraction | int
) -> None:
    source = media.write_film(tmp_path / f"film{suffix}", 40, rate=rate, codec=codec)
    finish(source, tmp_path / output, parts=3)
    before, after = picture_times(source), picture_times(tmp_path / output)
    assert {b - a for a, b in pairwise(after)} == {1 / Fraction(rate)}
    assert max(abs(a - b) for a, b in zip(before, after, strict=True)) <= MS / 2
    with av.open(str(tmp_path / output)) as film:
        stream = film.streams.video[0]
        assert stream.average_rate == rate
        assert stream.duration is not None
        assert stream.time_base is not None
        assert stream.duration * stream.time_base == 40 / Fraction(rate)


def test_a_variable_rate_stays_variable(tmp_path: Path) -> None:
    source = media.write_film(
        tmp_path / "film.mkv", len(UNEVEN), pts=UNEVEN, time_base=Fraction(1, 24000), rate=FILM
    )
    finish(source, tmp_path / "out.mp4")
    assert picture_times(tmp_path / "out.mp4") == picture_times(source)


def test_one_frame_a_millisecond_off_makes_a_film_variable(tmp_path: Path) -> None:
    pts = [round(n / FILM / MS) for n in range(40)]
    pts[20] += 2
    source = media.write_film(tmp_path / "film.mkv", 40, pts=pts, time_base=MS, rate=FILM)
    finish(source, tmp_path / "out.mp4")
    assert picture_times(tmp_path / "out.mp4") == [at * MS for at in pts]


def test_matroska_is_written_as_before(tmp_path: Path) -> None:
    source = media.write_film(tmp_path / "film.mkv", 20, rate=FILM)
    finish(source, tmp_path / "out.mkv", FFV1)
    assert picture_times(tmp_path / "out.mkv") == picture_times(source)


def shown(*times: Fraction | int, last: int = 42) -> FrameTimes:
    pts = [round(at) for at in times]
    return FrameTimes(MS, pts, [*(b - a for a, b in pairwise(pts)), last])


def test_the_first_frame_keeps_its_time_as_far_as_the_others_allow() -> None:
    grid = [n / FILM / MS for n in range(240)]
    found = constant_times(shown(*grid), FILM)
    assert found is not None
    assert (found.time_base, found.pts[0], found.pts[-1]) == (Fraction(1, 24000), 0, 239 * 1001)
    assert set(found.durations) == {1001}
    for start in (Fraction(1, 3), Fraction(499, 1000), Fraction(40007, 10)):
        moved = shown(*(at + start for at in grid))
        found = constant_times(moved, FILM)
        assert found is not None
        for a, b in zip(moved.pts, found.pts, strict=True):
            assert abs(a * MS - b * found.time_base) <= MS / 2


def test_a_hold_on_the_last_frame_is_kept() -> None:
    grid = [n / FILM / MS for n in range(48)]
    found = constant_times(shown(*grid, last=2000), FILM)
    assert found is not None
    assert found.durations[-1] == 48000


def test_what_is_not_constant_is_left_alone() -> None:
    grid = [n / FILM / MS for n in range(240)]
    assert constant_times(shown(*grid), Fraction(24)) is None
    assert constant_times(shown(*grid[:100], *grid[101:]), FILM) is None
    hole = FrameTimes(Fraction(1, 25), [0, 1, 2, 4, 5, 6], [1] * 6)
    assert constant_times(hole, Fraction(25)) is None
    exact = FrameTimes(Fraction(1, 25), range(10), [1] * 10)
    assert constant_times(exact, Fraction(25)) is None
