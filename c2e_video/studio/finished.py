"""What is colorized already: parts and journals of a running or stopped job, and the finished film."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import av
import av.error
import numpy as np

from ..pipeline.journal import ChromaJournal
from ..utils.arrays import Picture
from ..utils.files import local
from ..video.frames import PictureFormat
from .display import as_srgb, colored_picture, fitted, upright
from .film import OpenFilm
from .frames import Cache

NEAR = 50  # frames ahead to which decoding on is quicker than a seek


@dataclass(frozen=True)
class ColorizedPart:
    """A file with colorized frames, their pts in the film's ``time_base``, and their span in it."""

    path: Path
    start: int
    stop: int
    pts: Sequence[int]


@dataclass(frozen=True)
class ColorizedJournal:
    """Frames that are colorized and not encoded yet: ``start <= pts < stop``."""

    journal: ChromaJournal
    picture: PictureFormat
    start: int
    stop: int
    count: int


class FinishedFrames:
    """The colorized frames of one film that are on the disk."""

    def __init__(self, film: OpenFilm) -> None:
        self.film = film
        self._known: Cache[tuple[str, int], ColorizedPart] = Cache(4000)
        self._lock = Lock()
        self._reader: _FileReader | None = None

    def parts(self, folder: Path) -> list[ColorizedPart]:
        """The finished parts of a job folder, in order."""
        found = (self._part(record) for record in sorted(folder.glob("part-*.json")))
        return [part for part in found if part is not None]

    def journals(self, folder: Path, picture: PictureFormat) -> list[ColorizedJournal]:
        """The journals of a job folder that hold frames, in order."""
        found = []
        for path in sorted(folder.glob("part-*.chroma")):
            journal = ChromaJournal(path, self.film.info, picture)
            count = journal.count()
            first, last = journal.record(0), journal.record(count - 1)
            if count and first is not None and last is not None:
                stop = self.film.analysis.index(last[0]) + 1
                found.append(ColorizedJournal(journal, picture, first[0], self._after(stop), count))
        return found

    def whole(self, output: Path, window: tuple[int | None, int | None]) -> list[ColorizedPart]:
        """The finished film, which holds the frames of ``window``; empty if it is not there."""
        if not output.is_file():
            return []
        analysis = self.film.analysis
        first = 0 if window[0] is None else analysis.index(window[0])
        after = len(analysis.times) if window[1] is None else analysis.index(window[1])
        pts = analysis.times[first:after].tolist()
        return [ColorizedPart(output, pts[0], self._after(after), pts)] if pts else []

    def _after(self, index: int) -> int:
        """The pts at which the frames before ``index`` end."""
        analysis = self.film.analysis
        return analysis.stop if index >= len(analysis.times) else analysis.at(index)

    def _part(self, record: Path) -> ColorizedPart | None:
        try:
            key = (str(record), record.stat().st_mtime_ns)
            if (kept := self._known.get(key)) is not None:
                return kept
            known: Any = json.loads(record.read_text("utf-8"))
            start, stop = known["span"]
            part = ColorizedPart(record.parent / known["file"], start, stop, known["pts"])
            return self._known.put(key, part)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def from_journal(self, painted: ColorizedJournal, pts: int, largest: int) -> Picture | None:
        """The frame at ``pts`` of a journal, upright, RGB uint8 ``[H, W, 3]``; None if it has none."""
        analysis = self.film.analysis
        number = analysis.index(pts) - analysis.index(painted.start)
        record = painted.journal.record(number) if 0 <= number < painted.count else None
        if record is None or record[0] != pts:
            return None
        frame = fitted(self.film.frame(pts), largest)
        cb, cr = record[1]
        picture = colored_picture(frame, cb, cr, self.film.info, painted.picture)
        return upright(picture, self.film.info)

    def from_part(self, part: ColorizedPart, pts: int, largest: int) -> Picture | None:
        """The frame at ``pts`` of a file, upright, RGB uint8 ``[H, W, 3]``; None if it cannot be read."""
        index = bisect_left(part.pts, pts)
        if index == len(part.pts) or part.pts[index] != pts:
            return None
        info = self.film.info
        with self._lock:
            try:
                reader = self._reader
                if reader is None or reader.path != part.path:
                    self.close()
                    reader = self._reader = _FileReader(part.path)
                seconds = info.seconds(int(part.pts[index]) - int(part.pts[0]))
                picture = reader.read(index, seconds, largest)
            except (OSError, av.error.FFmpegError, StopIteration):
                self.close()
                return None
        return upright(as_srgb(picture, info), info)

    def close(self) -> None:
        """Let go of the file."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None


class _FileReader:
    """An open colorized file. ``next`` is the number of the frame that comes next."""

    def __init__(self, path: Path) -> None:
        self.path, self.next = path, 0
        self._file = av.open(local(path))
        self._stream = self._file.streams.video[0]
        self._frames = self._file.decode(self._stream)

    def read(self, index: int, seconds: float, largest: int) -> Picture:
        """The frame of a number, which is shown ``seconds`` after the file's first."""
        if not 0 <= index - self.next <= NEAR:
            return self._sought(index, seconds, largest)
        while self.next < index:
            next(self._frames)
            self.next += 1
        self.next += 1
        return _rgb(next(self._frames), largest)

    def _sought(self, index: int, seconds: float, largest: int) -> Picture:
        base = self._stream.time_base
        assert base is not None
        wanted = (self._stream.start_time or 0) + round(seconds / base)
        self._file.seek(wanted, stream=self._stream)
        self._frames = self._file.decode(self._stream)
        near = max(1, round(0.004 / base))  # containers round to the millisecond
        for frame in self._frames:
            if frame.pts is not None and frame.pts >= wanted - near:
                self.next = index + 1
                return _rgb(frame, largest)
        raise StopIteration

    def close(self) -> None:
        self._file.close()


def _rgb(frame: av.VideoFrame, largest: int) -> Picture:
    scale = min(1.0, largest / max(frame.width, frame.height))
    width, height = (max(1, round(side * scale)) for side in (frame.width, frame.height))
    sized = frame.reformat(width=width, height=height, format="rgb24")
    return np.asarray(sized.to_ndarray(), np.uint8)
