"""Timestamps of copied packets: fill in missing ones, and correct dts that do not increase."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

# If dts decreases by at least so many seconds, the track's clock has restarted. If it decreases by less,
# only this packet is wrong.
_RESTART = Fraction(1, 2)


class TimestampRepair:
    """Corrects pts, dts and duration of one track's packets, in order of decoding.

    Jumps of the clock in all tracks are corrected earlier (``video/decode/discontinuity.py``). If the
    clock of one track restarts, the packet there and all later ones are shifted. The first of them then
    begins where the packet before it ends.

    Attributes:
        restarted: Whether the track's clock has restarted.

    Args:
        stream: The track.
        strict: Whether each dts of an audio or video track must be greater than the last one, as in
            mp4. Otherwise, and in other tracks, it may also be equal.
    """

    def __init__(self, stream: Stream, strict: bool) -> None:
        self.sounds = isinstance(stream, AudioStream)
        decoder = isinstance(stream, VideoStream) and stream.codec_context
        self.delay = decoder.reorder_depth if decoder else 0  # packets
        self.strict = strict and (self.sounds or isinstance(stream, VideoStream))
        self.base = Fraction(stream.time_base or 1)
        self.last: int | None = None  # dts of the last packet, in ticks of the time base
        self.next = 0  # dts expected for the next packet: last + duration
        self.restarted = False
        self._shift = 0  # ticks added to all packets since a restart

    def complete(self, packet: Packet[Any]) -> None:
        """Set pts, dts and duration of a packet, in place.

        Args:
            packet: The track's next packet, in order of decoding.
        """
        pts, dts, duration = packet.pts, packet.dts, packet.duration or 0
        pts = None if pts is None else pts + self._shift
        dts = None if dts is None else dts + self._shift
        if dts is None and pts is not None and self.delay == 0:
            dts = pts
        elif dts is None and pts is not None and self.last is None:
            dts = pts - self.delay * duration  # Matroska has no dts for the first packets
        elif dts is None:
            dts = self.next
        pts = dts if pts is None else pts
        correction = self._correction(dts, duration)
        pts, dts = pts + correction, dts + correction
        if self.sounds and self.last is not None and not duration:
            duration = dts - self.last  # in mp4, a last packet with duration 0 would be lost
        packet.pts, packet.dts, packet.duration = pts, dts, duration
        self.last, self.next = dts, dts + duration

    def _correction(self, dts: int, duration: int) -> int:
        """The ticks to add to a packet's pts and dts, so that dts do not decrease.

        If the clock has restarted, later packets are shifted by them, too.
        """
        if self.last is None or dts > self.last or (dts == self.last and not self.strict):
            return 0
        if (self.last - dts) * self.base < _RESTART:
            return self.last - dts + (max(1, duration // 2) if self.strict else 0)
        self.restarted = True
        correction = self.next - dts
        self._shift += correction
        return correction
