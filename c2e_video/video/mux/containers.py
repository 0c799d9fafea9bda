"""The containers of the output, and the options of their muxers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import lcm
from pathlib import Path

from ...errors import MediaError
from ..encode import EncodeSettings, output_suffix
from ..encode.numbered_path import PICTURE_CODECS, is_pattern


@dataclass(frozen=True)
class Container:
    """A kind of file that a film is written to.

    Attributes:
        name: For messages, and its usual suffix.
        muxer: FFmpeg's name of it.
        codecs: The output's codecs that it holds.
        text: The codec that plain subtitles become if theirs is not held.
    """

    name: str
    muxer: str
    codecs: tuple[str, ...]
    text: str

    @property
    def is_sequence(self) -> bool:
        """Whether it is numbered pictures."""
        return self.muxer == "image2"

    @property
    def quicktime(self) -> bool:
        """Whether it is of the QuickTime family, mp4 or mov; of Matroska's otherwise."""
        return self.muxer in ("mp4", "mov")

    def options(self, ticks: int, others: Iterable[int]) -> dict[str, str]:
        """The muxer's options with which times are most exact.

        Args:
            ticks: Of the picture's clock in a second.
            others: Those of the other tracks.
        """
        # Packets come in order of time, so the muxer need not wait long for a track without packets.
        options = {"max_interleave_delta": "500000"}
        if not self.quicktime:
            # The priming of AAC lies before zero. By default, all tracks would be shifted for it.
            return options | {"avoid_negative_ts": "disabled", "default_mode": "passthrough"}
        # The movie's clock gives the start of each track, so it should have the ticks of all of them.
        movie = ticks
        for other in others:
            movie = lcm(movie, other) if lcm(movie, other) < 1 << 31 else movie
        return options | {
            "video_track_timescale": str(ticks),
            "movie_timescale": str(movie),
        }


_MP4 = Container("mp4", "mp4", ("h264", "h265", "av1"), "mov_text")
_PICTURES = {codec: Container(codec, "image2", (codec,), "") for codec in PICTURE_CODECS.values()}
CONTAINERS: Mapping[str, Container] = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mov": Container("mov", "mov", ("h264", "h265", "prores", "dnxhr", "av1"), "mov_text"),
    ".mxf": Container("mxf", "mxf", ("dnxhr",), ""),
    ".mkv": Container("mkv", "matroska", ("h264", "h265", "ffv1", "prores", "av1"), "subrip"),
    ".webm": Container("webm", "webm", ("av1",), "webvtt"),
    **{suffix: _PICTURES[codec] for suffix, codec in PICTURE_CODECS.items()},
}


def container_for(output: Path, settings: EncodeSettings) -> Container:
    """The container that a suffix names.

    Args:
        output: The file to be written.
        settings: How the picture is encoded.

    Raises:
        MediaError: The suffix is unknown, or the container does not hold the codec or profile.
    """
    container = CONTAINERS.get(output.suffix.lower())
    if container is None:
        raise MediaError(
            f"cannot tell the container of {output.name!r} by its suffix; "
            f"write to {either(CONTAINERS)}"
        )
    if container.is_sequence and not is_pattern(output):
        raise MediaError(
            f"pictures are numbered and have a folder of their own; write to a pattern such as "
            f"{str(output.with_suffix('') / f'%06d{output.suffix}')!r}, got {output.name!r}"
        )
    if settings.profile and container not in holders(settings):
        raise MediaError(
            f"profile {settings.profile} is {settings.codec} in {output_suffix(settings)}, got "
            f"{output.name!r}; write to that, or give a codec instead of the profile"
        )
    if settings.codec not in container.codecs:
        able = (f".{c.name}" for c in holders(settings))
        raise MediaError(
            f"{container.name} does not hold {settings.codec}; write to {either(able)}, "
            f"or use codec {either(container.codecs)}"
        )
    return container


def holders(settings: EncodeSettings) -> list[Container]:
    """The containers that hold the codec; for a profile, its own one."""
    if settings.profile:
        return [CONTAINERS[output_suffix(settings) or ""]]
    return [c for c in dict.fromkeys(CONTAINERS.values()) if settings.codec in c.codecs]


def either(words: Iterable[str]) -> str:
    """The words as a choice: "a, b or c"."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
