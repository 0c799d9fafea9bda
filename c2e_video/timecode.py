"""Times as people write them: hours, minutes, seconds and milliseconds."""

from __future__ import annotations

import re
from fractions import Fraction

from .errors import C2EError

_TIMECODE = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:[.,]\d+)?)")


def parse_timecode(text: str) -> Fraction:
    """Exact seconds of ``HH:MM:SS.mmm``, ``MM:SS`` or plain seconds. Raises :class:`C2EError`."""
    match = _TIMECODE.fullmatch(text.strip())
    if match is None:
        raise C2EError(f"a time is HH:MM:SS.mmm, MM:SS or seconds, got {text!r}")
    hours, minutes, seconds = match.groups()
    if (hours is not None and int(minutes) > 59) or (
        minutes is not None and _decimal(seconds) >= 60
    ):
        raise C2EError(f"minutes and seconds of a time are below 60, got {text!r}")
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + _decimal(seconds)


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
