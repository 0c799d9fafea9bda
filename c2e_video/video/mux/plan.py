"""What goes into the output, as decided before the first frame is colorized."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ..decode.discontinuity import ONE_CLOCK, Discontinuities
from ..encode import EncodeSettings
from ..frames import VideoInfo
from .containers import Container
from .tracks import Track

_FOREVER = 1 << 62


@dataclass(frozen=True)
class MuxPlan:
    """What goes into the output.

    Attributes:
        source: The film.
        container: Of the output.
        info: What ``probe`` found in the film.
        settings: How the picture is encoded.
        picture: Index of the picture's stream in the source.
        tracks: The other streams that are kept, and how.
        chapters: Whether chapters are kept.
        timecode: Whether the timecode is kept.
        window: The pts between which the film is kept, in its ``time_base``, after the shifts of
            ``discontinuities``; None where it is not cut.
        origin: The pts, on the same clock, that is the output's zero.
        discontinuities: The joins of the film.
        pattern: Names of numbered pictures, such as ``%06d.png``.
        notes: A line for everything that is lost or changed.
    """

    source: Path
    container: Container
    info: VideoInfo
    settings: EncodeSettings
    picture: int
    tracks: tuple[Track, ...]
    chapters: bool
    timecode: bool = True
    window: tuple[int | None, int | None] = (None, None)
    origin: int = 0
    discontinuities: Discontinuities = ONE_CLOCK
    pattern: str = ""
    notes: tuple[str, ...] = ()

    def ticks(self, base: Fraction) -> tuple[int, int, int]:
        """First, stop and origin in ticks of another time base.

        What lies in ``first <= t < stop`` is kept, at ``t - origin``.
        """
        first, stop = self.window
        ends = (-_FOREVER if first is None else first, _FOREVER if stop is None else stop)
        first, stop, origin = (round(t * self.info.time_base / base) for t in (*ends, self.origin))
        return first, stop, origin

    def still_true(self, fields: Mapping[str, str]) -> dict[str, str]:
        """The fields, without a timecode that is refused, or that belongs to a beginning cut off."""
        dropped = self.window[0] is not None or not self.timecode
        return {k: v for k, v in fields.items() if not (dropped and k.lower() == "timecode")}
