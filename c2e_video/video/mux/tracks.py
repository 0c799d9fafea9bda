"""Streams of the output that are made of streams of the source."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream

from ...utils.choices import AudioChoice
from .audio import AudioEncoder, add_acm
from .containers import Container
from .fields import quicktime_language, track_fields
from .streams import codec_of, is_cover

# Subtitles of plain text, which can be rewritten as another such codec.
_PLAIN_TEXT = ("subrip", "text", "webvtt", "mov_text")
_COVERS = {"mjpeg": ("cover.jpg", "image/jpeg"), "png": ("cover.png", "image/png")}
_SILENCE = b"\0\0"  # a mov_text packet without words

# Makes packets of the output of a packet of the source; of None, at the end, those that remain.
PacketWriter: TypeAlias = "Callable[[Packet[Any] | None], Iterable[Packet[Any]]]"


@dataclass(frozen=True)
class Track:
    """A stream of the source that goes into the output.

    Attributes:
        index: Of the stream in the source.
        how: "copy": packets unchanged. "acm": the same, as Matroska's A_MS/ACM. "text": rewritten as the
            container's plain subtitles. "cover": attached. "aac", "flac", "pcm": sound encoded anew.
    """

    index: int
    how: Literal["copy", "acm", "text", "cover", "aac", "flac", "pcm"] = "copy"

    @property
    def encoded(self) -> bool:
        """Whether its sound is encoded anew."""
        return self.how in ("aac", "flac", "pcm")


def copy_strategies(
    stream: Stream, container: Container, audio: AudioChoice = "copy"
) -> list[Track]:
    """The strategies by which a container may hold a stream, the best one first.

    Args:
        stream: Of the source.
        container: Of the output.
        audio: What becomes of sound that cannot be copied; "copy" is no strategy for it.
    """
    if is_cover(stream) and container.muxer == "matroska":
        return [Track(stream.index, "cover")]
    ways = [Track(stream.index)]
    if codec_of(stream) in _PLAIN_TEXT:
        ways.append(Track(stream.index, "text"))
    if isinstance(stream, AudioStream) and stream.codec_context:
        if container.muxer == "matroska":
            ways.append(Track(stream.index, "acm"))
        if audio != "copy":
            ways.append(Track(stream.index, audio))
    return ways


def add_track(
    file: OutputContainer,
    film: InputContainer,
    track: Track,
    container: Container,
    notes: list[str],
) -> PacketWriter | None:
    """Add a stream to the output.

    Args:
        file: The output, before its header is written.
        film: The source.
        track: The stream of the source, and how it goes over.
        container: Of the output.
        notes: At the end, a line is added if packets were damaged.

    Returns:
        What makes packets of it; None if the whole stream is in the header, as a cover is.

    Raises:
        FFmpegError, ValueError: The container does not hold it.
    """
    stream = film.streams[track.index]
    if track.how == "cover":
        name, mimetype = _COVERS.get(codec_of(stream), ("cover", "application/octet-stream"))
        name = stream.metadata.get("filename", name)
        mimetype = stream.metadata.get("mimetype", mimetype)
        file.add_attachment(name, mimetype, _first_packet(film, stream))
        return None
    new: Stream
    writer: PacketWriter
    if track.how == "text":
        new, writer = _add_text(file, stream, container.text)
    elif track.encoded:
        encoder = AudioEncoder(file, cast(AudioStream, stream), track.how, notes)
        new, writer = encoder.stream, encoder.write
    elif track.how == "acm":
        new = add_acm(file, film, cast(AudioStream, stream))
        writer = _copier(new, False)
    else:
        new = file.add_stream_from_template(stream, opaque=True)
        _name_layout(new)
        writer = _copier(new, container.text == codec_of(stream) == "mov_text")
    # PyAV does not copy these.
    fields = track_fields(stream.metadata, container.quicktime)
    if container.name == "mov" and "language" in fields:
        fields["language"] = quicktime_language(fields["language"])
    new.metadata.update(fields)
    new.disposition = stream.disposition
    return None if stream.type == "attachment" else writer


def _name_layout(new: Stream) -> None:
    """Name two channels without a layout stereo: mkv and avi have no layouts, mp4 needs one."""
    if isinstance(new, AudioStream):
        context: Any = new.codec_context
        if context.layout.name == "2 channels":
            context.layout = "stereo"


def _copier(new: Stream, skip_silence: bool) -> PacketWriter:
    """A writer of unchanged packets. ``skip_silence`` skips empty mov_text: mp4's muxer writes its own."""

    def copy(packet: Packet[Any] | None) -> Iterable[Packet[Any]]:
        if packet is None or (skip_silence and bytes(packet) == _SILENCE):
            return ()
        packet.stream = new
        return (packet,)

    return copy


def _add_text(file: OutputContainer, stream: Stream, codec: str) -> tuple[Stream, PacketWriter]:
    """A subtitle stream of another codec, and the writer that rewrites its packets."""
    decoder: Any = stream.codec_context
    decoder.open(strict=False)  # this makes subtitle_header
    new: Any = file.add_stream(codec)
    new.codec_context.subtitle_header = decoder.subtitle_header
    new.time_base = stream.time_base

    def rewrite(packet: Packet[Any] | None) -> Iterable[Packet[Any]]:
        words = decoder.decode2(packet) if packet is not None else None
        if packet is None or not words:
            return ()
        fresh: Packet[Any] = new.codec_context.encode_subtitle(words)
        fresh.stream, fresh.time_base = new, packet.time_base
        fresh.pts, fresh.dts, fresh.duration = packet.pts, packet.dts, packet.duration
        return (fresh,)

    return new, rewrite


def _first_packet(film: InputContainer, stream: Stream) -> bytes:
    """The content of a stream's first packet, read from the file again."""
    with av.open(film.name, metadata_errors="surrogateescape") as again:
        return next(bytes(p) for p in again.demux(again.streams[stream.index]) if p.size)
