"""The output containers, and what the muxers have to be told."""

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
    """A kind of file a film is written to.

    ``muxer`` is FFmpeg's name for it, ``codecs`` are those of ours it holds, and ``text`` is what
    plain subtitles become where their own form is not held.
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

    def options(self, timestamp_repair: int, others: Iterable[int]) -> dict[str, str]:
        """What the muxer is told so that time stays as exact as it can be.

        ``timestamp_repair`` is how often the picture's time ticks in a second, ``others`` the other tracks'.
        """
        # Packets come in the order of time: none need be kept long for a track that is silent.
        options = {"max_interleave_delta": "500000"}
        if not self.quicktime:
            # By default the priming of AAC, which lies before zero, would move every track.
            return options | {"avoid_negative_ts": "disabled", "default_mode": "passthrough"}
        # The movie's own clock says where each track begins, so all their ticks must fall on it.
        movie = timestamp_repair
        for other in others:
            movie = lcm(movie, other) if lcm(movie, other) < 1 << 31 else movie
        return options | {
            "video_track_timescale": str(timestamp_repair),
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
    """The container ``output``'s suffix names; :class:`MediaError` if it does not hold the codec."""
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
    """The containers that hold the codec; of a profile, its own."""
    if settings.profile:
        return [CONTAINERS[output_suffix(settings) or ""]]
    return [c for c in dict.fromkeys(CONTAINERS.values()) if settings.codec in c.codecs]


def either(words: Iterable[str]) -> str:
    """The words as a choice: "a, b or c"."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
