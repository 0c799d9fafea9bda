"""What a stream of the source is."""

from __future__ import annotations

from av.stream import Discard, Disposition, Stream


def is_cover(stream: Stream) -> bool:
    """Whether a stream is a still picture, such as cover art."""
    return bool(stream.disposition & Disposition.attached_pic)


def is_container_internal(stream: Stream) -> bool:
    """Whether a stream is its container's own: chapter titles, a timecode track, DVD navigation.

    What the first two say goes over as chapters and metadata.
    """
    return stream.type == "data" and (
        (stream.name == "bin_data" and stream.discard == Discard.all)
        or (stream.name is None and "timecode" in stream.metadata)
        or stream.name == "dvd_nav_packet"
    )


def is_timed(stream: Stream) -> bool:
    """Whether a stream is a track of its own: neither attached nor the container's."""
    return (
        stream.type != "attachment" and not is_cover(stream) and not is_container_internal(stream)
    )


def kind_of(stream: Stream) -> str:
    """The kind a user drops it by."""
    kinds = {"audio": "audio", "subtitle": "subtitles", "attachment": "attachments"}
    return "attachments" if is_cover(stream) else kinds.get(stream.type, "data")


def codec_of(stream: Stream) -> str:
    """The name of a stream's codec, or its own; "unknown" where FFmpeg knows none."""
    context = stream.codec_context
    return (context.codec.canonical_name if context else getattr(stream, "name", "")) or "unknown"


def describe(stream: Stream) -> str:
    """A stream in words, such as "subtitle stream 3 (ass, eng)"."""
    kind = "cover art" if is_cover(stream) else stream.type
    language = stream.metadata.get("language", "und")
    more = "" if language == "und" else f", {language}"
    return f"{kind} stream {stream.index} ({codec_of(stream)}{more})"
