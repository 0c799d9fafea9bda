"""The time of copied packets: what they do not say of it, and how it goes on where a clock begins anew."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

# A track that steps back by so many seconds is of a clock that began anew; by less, it is only untidy.
_ANEW = Fraction(1, 2)


class TimestampRepair:
    """Tells of a track's packets what they do not say of their time, by the one before.

    Joins of the film are repaired before (``discontinuity.py``). A single track that steps back goes on
    from its own end, and ``anew`` tells so.
    ``strict`` is for a container in which two packets of a track have not the same time.
    """

    def __init__(self, stream: Stream, strict: bool) -> None:
        self.sounds = isinstance(stream, AudioStream)
        known = isinstance(stream, VideoStream) and stream.codec_context
        self.delay = known.reorder_depth if known else 0
        self.strict = strict and (self.sounds or isinstance(stream, VideoStream))
        self.base = Fraction(stream.time_base or 1)
        self.last: int | None = None  # dts
        self.next = 0
        self.anew = False
        self._shift = 0

    def complete(self, packet: Packet[Any]) -> None:
        """Give a packet all its times, after those of the packet before."""
        pts, dts, duration = packet.pts, packet.dts, packet.duration or 0
        pts = None if pts is None else pts + self._shift
        dts = None if dts is None else dts + self._shift
        if dts is None and pts is not None and self.delay == 0:
            dts = pts
        elif dts is None and pts is not None and self.last is None:
            dts = pts - self.delay * duration  # as Matroska begins a track with B-frames
        elif dts is None:
            dts = self.next
        pts = dts if pts is None else pts
        late = self._behind(dts, duration)
        pts, dts = pts + late, dts + late
        if self.sounds and self.last is not None and not duration:
            duration = dts - self.last  # mp4 leaves out a last packet that takes no time
        packet.pts, packet.dts, packet.duration = pts, dts, duration
        self.last, self.next = dts, dts + duration

    def _behind(self, dts: int, duration: int) -> int:
        """By how much a packet has to come later than it says."""
        if self.last is None or dts > self.last or (dts == self.last and not self.strict):
            return 0
        if (self.last - dts) * self.base < _ANEW:
            return self.last - dts + (max(1, duration // 2) if self.strict else 0)
        self.anew = True
        late = self.next - dts
        self._shift += late
        return late
