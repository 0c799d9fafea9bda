"""What is asked for: the options of a run, its output and its references, checked before any work."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from pathlib import Path

from ..errors import C2EError
from ..inference.colorizer import Colorizer
from ..utils.choices import AudioChoice, Deinterlace, Device, Precision
from ..video.encode import EncodeSettings
from ..video.frames import VideoInfo

_HALF_A_MILLISECOND = Fraction(1, 2000)


@dataclass(frozen=True)
class Options:
    """How a film is painted and written.

    All but ``device``, ``batch``, ``drop`` and ``audio`` is part of a job's identity; of ``weights``, their
    digest, and of ``precision``, what it came to.

    ``start`` and ``end`` are exact seconds on the film's own clock; only what lies between is painted and
    written. ``fps`` is how many numbered pictures are shown a second (24 if not told); films know it.
    ``drop`` names streams to leave out: audio, subtitles, attachments, data, chapters, or one such as
    audio:2. ``audio`` is what becomes of sound that the container does not hold.
    """

    encode: EncodeSettings = field(default_factory=EncodeSettings)
    device: Device = "auto"
    precision: Precision = "auto"
    size: int = 256
    batch: int = 8
    saturation: float = 1.0
    weights: Path | None = None
    start: Fraction | None = None
    end: Fraction | None = None
    fps: Fraction | None = None
    deinterlace: Deinterlace = "off"
    drop: frozenset[str] = frozenset()
    audio: AudioChoice = "copy"

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= 1024:
            raise C2EError(f"batch is 1 to 1024 frames, got {self.batch}")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise C2EError(
                f"start {float(self.start):.3f} s is not before end {float(self.end):.3f} s"
            )


def colorizer_for(options: Options) -> Colorizer:
    """The network as ``options`` ask for it."""
    return Colorizer(
        options.weights,
        device=options.device,
        precision=options.precision,
        size=options.size,
        saturation=options.saturation,
    )


def window_of(info: VideoInfo, options: Options) -> tuple[int | None, int | None]:
    """The pts between which the film is painted; None where it is not cut short."""

    def first_from(seconds: Fraction | None) -> int | None:
        """The first pts whose time, in milliseconds as people write it, is not before ``seconds``."""
        return None if seconds is None else ceil((seconds - _HALF_A_MILLISECOND) / info.time_base)

    return first_from(options.start), first_from(options.end)
