"""Times of copied packets: missing ones are completed, and those out of order are repaired."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

# If dts steps back by so many seconds, the track's clock has started again; by less, it is an error of
# one packet.
_RESTART = Fraction(1, 2)


class TimestampRepair:
    """Completes and repairs the times of one track's packets, in order of decoding.

    Joins of the whole film are corrected before (``discontinuity.py``). If the clock of a single track
    starts again, its packets go on from its own end.

    Attributes:
        restarted: Whether the clock started again.

    Args:
        stream: The track.
        strict: Whether dts must grow in sound and pictures, as in mp4; otherwise two may be equal.
    """

    def __init__(self, stream: Stream, strict: bool) -> None:
        self.sounds = isinstance(stream, AudioStream)
        known = isinstance(stream, VideoStream) and stream.codec_context
        self.delay = known.reorder_depth if known else 0
        self.strict = strict and (self.sounds or isinstance(stream, VideoStream))
        self.base = Fraction(stream.time_base or 1)
        self.last: int | None = None  # dts
        self.next = 0
        self.restarted = False
        self._shift = 0

    def complete(self, packet: Packet[Any]) -> None:
        """Set pts, dts and duration of the track's next packet, in place."""
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
        late = self._behind(dts, duration)
        pts, dts = pts + late, dts + late
        if self.sounds and self.last is not None and not duration:
            duration = dts - self.last  # mp4 drops a last packet without a duration
        packet.pts, packet.dts, packet.duration = pts, dts, duration
        self.last, self.next = dts, dts + duration

    def _behind(self, dts: int, duration: int) -> int:
        """The ticks by which a packet must be moved so that dts grow."""
        if self.last is None or dts > self.last or (dts == self.last and not self.strict):
            return 0
        if (self.last - dts) * self.base < _RESTART:
            return self.last - dts + (max(1, duration // 2) if self.strict else 0)
        self.restarted = True
        late = self.next - dts
        self._shift += late
        return late
