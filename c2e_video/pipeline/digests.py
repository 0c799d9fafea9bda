"""Digests of files and films: the source and the weights of a job are compared by them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from ..video.decode import files_of


def file_digest(path: Path) -> str:
    """sha256 of a file's content, hexadecimal."""
    with open(path, "rb") as file:
        return _digest_of(iter(lambda: file.read(1 << 20), b""))


def film_digest(path: Path, chunk: int = 1 << 20) -> str:
    """sha256 of samples of a film, hexadecimal: quick for a film of any size.

    Args:
        path: A file: its size and 16 chunks at equal distances, the first and the last included. A folder
            or pattern of numbered pictures: names and sizes of all, and such samples of 16 of them.
        chunk: Bytes of a chunk.
    """
    files = files_of(path)
    named = [f"{f.name} {f.stat().st_size}".encode() for f in files] if len(files) > 1 else []
    some = [files[(len(files) - 1) * k // 15] for k in range(16)] if len(files) > 1 else files
    return _digest_of(chain(named, *(_samples(file, chunk) for file in dict.fromkeys(some))))


def _samples(path: Path, chunk: int) -> Iterator[bytes]:
    size = path.stat().st_size
    yield str(size).encode()
    with open(path, "rb") as file:
        for k in range(16):
            file.seek(max(0, size - chunk) * k // 15)
            yield file.read(chunk)


def _digest_of(chunks: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()
