"""What a run is asked for, checked before any work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import ceil
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from ..errors import C2EError
from ..inference.colorizer import Colorizer
from ..inference.quality import QUALITIES
from ..utils.choices import LONGEST_INTERVAL, AudioChoice, Deinterlace, Device, Precision, Quality
from ..utils.devices import find_device
from ..video.encode import EncodeSettings
from ..video.frames import VideoInfo

_HALF_A_MILLISECOND = Fraction(1, 2000)


@dataclass(frozen=True)
class Options:
    """How a film is colorized and written. What cannot be is refused where the options are made.

    A run is taken up only with the options it was begun with, but for ``device``, ``batch``, ``drop``
    and ``audio``. Of ``weights`` the file's digest counts, of ``precision`` what "auto" came to.

    Attributes:
        encode: Codec, quality and profile of the picture; H.264 by default.
        device: Where the network runs: "cpu", "cuda" or "mps"; "auto" is the best there is.
        precision: The network's numbers: "fp32", "bf16" or "fp16"; "auto" is the fastest on the device.
        quality: "draft", "standard" (the default) or "best": which ``size`` and ``anchor_interval`` are taken
            where they are None; and, where ``encode`` has none, the preset of H.264: "veryfast", "faster" or
            "fast".
        size: Short side of the pictures that the network sees, in pixels; 16 to 4096, never more than the
            film's own. None, the default, becomes that of ``quality``.
        anchor_interval: Frames from one that the network predicts to the next, at most; those between are
            interpolated along motion. 1 to 12; None, the default, is 1 on a GPU and that of ``quality`` on
            a CPU.
        batch: Frames that a GPU colorizes at once; 1 to 1024, 8 by default. A CPU takes one with each core.
        saturation: Colour strength, a factor of a* and b*; 0 to 4, 1 by default.
        prior: Weight of what things usually look like, where no reference shows them, in [0, 1];
            default 1.
        weights: A weights file (a str is taken, too); the shipped one by default.
        start: Colorize and write from this time on: exact seconds on the film's own clock, an int or a
            Fraction; the film's beginning by default.
        end: Up to this time, in the same unit; the film's end by default.
        fps: Numbered pictures shown a second, 1 to 240; 24 by default. Of films it must be None.
        deinterlace: "off" by default; "auto" makes progressive frames of those flagged as interlaced, "on"
            of all.
        drop: Streams to leave out (any collection of str is taken): "audio", "subtitles", "attachments",
            "data", "chapters", or a single one such as "audio:2"; none by default.
        audio: What becomes of sound that the container cannot hold: "copy" (the default) refuses it, "aac",
            "flac" and "pcm" encode it. All other sound is copied.

    Raises:
        C2EError: A value is of another type or out of its range.
    """

    encode: EncodeSettings = field(default_factory=EncodeSettings)
    device: Device = "auto"
    precision: Precision = "auto"
    quality: Quality = "standard"
    size: int = None  # type: ignore[assignment]
    anchor_interval: int | None = None
    batch: int = 8
    saturation: float = 1.0
    prior: float = 1.0
    weights: Path | None = None
    start: Fraction | None = None
    end: Fraction | None = None
    fps: Fraction | None = None
    deinterlace: Deinterlace = "off"
    drop: frozenset[str] = frozenset()
    audio: AudioChoice = "copy"

    def __post_init__(self) -> None:
        self._convert()
        if self.quality not in QUALITIES:
            raise C2EError(
                f"quality is one of {', '.join(map(repr, QUALITIES))}; got {self.quality!r}"
            )
        if self.size is None:
            object.__setattr__(self, "size", QUALITIES[self.quality].size)
        for name, (accepted, words) in _TYPES.items():
            value = getattr(self, name)
            if not isinstance(value, accepted) or isinstance(value, bool):
                raise C2EError(f"{name} is {words}, got {value!r} ({type(value).__name__})")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                known = ", ".join(map(repr, choices))
                raise C2EError(f"{name} is one of {known}; got {getattr(self, name)!r}")
        if not 1 <= self.batch <= 1024:
            raise C2EError(f"batch is 1 to 1024 frames, got {self.batch}")
        if self.anchor_interval is not None and not 1 <= self.anchor_interval <= LONGEST_INTERVAL:
            raise C2EError(
                f"anchor_interval is 1 to {LONGEST_INTERVAL} frames, got {self.anchor_interval}"
            )
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise C2EError(
                f"start {float(self.start):.3f} s is not before end {float(self.end):.3f} s"
            )

    def _convert(self) -> None:
        """Take what can only mean one thing: a path as str, whole seconds as int, any collection."""
        if isinstance(self.weights, str):
            object.__setattr__(self, "weights", Path(self.weights))
        for name in ("start", "end", "fps"):
            if type(value := getattr(self, name)) is int:
                object.__setattr__(self, name, Fraction(value))
        if isinstance(self.drop, (set, list, tuple)):
            object.__setattr__(self, "drop", frozenset(self.drop))

    def at_quality(self, quality: Quality) -> Options:
        """The same options with the size and the anchor interval of a quality.

        Args:
            quality: "draft", "standard" or "best".

        Returns:
            The options.
        """
        return replace(self, quality=quality, size=QUALITIES[quality].size, anchor_interval=None)

    @property
    def encoding(self) -> EncodeSettings:
        """``encode`` with its preset named: that of the quality where none is asked for."""
        return self.encode.with_preset(self.quality)

    def encoded(self, info: VideoInfo) -> VideoInfo:
        """The film as it is encoded.

        Args:
            info: The film.

        Returns:
            Its description; progressive if it is deinterlaced.
        """
        return info if self.deinterlace == "off" else replace(info, interlaced=False)


_EXACT = "an int or a Fraction, such as Fraction(3, 2)"
_TYPES: Mapping[str, tuple[Any, str]] = {
    "encode": (EncodeSettings, 'an EncodeSettings, such as EncodeSettings("h265")'),
    "size": (int, "a whole number of pixels"),
    "anchor_interval": ((int, NoneType), "a whole number of frames, or None"),
    "batch": (int, "a whole number of frames"),
    "saturation": ((int, float), "a number"),
    "prior": ((int, float), "a number"),
    "weights": ((Path, NoneType), "the path of a file, or None"),
    "start": ((Fraction, NoneType), f"exact seconds: {_EXACT}"),
    "end": ((Fraction, NoneType), f"exact seconds: {_EXACT}"),
    "fps": ((Fraction, NoneType), f"exact frames a second: {_EXACT}"),
    "drop": (frozenset, 'a collection of kinds of streams, such as {"audio"}'),
}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "device": get_args(Device),
    "precision": get_args(Precision),
    "deinterlace": get_args(Deinterlace),
    "audio": get_args(AudioChoice),
}


def interval_on(device: str, options: Options) -> int:
    """The anchor interval that ``options`` ask for, or that they take by default on ``device``."""
    usual = QUALITIES[options.quality].anchor_interval if device == "cpu" else 1
    return options.anchor_interval or usual


def colorizer_for(options: Options) -> Colorizer:
    """The network that ``options`` ask for."""
    return Colorizer(
        options.weights,
        device=options.device,
        precision=options.precision,
        size=options.size,
        saturation=options.saturation,
        anchor_interval=interval_on(find_device(options.device).type, options),
        batch=options.batch,
        prior=options.prior,
    )


def window_of(info: VideoInfo, options: Options) -> tuple[int | None, int | None]:
    """The pts between which the film is colorized, the second exclusive; None where it is not cut short."""

    def first_from(seconds: Fraction | None) -> int | None:
        """The first pts whose time, rounded to milliseconds, is not before ``seconds``."""
        return None if seconds is None else ceil((seconds - _HALF_A_MILLISECOND) / info.time_base)

    return first_from(options.start), first_from(options.end)
