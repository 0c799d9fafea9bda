"""Tensors that are computed once: the latest in memory, those before in a temporary file."""

from __future__ import annotations

import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from threading import Lock
from typing import BinaryIO, NamedTuple

import torch
from torch import Tensor

IN_MEMORY = 128  # entries; the features of a picture are some 0.4 MB
MOST_BYTES = 4 << 30  # of the file, which takes at most half of what is free on its disk

Tensors = tuple[Tensor, ...]


class TensorCache:
    """Tensors by key. What is too much for the file, or for its disk, is computed again.

    Several threads may use one.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._key_locks: dict[object, Lock] = {}  # held while a key's tensors are computed
        self._latest: OrderedDict[object, Tensors] = OrderedDict()
        self._file = _TensorFile()

    def once(self, key: object, compute: Callable[[], Tensors]) -> Tensors:
        """The tensors of a key.

        Args:
            key: What tells the tensors from all others.
            compute: Gives them, where they are not known (any more).

        Returns:
            The tensors, bit for bit as they were computed.
        """
        with self._lock:
            key_lock = self._key_locks.setdefault(key, Lock())
        with key_lock:
            with self._lock:
                tensors = self._latest.pop(key, None) or self._file.read(key)
            tensors = tensors or compute()
            with self._lock:
                self._latest[key] = tensors
                while len(self._latest) > IN_MEMORY:
                    self._file.write(*self._latest.popitem(last=False))
        return tensors


class _Place(NamedTuple):
    """Where a tensor lies in the file, and what it is."""

    first: int
    size: int
    shape: torch.Size
    dtype: torch.dtype
    device: torch.device


class _TensorFile:
    """Tensors by key in a file without a name, which is gone as soon as it is closed."""

    def __init__(self) -> None:
        self._file: BinaryIO | None = None
        self._room = self._size = 0  # bytes
        self._places: dict[object, tuple[_Place, ...]] = {}

    def write(self, key: object, tensors: Tensors) -> None:
        """Keep the tensors, unless they are there already or there is no room."""
        if key in self._places:
            return
        try:
            if self._file is None:
                self._room = min(MOST_BYTES, shutil.disk_usage(tempfile.gettempdir()).free // 2)
                self._file = tempfile.TemporaryFile()  # noqa: SIM115
            if self._size + sum(tensor.nbytes for tensor in tensors) <= self._room:
                self._places[key] = tuple(_write(self._file, self._size, tensors))
                self._size = self._file.tell()
        except OSError:  # the disk is full
            self._room = 0

    def read(self, key: object) -> Tensors | None:
        """The tensors of a key, if they are there."""
        places = self._places.get(key)
        if self._file is None or places is None:
            return None
        return tuple(_read(self._file, place) for place in places)


def _write(file: BinaryIO, end: int, tensors: Tensors) -> Iterator[_Place]:
    """Write tensors from ``end`` on."""
    file.seek(end)
    for tensor in tensors:
        place = _Place(file.tell(), tensor.nbytes, tensor.shape, tensor.dtype, tensor.device)
        file.write(tensor.cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
        yield place


def _read(file: BinaryIO, place: _Place) -> Tensor:
    file.seek(place.first)
    samples = bytearray(file.read(place.size))
    return torch.frombuffer(samples, dtype=place.dtype).view(place.shape).to(place.device)
