"""Reading an open film: its packets, the pictures decoded from them, and the damage met on the way."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ...errors import MediaError
from .discontinuity import ONE_CLOCK, Discontinuities, TimestampCorrection
from .reordering import DisplayTimes, without_display_times

# The largest picture decoded, in samples (twice 8K): a damaged header can claim any size.
MAX_SAMPLES = 1 << 26
# After so many packets, if all of them fail, decoding ends.
PATIENCE = 500
# Containers whose header states the duration. For others FFmpeg estimates it.
_LENGTH_STATED = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
# A film is truncated if its last packet ends so many seconds before the stated duration.
_SLACK = Fraction(1, 2)
# The most packets that a decoder holds before their pictures come out.
_DELAY = 64
# FFmpeg reads any text file as one of these formats.
_TEXT = ("tty",)


class Damaged(Exception):
    """A packet or picture is damaged, and the decoder has several threads."""


class Demuxer:
    """An open film and its decoder; a context manager that closes both.

    With several threads, what a decoder makes of a damaged packet differs from run to run, and pictures
    that wait behind damage at the end of a film are lost. Damage then raises :class:`Damaged`; with one
    thread it is counted.

    Attributes:
        container: The open container.
        stream: The picture track: the first video track that is not a still.
        time_base: A tick of this track's pts, in seconds.
        corrupt: Packets that could not be decoded.
        decoded: Pictures given.
        truncated: At the end: whether the film ended before its stated length, or in a damaged packet.
        discontinuities: The joins of the film; the times of packets are shifted there. None by default.
        packet_index: Byte offset and pts of all packets, to check seeks with; None by default.
        seek_mismatch: Whether a packet after a seek is not in ``packet_index``.
        display_times: Times of display, where the container has times of decoding only.

    Args:
        path: The film.
        threads: Threads of the decoder; 0 is FFmpeg's own choice.

    Raises:
        MediaError: The file cannot be opened, or holds no video.
    """

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        self.path, self.threads = path, threads
        self.packet_index: frozenset[tuple[int | None, int]] | None = None
        self.discontinuities: Discontinuities = ONE_CLOCK
        self._open()

    def _open(self) -> None:
        self.corrupt, self.decoded, self.truncated, self.seek_mismatch = 0, 0, False, False
        self._end = Fraction(0)
        self._sent: deque[int | None] = deque(maxlen=_DELAY)
        self._given: deque[int | None] = deque(maxlen=2 * _DELAY)
        self.container = _container(self.path)
        try:
            self.stream = picture_track(self.container, self.path)
        except BaseException:
            self.container.close()
            raise
        self.time_base = Fraction(self.stream.time_base or 1)
        reordered = without_display_times(self.container, self.stream)
        depth = self.stream.codec_context.reorder_depth
        self.display_times = DisplayTimes(depth) if reordered else None
        context: Any = self.stream.codec_context
        context.options = {"max_pixels": str(MAX_SAMPLES)}
        context.thread_count = self.threads
        context.thread_type = "AUTO"

    def rewind(self) -> None:
        """Open the film again, so that reading begins with its first packet."""
        self.container.close()
        self._open()

    def __enter__(self) -> Demuxer:
        return self

    def __exit__(self, *_: object) -> None:
        self.container.close()

    def pictures(self, sought: int | None = None) -> Iterator[VideoFrame]:
        """Decode the pictures from the current position to the end.

        Args:
            sought: The pts that was sought, if a seek came before. Pictures then begin with the first
                key frame: those shown before it may be predicted from packets that were not read. None
                are given if no key frame is shown before ``sought``.

        Yields:
            Pictures in order of display, as FFmpeg decodes them.

        Raises:
            Damaged: A packet or picture is damaged, and the decoder has several threads.
        """
        sound = True
        for packet in self.packets() if sought is None else self._compared(self.packets()):
            pictures = self._decode(packet)
            whole = _is_whole(packet, pictures)
            sound = whole and (sound or packet is not None)
            if sought is None and not whole:
                if self.threads != 1:
                    raise Damaged
                self.corrupt += pictures is None
            for picture in pictures or ():
                if sought is not None and not picture.key_frame:
                    if picture.pts is None or picture.pts >= sought:
                        return
                    continue
                sought = None
                self.decoded += 1
                yield picture
            if self.corrupt >= PATIENCE and not self.decoded:
                return
        self.truncated = self.truncated or not sound or self._is_short()

    def packets(self) -> Iterator[Packet[VideoStream] | None]:
        """The picture track's packets, shifted at ``discontinuities``; then None, to flush the decoder."""
        correction = TimestampCorrection(self.discontinuities)
        for packet in self.every_packet():
            if packet.stream_index == self.stream.index:
                correction.apply(packet)
                if self.display_times is not None:
                    packet.pts = packet.dts
                yield packet
        yield None

    def every_packet(self) -> Iterator[Packet[Any]]:
        """The packets of all tracks, with the times that the container states."""
        packets = self.container.demux()
        while True:
            try:
                packet: Packet[Any] | None = next(packets, None)
            except FFmpegError:
                self.truncated, packet = True, None
            if packet is None:
                return
            if not packet.size:  # PyAV's mark at the end of a track, which would flush the decoder
                continue
            if packet.pts is not None:
                after = (packet.pts + (packet.duration or 0)) * Fraction(packet.time_base)
                self._end = max(self._end, after)
            yield packet

    def _compared(
        self, packets: Iterator[Packet[VideoStream] | None]
    ) -> Iterator[Packet[VideoStream] | None]:
        """The packets. Sets ``seek_mismatch`` if, from the first key packet on, one is not indexed."""
        anchored, self.seek_mismatch = False, False
        for packet in packets:
            if packet is not None and self.packet_index is not None:
                anchored = anchored or packet.is_keyframe
                self.seek_mismatch |= anchored and (packet.pos, packet.pts) not in self.packet_index
            yield packet

    def _decode(self, packet: Packet[VideoStream] | None) -> list[VideoFrame] | None:
        """The pictures that the decoder gives for a packet; None if it raises an error."""
        dts = None if packet is None else packet.dts
        if packet is not None:
            self._sent.append(packet.pts)
        if self.display_times is not None and dts is not None:
            self.display_times.sent(dts)
        try:
            pictures = self.stream.decode(packet)
        except FFmpegError:
            if self.display_times is not None and dts is not None:
                self.display_times.failed(dts)
            return None
        self._given.extend(picture.pts for picture in pictures)
        if self.display_times is not None:
            for picture in pictures:
                picture.pts = self.display_times.shown(picture)
        return pictures

    @property
    def holds_back(self) -> bool:
        """Whether some of the last packets gave no picture."""
        return not set(self._sent) <= set(self._given)

    def _is_short(self) -> bool:
        """Whether the film ended before its stated duration, or within a transport packet."""
        if self.container.format.name == "mpegts":
            return all(self.container.size % block for block in (188, 192, 204))
        stated = Fraction(self.container.duration or 0, av.time_base)
        return self.container.format.name in _LENGTH_STATED and self._end < stated - _SLACK

    def why_nothing(self) -> str:
        """The error message for a film in which no picture decodes."""
        if self.corrupt:
            return (
                f"{str(self.path)!r}: none of the first {self.corrupt} packets of its video "
                f"({self.stream.codec_context.name}) can be decoded; it is damaged or encrypted, "
                "get another copy"
            )
        return (
            f"{str(self.path)!r}: its video holds no picture, as if it was cut off right after its "
            "header; get another copy"
        )


