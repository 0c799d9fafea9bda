"""Times as people write them: hours, minutes, seconds and milliseconds."""

from __future__ import annotations

import re
from fractions import Fraction

from ..errors import C2EError

_SMPTE = re.compile(r"(\d\d?)[:;](\d\d)[:;](\d\d)([:;.,])(\d\d\d?)")
_TIMECODE = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:[.,]\d+)?)")


def parse_timecode(text: str) -> Fraction:
    """Read a time: ``HH:MM:SS.mmm``, ``MM:SS`` or seconds, with a point or a comma.

    Returns:
        Exact seconds.

    Raises:
        C2EError: The text is no such time.
    """
    match = _TIMECODE.fullmatch(text.strip())
    if match is None:
        raise C2EError(f"a time is HH:MM:SS.mmm, MM:SS or seconds, got {text!r}")
    hours, minutes, seconds = match.groups()
    if (hours is not None and int(minutes) > 59) or (
        minutes is not None and _decimal(seconds) >= 60
    ):
        raise C2EError(f"minutes and seconds of a time are below 60, got {text!r}")
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + _decimal(seconds)


def timecode_frames(text: str | None, rate: Fraction | None) -> int:
    """The number of the frame with an SMPTE timecode, ``HH:MM:SS:FF``; 0 for none, or without a rate.

    Timecode counts whole frames: 30 to its second at 29.97. Drop-frame, written with ``;`` before the
    frames, leaves out the first two numbers (of 30) of each minute but every tenth (SMPTE ST 12-1).
    """
    match = _SMPTE.fullmatch((text or "").strip())
    if match is None or not rate:
        return 0
    count = max(1, round(rate))
    hours, minutes, seconds, frames = (int(match[group]) for group in (1, 2, 3, 5))
    minutes += 60 * hours
    dropped = count // 15 * (minutes - minutes // 10) if match[4] in ";,." else 0
    return (minutes * 60 + seconds) * count + frames - dropped


def parse_rate(text: str) -> Fraction:
    """Read a frame rate: ``24``, ``24000/1001``, or ``23.976``, which is the same.

    Returns:
        Exact frames a second, 1 to 240.

    Raises:
        C2EError: The text is no such rate.
    """
    try:
        rate = Fraction(text.strip().replace(",", "."))
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 1 <= rate <= 240:
        raise C2EError(f"frames a second are 1 to 240, as 24, 23.976 or 24000/1001; got {text!r}")
    ntsc = Fraction(round(rate * 1001 / 1000) * 1000, 1001)
    return ntsc if rate.denominator > 1 and abs(rate - ntsc) < Fraction(1, 200) else rate


def _decimal(seconds: str) -> Fraction:
    """Decimal seconds, with a point or a comma, exactly."""
    return Fraction(seconds.replace(",", "."))


def format_timecode(seconds: Fraction | float) -> str:
    """``HH:MM:SS.mmm``, to the nearest millisecond; times before zero bear a minus."""
    total = round(abs(Fraction(seconds)) * 1000)
    rest, milliseconds = divmod(total, 1000)
    minutes, second = divmod(rest, 60)
    sign = "-" if seconds < 0 and total else ""
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}.{milliseconds:03d}"
