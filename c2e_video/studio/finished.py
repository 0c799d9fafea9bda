"""What is painted already: the parts of a running or stopped job, and the finished film, frame by frame."""

from __future__ import annotations

import json
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import av
import av.error
import numpy as np

from ..utils.files import local
from ..video.frames import VideoInfo
from .display import LARGEST, Picture, small, upright
from .frames import Cache

NEAR = 50  # frames ahead to which decoding on is quicker than a seek


@dataclass(frozen=True)
class PaintedPart:
    """A file with painted frames: their pts in the film's ``time_base``, and their span in it."""

    path: Path
    start: int
    stop: int
    pts: tuple[int, ...]


class FinishedFrames:
    """The painted frames of one film that are on the disk."""

    def __init__(self, info: VideoInfo) -> None:
        self.info = info
        self._known: Cache[tuple[str, int], PaintedPart] = Cache(4000)
        self._lock = Lock()
        self._reader: _PartReader | None = None

    def parts(self, output: Path) -> list[PaintedPart]:
        """The finished parts of the job that writes ``output``, in order."""
        folder = output.with_name(f"{output.name}.c2e")
        found = (self._part(record) for record in sorted(folder.glob("part-*.json")))
        return [part for part in found if part is not None]

    def _part(self, record: Path) -> PaintedPart | None:
        try:
            key = (str(record), record.stat().st_mtime_ns)
            if (kept := self._known.get(key)) is not None:
                return kept
            known: Any = json.loads(record.read_text("utf-8"))
            start, stop = known["span"]
            part = PaintedPart(record.parent / known["file"], start, stop, tuple(known["pts"]))
            return self._known.put(key, part)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def frame(self, part: PaintedPart, pts: int) -> Picture | None:
        """The painted frame at ``pts``, upright, RGB uint8 ``[H, W, 3]``; None if it cannot be read."""
        index = bisect_left(part.pts, pts)
        if index == len(part.pts) or part.pts[index] != pts:
            return None
        with self._lock:
            try:
                reader = self._reader
                if (
                    reader is None
                    or reader.path != part.path
                    or not 0 <= index - reader.next <= NEAR
                ):
                    self.close()
                    reader = self._reader = _PartReader(part.path)
                picture = reader.read(index)
            except (OSError, av.error.FFmpegError, StopIteration):
                self.close()
                return None
        return small(upright(picture, self.info), LARGEST)

    def close(self) -> None:
        """Let go of the file."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None


class _PartReader:
    """An open part, decoded from its beginning on."""

    def __init__(self, path: Path) -> None:
        self.path, self.next = path, 0
        self._file = av.open(local(path))
        self._frames = self._file.decode(video=0)

    def read(self, index: int) -> Picture:
        while self.next < index:
            next(self._frames)
            self.next += 1
        frame = next(self._frames)
        self.next += 1
        return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)

    def close(self) -> None:
        self._file.close()
