"""What is remembered of a folder of pictures: small gray pictures and descriptors, in a file beside it.

Of thousands of photographs each is read once, not at every plan. A picture is known again by its name,
size and time of change; the file is only used with the weights that made it.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from ..inference.matching import MATCH_SIZE, PARTS, PictureMatcher
from ..references.image import Reference, load_reference
from ..utils.arrays import Plane
from .keyframes import gray_of

VERSION = 1
REMEMBERED_FROM = 64  # pictures; fewer are read again each time
HELD = 32  # pictures; of so many, or fewer, the references are held in memory


@dataclass(frozen=True, eq=False)
class IndexedPicture:
    """What is known of a picture: a small gray one, and its descriptor."""

    gray: Plane
    descriptor: npt.NDArray[np.float32]
    reference: Reference | None = None


class PictureIndex:
    """The pictures of one folder. A context: at its end the file is written.

    Args:
        folder: The folder.
        matcher: Makes descriptors.
        count: How many pictures are asked for.
    """

    def __init__(self, folder: Path, matcher: PictureMatcher, count: int) -> None:
        self.matcher, self.count = matcher, count
        self.path = folder.resolve().with_name(f"{folder.resolve().name}.c2e-index.npz")
        self._known: dict[str, IndexedPicture] = {}
        self._used: dict[str, IndexedPicture] = {}
        self._key = _key(matcher) if count >= REMEMBERED_FROM else ""

    def picture(self, file: Path) -> IndexedPicture:
        """What is known of a picture file, or else what is found in it.

        Raises:
            BadReference: It cannot serve as a reference.
        """
        status = file.stat()
        key = f"{file.name}\n{status.st_size}\n{status.st_mtime_ns}"
        known = self._known.get(key) or self._read(file)
        self._used[key] = known
        return known

    def _read(self, file: Path) -> IndexedPicture:
        reference = load_reference(file)
        descriptor = np.zeros(0, np.float32)
        if self.matcher.can_compare:
            descriptor = self.matcher.encode(reference.image).descriptor
        held = reference if self.count <= HELD else None
        return IndexedPicture(gray_of(reference.image), descriptor, held)

    def __enter__(self) -> PictureIndex:
        if self._key:
            self._known = _load(self.path, self._key)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._key and self._used.keys() - self._known.keys():
            _save(self.path, self._key, self._known | self._used if error else self._used)


def _key(matcher: PictureMatcher) -> str:
    with open(matcher.network.weights, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return f"{VERSION} {MATCH_SIZE} {PARTS} {digest}"


def _load(path: Path, key: str) -> dict[str, IndexedPicture]:
    """What the file remembers; nothing where there is none, or none that is of use."""
    try:
        with np.load(path, allow_pickle=False) as file:
            if str(file["key"]) != key:
                return {}
            names, shapes = file["names"].tolist(), file["shapes"]
            samples, descriptors = file["samples"], file["descriptors"].astype(np.float32)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return {}
    known, first = {}, 0
    for name, (height, width), descriptor in zip(names, shapes, descriptors, strict=True):
        gray = samples[first : first + height * width].reshape(height, width)
        known[name] = IndexedPicture(gray, descriptor)
        first += height * width
    return known


def _save(path: Path, key: str, known: dict[str, IndexedPicture]) -> None:
    """Write the file, whole or not at all. It only saves time: where it cannot be written, it is not."""
    arrays: dict[str, Any] = {
        "key": np.array(key),
        "names": np.array(list(known)),
        "shapes": np.array([picture.gray.shape for picture in known.values()]),
        "samples": np.concatenate([picture.gray.ravel() for picture in known.values()]),
        "descriptors": np.stack([picture.descriptor for picture in known.values()]).astype("f2"),
    }
    partial = path.with_name(f"{path.name}.partial")
    try:
        with open(partial, "wb") as file:
            np.savez(file, **arrays)
        os.replace(partial, path)
    except OSError:
        partial.unlink(missing_ok=True)
