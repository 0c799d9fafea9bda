"""Conversion between the times of a list, whose zero is the film's first frame, and pts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ...errors import C2EError
from ...video.frames import VideoInfo


@dataclass(frozen=True)
class ListTimebase:
    """Converts seconds and frame numbers of a list to pts, and pts to frame numbers.

    Args:
        path: The list, for messages.
        info: The film.
        start: The pts of its first frame.
    """

    path: Path
    info: VideoInfo
    start: int

    @property
    def rate(self) -> Fraction:
        """Frames a second. Raises :class:`C2EError` if the film does not say."""
        if self.info.frame_rate is None:
            raise C2EError(
                f"{str(self.path)!r} counts frames, and the film has no frame rate; "
                "use a .csv table, which has times"
            )
        return self.info.frame_rate

    def at(self, seconds: Fraction) -> int:
        """The pts so many seconds after the first frame."""
        return self.start + round(seconds / self.info.time_base)

    def frame(self, number: Fraction | int) -> int:
        """The pts of a frame; the first has the number 0."""
        return self.at(number / self.rate)

    def number(self, pts: int) -> int:
        """The number of the frame at ``pts``."""
        return round((pts - self.start) * self.info.time_base * self.rate)
