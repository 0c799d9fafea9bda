"""Times as people write them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2e_video.errors import C2EError
from c2e_video.utils.timecode import format_timecode, parse_rate, parse_timecode


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", Fraction(0)),
        ("12.5", Fraction(25, 2)),
        ("90", Fraction(90)),
        ("1:02", Fraction(62)),
        ("01:02:03.004", Fraction(3723004, 1000)),
        ("100:00:00", Fraction(360000)),
        (" 00:00:01,5 ", Fraction(3, 2)),
    ],
)
def test_parse(text: str, seconds: Fraction) -> None:
    assert parse_timecode(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "soon", "1:2:3:4", "-1", "1:60", "61:00:00:00", "0:61:00", "1e3"]
)
def test_bad_times_are_one_line(text: str) -> None:
    with pytest.raises(C2EError, match="got") as error:
        parse_timecode(text)
    assert "\n" not in str(error.value)


def test_format() -> None:
    assert format_timecode(Fraction(3723004, 1000)) == "01:02:03.004"
    assert format_timecode(0.0004) == "00:00:00.000"
    assert format_timecode(59.9996) == "00:01:00.000"
    assert format_timecode(-1.5) == "-00:00:01.500"


@given(st.integers(0, 10**9))
def test_round_trip(milliseconds: int) -> None:
    time = Fraction(milliseconds, 1000)
    assert parse_timecode(format_timecode(time)) == time


def test_rates() -> None:
    assert parse_rate("24") == 24
    assert parse_rate("12.5") == Fraction(25, 2)
    assert parse_rate("23.976") == parse_rate("24000/1001") == Fraction(24000, 1001)
    assert parse_rate("29,97") == Fraction(30000, 1001)
    for wrong in ("0", "fast", "1/0", "1000", "-24"):
        with pytest.raises(C2EError, match="frames a second are 1 to 240"):
            parse_rate(wrong)