def _is_whole(packet: Packet[VideoStream] | None, pictures: list[VideoFrame] | None) -> bool:
    """Whether neither a packet nor the pictures that it gave are damaged."""
    if pictures is None or (packet is not None and packet.is_corrupt):
        return False
    return not any(picture.is_corrupt for picture in pictures)


def _container(path: str | Path) -> InputContainer:
    """Open a file as a film. Raises :class:`MediaError` if it is not one."""
    name = repr(str(path))
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise MediaError(f"no such film: {name}; check the path") from None
    except OSError as error:
        raise MediaError(f"cannot open {name}: {error.strerror}") from None
    if stat.S_ISDIR(status.st_mode):
        raise MediaError(f"{name} is a folder, not a film; give a film inside it")
    if not stat.S_ISREG(status.st_mode):
        raise MediaError(f"{name} is a device or a pipe, not a film; copy it to a file first")
    if not status.st_size:
        raise MediaError(f"{name} is empty (0 bytes); get another copy")
    try:
        # Without "file:", a colon in a name would mean a protocol. A playlist may open files only.
        return av.open(
            f"file:{path}",
            metadata_errors="replace",
            options={"max_pixels": str(MAX_SAMPLES)},
            container_options={"protocol_whitelist": "file"},
        )
    except (FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise MediaError(
            f"{name} is not a film that can be read ({reason}); if it was one, it is damaged or was "
            "cut off: get another copy"
        ) from None


def picture_track(container: InputContainer, path: str | Path) -> VideoStream:
    """The first video track that is not a still.

    Args:
        container: The open container.
        path: Its name, for messages.

    Raises:
        MediaError: There is none, its codec is not supported, or its pictures are too large.
    """
    name = repr(str(path))
    if container.format.name in _TEXT:
        raise MediaError(f"{name} is a text, not a film; give a film")
    stills = Disposition.attached_pic | Disposition.timed_thumbnails
    for stream in container.streams.video:
        if stream.disposition & stills:
            continue
        if stream.codec_context is None or not stream.time_base:
            raise MediaError(f"{name} has video in a codec that is not supported; convert it first")
        width, height = stream.codec_context.width, stream.codec_context.height
        if width * height > MAX_SAMPLES:
            raise MediaError(
                f"{name} has pictures of {width}x{height}, more than {MAX_SAMPLES:,} samples; "
                "scale it down first"
            )
        return stream
    kinds = {"cover art" if s.type == "video" else s.type for s in container.streams}
    raise MediaError(f"{name} holds no video, only {', '.join(sorted(kinds)) or 'a header'}")
