"""The frame rate: of those that a container states, the one that its times show."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

from c2e_video.video.decode.decoder import decode, probe
from c2e_video.video.decode.frame_rate import RateSample, choose_rate
from tests import media

NTSC, FILM = Fraction(30000, 1001), Fraction(24000, 1001)
MILLISECONDS, MPEG = Fraction(1, 1000), Fraction(1, 90000)


def raw(path: Path, codec: str, rate: Fraction | int, how: dict[str, Any], size: Any) -> Path:
    """A stream of one codec without a container, 30 frames long."""
    form = {".m2v": "mpeg2video", ".hevc": "hevc", ".h264": "h264", ".dv": "dv"}[path.suffix]
    with av.open(str(path), "w", format=form) as output:
        video: Any = output.add_stream(codec, rate=rate, options=how.get("options", {}))
        video.width, video.height = size
        video.pix_fmt = how.get("pixel_format", "yuv420p")
        video.codec_context.max_b_frames = how.get("b_frames", 0)
        for index in range(30):
            frame = media.picture(media.luma(index, size=size), video.pix_fmt)
            frame.pts, frame.time_base = index, 1 / Fraction(rate)
            output.mux(video.encode(frame))
        output.mux(video.encode())
    return path


@pytest.mark.parametrize("rate", [25, 24, NTSC, FILM], ids=str)
@pytest.mark.parametrize(
    ("suffix", "codec", "how"),
    [
        (".m2v", "mpeg2video", {}),
        (".m2v", "mpeg2video", {"b_frames": 2}),
        (".h264", "libx264", {"b_frames": 2}),
        (".hevc", "libx265", {"options": {"x265-params": "log-level=none"}}),
    ],
)
def test_a_raw_stream_has_the_rate_in_its_own_header(
    tmp_path: Path, suffix: str, codec: str, how: dict[str, Any], rate: Fraction | int
) -> None:
    film = raw(tmp_path / f"film{suffix}", codec, rate, how, (64, 48))
    info = probe(film)
    assert info.frame_rate == rate
    pts = [frame.pts for frame in decode(film, info)]
    assert len(pts) == 30
    assert {(b - a) * info.time_base for a, b in pairwise(pts)} == {1 / Fraction(rate)}


@pytest.mark.parametrize(
    ("rate", "size", "pixel_format"),
    [(25, (720, 576), "yuv420p"), (NTSC, (720, 480), "yuv411p")],
    ids=["PAL", "NTSC"],
)
def test_raw_dv_has_the_rate_of_its_system(
    tmp_path: Path, rate: Any, size: Any, pixel_format: str
) -> None:
    film = raw(tmp_path / "tape.dv", "dvvideo", rate, {"pixel_format": pixel_format}, size)
    info = probe(film)
    assert (info.frame_rate, info.frame_count) == (rate, 30)


@pytest.mark.parametrize("rate", [NTSC, FILM, 18, Fraction(60000, 1001)], ids=str)
@pytest.mark.parametrize("suffix", [".mkv", ".flv", ".ts", ".webm", ".avi", ".mpg", ".mp4"])
def test_a_clock_that_rounds_does_not_change_the_rate(
    tmp_path: Path, suffix: str, rate: Fraction | int
) -> None:
    codec = "libx264" if suffix == ".flv" else None
    film = media.write_film(tmp_path / f"film{suffix}", 40, rate=rate, codec=codec)
    assert probe(film).frame_rate == rate


def test_one_frame_has_the_rate_of_its_duration(tmp_path: Path) -> None:
    assert probe(media.write_film(tmp_path / "film.ts", 1)).frame_rate == 25
    assert probe(media.write_film(tmp_path / "film.mkv", 1)).frame_rate == 25


# -- the choice ------------------------------------------------------------------------------------


def sample(*times: int, base: Fraction = MILLISECONDS, duration: int = 0) -> RateSample:
    return RateSample(times, duration, base)


def rounded(rate: Fraction, count: int, base: Fraction = MILLISECONDS) -> RateSample:
    return sample(*(round(n / rate / base) for n in range(count)), base=base)


def test_the_first_stated_rate_that_the_times_show_is_chosen() -> None:
    stated = [Fraction(60000), Fraction(25), Fraction(50)]
    assert choose_rate(stated, rounded(Fraction(25), 30)) == 25
    assert choose_rate(stated, rounded(Fraction(50), 30)) == 50
    assert choose_rate([Fraction(25)], rounded(NTSC, 250)) == NTSC
    assert choose_rate([Fraction(24), FILM], rounded(FILM, 250)) == FILM


def test_a_rate_computed_from_rounded_times_is_the_standard_one() -> None:
    assert choose_rate([Fraction(989, 33)], rounded(NTSC, 250)) == NTSC
    assert choose_rate([Fraction(2997, 125)], rounded(FILM, 250)) == FILM
    exact = sample(*range(0, 5000, 500), base=Fraction(1, 11988))
    assert choose_rate([Fraction(2997, 125)], exact) == Fraction(2997, 125)


def test_holes_do_not_change_the_rate() -> None:
    times = [n * 40 for n in range(100) if not 30 < n < 60]
    assert choose_rate([Fraction(18)], sample(*times)) == 25


def test_a_variable_rate_is_the_average_of_its_times() -> None:
    steps = [20, 60, 20, 100] * 30
    times = [sum(steps[:n]) for n in range(len(steps))]
    rate = choose_rate([Fraction(60000)], sample(*times))
    assert rate is not None
    assert float(rate) == pytest.approx(20, rel=0.02)


def test_soft_telecine_has_the_rate_of_its_film() -> None:
    """Frames of 2 and 3 fields by turns, at 59.94 fields a second."""
    fields = [sum((2, 3)[k % 2] for k in range(n)) for n in range(240)]
    times = [round(n * Fraction(1001, 60000) / MPEG) for n in fields]
    assert choose_rate([NTSC, FILM], sample(*times, base=MPEG)) == FILM


def test_without_times_the_duration_decides_and_then_what_is_stated() -> None:
    stated = [Fraction(25), NTSC]
    assert choose_rate(stated, sample(base=Fraction(1, 1200000), duration=40040)) == NTSC
    assert choose_rate(stated, sample()) == 25
    assert choose_rate([], sample()) is None
    assert choose_rate([Fraction(90000)], sample(7)) is None
