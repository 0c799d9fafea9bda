"""Gray frames of a film at any time, soon: a decoder that stays open, and what it gave last."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable, Sequence
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from ..video.decode.decoder import decode
from ..video.frames import Frame, VideoInfo
from .errors import Gone, NotFound

NEAR = 100  # frames ahead to which decoding on is quicker than a seek
BACK = 12  # frames decoded before the wanted one after a step back: the next step back finds them
KEPT_BYTES = 96 << 20  # of luma, a film

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Cache(Generic[K, V]):
    """The values used last, up to ``most`` of their summed ``size``. Safe to use from several threads."""

    def __init__(self, most: int, size: Callable[[V], int] = lambda value: 1) -> None:
        self.most, self._size_of = most, size
        self._values: OrderedDict[K, V] = OrderedDict()
        self._total, self._lock = 0, Lock()

    def get(self, key: K) -> V | None:
        """The value of ``key``; None if it is not kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: K, value: V) -> V:
        """Keep the value, and let go of the oldest where there is no room. Returns the value."""
        with self._lock:
            if key in self._values:
                self._total -= self._size_of(self._values.pop(key))
            self._values[key] = value
            self._total += self._size_of(value)
            while self._total > self.most and len(self._values) > 1:
                _, oldest = self._values.popitem(last=False)
                self._total -= self._size_of(oldest)
        return value

    def clear(self) -> None:
        """Let go of all."""
        with self._lock:
            self._values.clear()
            self._total = 0


class FrameReader:
    """The frames of one film by their pts.

    Args:
        path: The film.
        info: What :func:`probe` says of it.
        times: The pts of all its frames, in order.
    """

    def __init__(self, path: Path, info: VideoInfo, times: Sequence[int]) -> None:
        self.path, self.info, self.times = path, info, times
        self._kept: Cache[int, Frame] = Cache(KEPT_BYTES, lambda frame: frame.luma.nbytes)
        self._frames: Generator[Frame, None, None] | None = None
        self._next = 0  # index of the frame that _frames gives next
        self._lock = Lock()

    def frame(self, pts: int) -> Frame:
        """The frame at ``pts``.

        Raises :class:`NotFound` for a pts that is none of the film's, :class:`Gone` if the film is no
        longer there.
        """
        index = bisect_left(self.times, pts)
        if index == len(self.times) or self.times[index] != pts:
            raise NotFound(f"{self.path.name} has no frame at pts {pts}")
        kept = self._kept.get(pts)
        if kept is not None:
            return kept
        with self._lock:
            return self._kept.get(pts) or self._decoded(index)

    def _decoded(self, index: int) -> Frame:
        if not self.path.exists():
            self.close()
            raise Gone(f"{self.path.name} is no longer there; put it back, or take it off the list")
        if self._frames is None or not 0 <= index - self._next <= NEAR:
            self._seek(index)
        wanted = self.times[index]
        assert self._frames is not None
        for frame in self._frames:
            self._next += 1
            # A decoder's buffer must not outlive it: what is kept is a copy.
            own = Frame(frame.luma.copy(), frame.pts, frame.duration)
            self._kept.put(frame.pts, own)
            if frame.pts >= wanted:
                if frame.pts == wanted:
                    return own
                break
        self.close()
        raise Gone(
            f"{self.path.name} gave no frame at {self.info.timecode(wanted)}; it was changed"
        )

    def _seek(self, index: int) -> None:
        """Begin at ``index``, or a little before after a step back."""
        back = self._frames is not None and 0 < self._next - index <= NEAR
        self.close()
        self._next = max(0, index - BACK) if back else index
        self._frames = decode(self.path, self.info, start=self.times[self._next])

    def close(self) -> None:
        """Let go of the film's file."""
        if self._frames is not None:
            self._frames.close()
            self._frames = None
