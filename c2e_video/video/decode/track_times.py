"""The times of all packets of one track, in the order of the file."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from av.packet import Packet

_LATE = 16  # frames: the most that a decoder reorders


@dataclass
class TrackTimes:
    """The packets of one audio or video stream in the order of the file.

    ``offset`` are byte offsets; ``dts``, ``start`` (pts) and ``end`` (pts and duration) are in ticks
    of ``time_base``, in seconds.
    """

    time_base: Fraction
    offset: array[int] = field(default_factory=lambda: array("q"))
    dts: array[int] = field(default_factory=lambda: array("q"))
    start: array[int] = field(default_factory=lambda: array("q"))
    end: array[int] = field(default_factory=lambda: array("q"))

    def add(self, packet: Packet[Any]) -> None:
        """Note a packet. What it does not say is taken from the packet before it."""
        last = self.dts[-1] if self.dts else None
        dts = packet.dts if packet.dts is not None else last
        dts = packet.pts if dts is None else dts
        if dts is None:
            return
        pts = packet.pts if packet.pts is not None else dts
        before = self.offset[-1] if self.offset else 0
        self.offset.append(max(before, packet.pos if packet.pos is not None else before))
        self.dts.append(dts)
        lasting = packet.duration or self._usual()
        self.start.append(pts)
        self.end.append(pts + lasting)

    def _usual(self) -> int:
        """How long a packet lasts that does not say it: as long as the step to it, or as the one before."""
        if len(self.dts) < 2:
            return 0
        step = self.dts[-1] - self.dts[-2]
        return step if 0 < step * self.time_base < 1 else self.end[-1] - self.start[-1]

    def seconds(self, first: int, second: int) -> float:
        """By how much the dts of one packet is after that of another."""
        return float((self.dts[second] - self.dts[first]) * self.time_base)

    def gap(self, index: int) -> float:
        """The time between the end of the packet before ``index`` and that packet, in seconds."""
        lasting = self.end[index - 1] - self.start[index - 1]
        return self.seconds(index - 1, index) - float(lasting * self.time_base)

    def repair_end(self, first: int, stop: int) -> tuple[int, int] | None:
        """Bring a late pts at the end of a piece next to the others.

        FFmpeg takes the pts of a reference frame in MPEG-1 and 2 from the dts of the next one. At a join
        that is of another clock.

        Args:
            first: The first packet of the piece.
            stop: The packet after its last one.

        Returns:
            dts and new pts of the packet; None if there is none.
        """
        own = range(first, stop)
        if len(own) < 3:
            return None
        late = max(own, key=self.start.__getitem__)
        if self.start[late] == self.dts[late]:  # its time is not taken from another packet
            return None
        before = max(self.end[index] for index in own if index != late)
        lasting = self.end[late] - self.start[late]
        if not lasting // 2 < self.start[late] - before <= _LATE * lasting:
            return None
        self.start[late] = before
        self.end[late] = self.start[late] + lasting
        return self.dts[late], self.start[late]
