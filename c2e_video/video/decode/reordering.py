"""Times of display for films whose container has times of decoding only.

AVI gives each packet a slot, in the order of decoding. The frames of codecs with B-frames come out in
another order. The n-th frame shown belongs to the n-th slot, later by as many slots as the decoder
holds frames back:

    pts[n] = n-th smallest dts + depth
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

# Codecs whose times of display FFmpeg does not find out: of others it knows the kind of each packet.
_UNKNOWN = ("h264", "hevc", "vvc")


class DisplayTimes:
    """Gives frames the times of the packets sent, in order of size.

    A packet that brings out no frame would move all later ones, so its time is taken back, and at
    each key frame all times before it: whatever was decoded before a key frame is shown before it.
    """

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._waiting: list[int] = []

    def sent(self, dts: int) -> None:
        """Note a packet that goes to the decoder."""
        heappush(self._waiting, dts)

    def failed(self, dts: int) -> None:
        """Take back a packet that cannot be decoded."""
        self._waiting.remove(dts)
        heapify(self._waiting)

    def shown(self, picture: VideoFrame) -> int | None:
        """The time of the next frame shown, whose pts is the dts of its own packet."""
        own = picture.pts
        if own is None:
            return None
        if picture.key_frame:
            self._waiting = [dts for dts in self._waiting if dts >= own]
            heapify(self._waiting)
        return (heappop(self._waiting) if self._waiting else own) + self._depth


def without_display_times(container: InputContainer, stream: VideoStream) -> bool:
    """Whether the container has times of decoding only, and frames come in another order."""
    context = stream.codec_context
    known = context.codec.canonical_name not in _UNKNOWN
    return container.format.name == "avi" and not known and context.reorder_depth > 0
