"""Kinds and names of streams."""

from __future__ import annotations

from av.stream import Discard, Disposition, Stream


def is_cover(stream: Stream) -> bool:
    """Whether a stream is a still picture, such as cover art."""
    return bool(stream.disposition & Disposition.attached_pic)


def is_container_internal(stream: Stream) -> bool:
    """Whether a stream belongs to its container: chapter titles, a timecode track, DVD navigation.

    The content of the first two is kept as chapters and metadata.
    """
    return stream.type == "data" and (
        (stream.name == "bin_data" and stream.discard == Discard.all)
        or (stream.name is None and "timecode" in stream.metadata)
        or stream.name == "dvd_nav_packet"
    )


def is_timed(stream: Stream) -> bool:
    """Whether a stream is a track: neither attached nor internal to the container."""
    return (
        stream.type != "attachment" and not is_cover(stream) and not is_container_internal(stream)
    )


def kind_of(stream: Stream) -> str:
    """The word for a stream in ``drop``: audio, subtitles, attachments or data."""
    kinds = {"audio": "audio", "subtitle": "subtitles", "attachment": "attachments"}
    return "attachments" if is_cover(stream) else kinds.get(stream.type, "data")


def codec_of(stream: Stream) -> str:
    """The name of a stream's codec; without one, of the stream itself; else "unknown"."""
    context = stream.codec_context
    return (context.codec.canonical_name if context else getattr(stream, "name", "")) or "unknown"


def describe(stream: Stream) -> str:
    """A stream in words, such as "subtitle stream 3 (ass, eng)"."""
    kind = "cover art" if is_cover(stream) else stream.type
    language = stream.metadata.get("language", "und")
    more = "" if language == "und" else f", {language}"
    return f"{kind} stream {stream.index} ({codec_of(stream)}{more})"
