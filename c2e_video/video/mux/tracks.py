"""How a stream of the source enters the output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream

from .containers import Container
from .streams import codec_of, is_cover, quicktime_language, track_fields

# Subtitles that are words and little else, so that one may be rewritten as another.
_PLAIN_TEXT = ("subrip", "text", "webvtt", "mov_text")
_COVERS = {"mjpeg": ("cover.jpg", "image/jpeg"), "png": ("cover.png", "image/png")}
_SILENCE = b"\0\0"  # a mov_text packet without words

# Makes of a packet of the source one of the output; None where nothing of it goes over.
PacketWriter: TypeAlias = "Callable[[Packet[Any]], Packet[Any] | None]"


@dataclass(frozen=True)
class Track:
    """A stream of the source that goes into the output: its index there, and how.

    Packets are copied; "text" is rewritten as the container's own plain subtitles; a "cover" is
    attached.
    """

    index: int
    how: Literal["copy", "text", "cover"] = "copy"


def copy_strategies(stream: Stream, container: Container) -> list[Track]:
    """The ways in which a container may hold a stream, the best one first."""
    if is_cover(stream) and container.muxer == "matroska":
        return [Track(stream.index, "cover")]
    ways = [Track(stream.index)]
    if codec_of(stream) in _PLAIN_TEXT:
        ways.append(Track(stream.index, "text"))
    return ways


def add_track(
    file: OutputContainer, film: InputContainer, track: Track, container: Container
) -> PacketWriter | None:
    """Give the output a stream for a track; None where all of it is in the header."""
    stream = film.streams[track.index]
    if track.how == "cover":
        name, mimetype = _COVERS.get(codec_of(stream), ("cover", "application/octet-stream"))
        name = stream.metadata.get("filename", name)
        mimetype = stream.metadata.get("mimetype", mimetype)
        file.add_attachment(name, mimetype, _first_packet(film, stream))
        return None
    new: Stream
    if track.how == "text":
        new, writer = _add_text(file, stream, container.text)
    else:
        new = file.add_stream_from_template(stream, opaque=True)
        _name_layout(new)
        writer = _copier(new, container.text == codec_of(stream) == "mov_text")
    # PyAV leaves these out.
    fields = track_fields(stream.metadata)
    if container.name == "mov" and "language" in fields:
        fields["language"] = quicktime_language(fields["language"])
    new.metadata.update(fields)
    new.disposition = stream.disposition
    return None if stream.type == "attachment" else writer


def _name_layout(new: Stream) -> None:
    """Two channels in no order that is told, as mkv and avi have them, are stereo: mp4 wants it told."""
    if isinstance(new, AudioStream):
        context: Any = new.codec_context
        if context.layout.name == "2 channels":
            context.layout = "stereo"


def _copier(new: Stream, skip_silence: bool) -> PacketWriter:
    """Packets go over as they are. The mp4 muxer fills silences between mov_text by itself."""

    def copy(packet: Packet[Any]) -> Packet[Any] | None:
        if skip_silence and bytes(packet) == _SILENCE:
            return None
        packet.stream = new
        return packet

    return copy


def _add_text(file: OutputContainer, stream: Stream, codec: str) -> tuple[Stream, PacketWriter]:
    decoder: Any = stream.codec_context
    decoder.open(strict=False)  # which makes its header
    new: Any = file.add_stream(codec)
    new.codec_context.subtitle_header = decoder.subtitle_header
    new.time_base = stream.time_base

    def rewrite(packet: Packet[Any]) -> Packet[Any] | None:
        words = decoder.decode2(packet)
        if not words:
            return None
        fresh: Packet[Any] = new.codec_context.encode_subtitle(words)
        fresh.stream, fresh.time_base = new, packet.time_base
        fresh.pts, fresh.dts, fresh.duration = packet.pts, packet.dts, packet.duration
        return fresh

    return new, rewrite


def _first_packet(film: InputContainer, stream: Stream) -> bytes:
    with av.open(film.name, metadata_errors="surrogateescape") as again:
        return next(bytes(p) for p in again.demux(again.streams[stream.index]) if p.size)
