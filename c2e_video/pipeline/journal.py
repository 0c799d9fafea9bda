"""Finished chroma of a segment whose part is not finished yet: what a stop would lose otherwise.

An encoder cannot continue a file that was cut off, so a part is encoded from its first frame or not at all.
Colour is what costs time, encoding is cheap. Each colorized frame is therefore written here, uncompressed,
until its segment's part is finished; a later run encodes these frames anew and colorizes the others. The
film is then bit for bit that of a run without a stop, whatever the codec.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path
from typing import cast

import numpy as np

from ..utils.arrays import Plane
from ..video.frames import ColorBatch, FrameBatch, PictureFormat, VideoInfo

_HEADER = struct.Struct("<qI")  # pts, CRC-32 of the samples


class ChromaJournal:
    """The chroma of a segment's first frames, in a file of records of one size.

    A record is the frame's pts (int64), a CRC-32 of its samples (uint32), its Cb and its Cr; all are
    little-endian. What follows the first record that is cut short, damaged or not the frame expected there
    is not used.

    Args:
        path: The file. It is made by the first :meth:`append`.
        info: The film.
        picture: The output's pictures, which decide shape and dtype of the chroma planes.
    """

    def __init__(self, path: Path, info: VideoInfo, picture: PictureFormat) -> None:
        self.path = path
        sx, sy = picture.subsampling
        self._shape = (2, -(-info.height // sy), -(-info.width // sx))
        self._dtype = np.dtype("<u1" if picture.bit_depth == 8 else "<u2")
        self._size = _HEADER.size + self._dtype.itemsize * int(np.prod(self._shape))
        self._file: FileIO | None = None
        self._failed = False

    def kept(self, pts: Sequence[int]) -> int:
        """How many of the frames with these pts, a segment's in order, can be had from the file."""
        count = 0
        with contextlib.suppress(OSError):
            for (found, _), expected in zip(self._records(), pts, strict=False):
                if found != expected:
                    break
                count += 1
        return count

    def count(self) -> int:
        """How many records the file has room for; the last may not be whole."""
        try:
            return self.path.stat().st_size // self._size
        except OSError:
            return 0

    def record(self, number: int) -> tuple[int, Plane] | None:
        """The pts and the planes ``[2, H, W]`` of a record by its number; None if it is not whole."""
        try:
            with open(self.path, "rb") as file:
                file.seek(number * self._size)
                return self._whole(file.read(self._size))
        except OSError:
            return None

    def replay(self, batches: Iterator[FrameBatch]) -> Iterator[ColorBatch]:
        """Join the batches of the frames that :meth:`kept` counted with their chroma.

        Raises:
            OSError: The file cannot be read any more.
        """
        records = self._records()
        for batch in batches:
            planes = [next(records)[1] for _ in batch.frames]
            cb, cr = (cast(Plane, np.stack(channel)) for channel in zip(*planes, strict=True))
            yield ColorBatch(batch, cb, cr)

    def truncate(self, count: int) -> None:
        """Keep the first ``count`` records alone, and append after them."""
        with contextlib.suppress(FileNotFoundError), open(self.path, "r+b") as file:
            file.truncate(count * self._size)

    def append(self, batch: ColorBatch) -> None:
        """Write a batch's chroma. A disk that does not take it ends the journal, not the run."""
        if self._failed:
            return
        try:
            self._file = self._file or open(self.path, "ab", buffering=0)  # noqa: SIM115
            for pts, cb, cr in zip(batch.gray.pts, batch.cb, batch.cr, strict=True):
                samples = np.stack((cb, cr)).astype(self._dtype, copy=False).tobytes()
                written = self._file.write(_HEADER.pack(pts, zlib.crc32(samples)) + samples)
                self._failed = self._failed or written != self._size
        except OSError:
            self._failed = True

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _records(self) -> Iterator[tuple[int, Plane]]:
        """The pts and the planes ``[2, H, W]`` of each record that is whole."""
        with open(self.path, "rb") as file:
            while (record := self._whole(file.read(self._size))) is not None:
                yield record

    def _whole(self, content: bytes) -> tuple[int, Plane] | None:
        if len(content) != self._size:
            return None
        pts, digest = _HEADER.unpack_from(content)
        samples = memoryview(content)[_HEADER.size :]
        if zlib.crc32(samples) != digest:
            return None
        return pts, np.frombuffer(samples, self._dtype).reshape(self._shape)
