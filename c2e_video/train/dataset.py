"""Photographs for training: found in folders and tar files, decoded once, drawn by the step number."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from ..errors import C2EError
from ..utils.arrays import Picture
from .config import TrainConfig

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
SHORT_SIDE = 288  # pictures are kept no larger than this: room to crop 256 from
HELD_OUT = 500


def _is_picture(name: str) -> bool:
    """By its suffix; what begins with a dot is a system's own, such as macOS's "._" beside each file."""
    path = Path(name)
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def encoded_pictures(sources: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    """Name and file content of every picture in folders (searched deep) and tar files."""
    for source in sources:
        if source.is_dir():
            for path in sorted(p for p in source.rglob("*") if _is_picture(p.name)):
                yield path.relative_to(source).as_posix(), path.read_bytes()
        elif source.is_file() and tarfile.is_tarfile(source):
            with tarfile.open(source) as tar:
                for member in tar:
                    file = tar.extractfile(member) if _is_picture(member.name) else None
                    if file is not None:
                        yield member.name, file.read()
        else:
            raise C2EError(f"{str(source)!r} is neither a folder nor a tar file of pictures")


def decode_picture(content: bytes) -> Picture | None:
    """RGB uint8 ``[H, W, 3]``, short side at most ``SHORT_SIDE``; None for what is no colour picture."""
    bgr = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None or min(bgr.shape[:2]) < 64:
        return None
    scale = SHORT_SIDE / min(bgr.shape[:2])
    if scale < 1:
        bgr = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    channels = bgr.reshape(-1, 3).astype(np.int16)
    if np.abs(channels - channels.mean(1, keepdims=True)).mean() < 2:
        return None  # a gray photograph would teach gray
    return np.ascontiguousarray(bgr[:, :, ::-1])


@dataclass(frozen=True)
class PhotoCache:
    """All pictures decoded, one after another in one memory-mapped file."""

    names: tuple[str, ...]
    shapes: npt.NDArray[np.int64]  # [N, 2]: height, width
    offsets: npt.NDArray[np.int64]
    pixels: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Picture:
        h, w = self.shapes[index]
        start = self.offsets[index]
        return self.pixels[start : start + h * w * 3].reshape(h, w, 3)

    def held_out(self, count: int = HELD_OUT) -> npt.NDArray[np.int64]:
        """Indices never trained on: the ``count`` smallest hashes of names (at most a tenth)."""
        count = min(count, len(self) // 10)
        hashes = [hashlib.sha256(name.encode()).digest() for name in self.names]
        return np.array(sorted(range(len(self)), key=hashes.__getitem__)[:count], np.int64)


def open_cache(sources: Sequence[Path], folder: Path) -> PhotoCache:
    """The decoded pictures of ``sources``, decoding them into ``folder`` the first time."""
    identity = [[str(s.resolve()), *_state(s)] for s in _existing(sources)]
    index = folder / "photos.json"
    if not index.exists() or json.loads(index.read_text())["sources"] != identity:
        _fill_cache(sources, folder, identity)
    known = json.loads(index.read_text())
    shapes = np.array(known["shapes"], np.int64).reshape(-1, 2)
    ends = np.cumsum(shapes.prod(1) * 3)
    pixels = np.memmap(folder / "photos.bin", np.uint8, mode="r")
    return PhotoCache(tuple(known["names"]), shapes, ends - shapes.prod(1) * 3, pixels)


def _state(source: Path) -> tuple[int, int]:
    """What changes when pictures come or go: size and time of a tar file, or of all within a folder."""
    inside = [path.lstat() for path in (source, *source.rglob("*"))]
    return sum(s.st_size for s in inside), max(s.st_mtime_ns for s in inside)


def _existing(sources: Sequence[Path]) -> Sequence[Path]:
    for source in sources:
        if not source.exists():
            raise C2EError(
                f"no photographs at {str(source)!r}; give folders or tar files of pictures"
            )
    return sources


def _fill_cache(sources: Sequence[Path], folder: Path, identity: list[list[object]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    shapes: list[tuple[int, int]] = []
    with open(folder / "photos.bin.partial", "wb") as file, ThreadPoolExecutor(2) as pool:
        encoded = encoded_pictures(sources)
        progress = tqdm(desc="decoding photographs", unit="pic", disable=None)  # drawn on terminals
        while chunk := list(islice(encoded, 64)):
            for (name, _), picture in zip(
                chunk, pool.map(decode_picture, (content for _, content in chunk)), strict=True
            ):
                if picture is not None:
                    names.append(name)
                    shapes.append((picture.shape[0], picture.shape[1]))
                    file.write(picture.tobytes())
            progress.update(len(chunk))
        progress.close()
    if not names:
        raise C2EError(
            f"no colour pictures in {[str(s) for s in sources]}; accepted: {sorted(SUFFIXES)}"
        )
    os.replace(folder / "photos.bin.partial", folder / "photos.bin")
    (folder / "photos.json").write_text(
        json.dumps({"sources": identity, "names": names, "shapes": shapes})
    )


class Sampler:
    """Draws the pictures of a step: the same step always draws the same, so a run resumes exactly."""

    def __init__(self, photos: PhotoCache, config: TrainConfig) -> None:
        self.photos, self.config = photos, config
        folders = [name.split("/")[0] for name in photos.names]
        weights = np.array([dict(config.folder_weights).get(f, 1.0) for f in folders])
        weights[photos.held_out()] = 0
        excluded = set(config.exclude)
        weights[[index for index, name in enumerate(photos.names) if name in excluded]] = 0
        self.cumulative = np.cumsum(weights / weights.sum())
        self.unsquash = np.array([f in config.unsquash for f in folders])

    def batch(self, step: int, part: int, count: int) -> Picture:
        """Part ``part`` of step ``step``: RGB uint8 ``[count, S, S, 3]``."""
        rng = np.random.default_rng((self.config.seed, step, part))
        size = self.config.size_at(step)
        chosen = np.searchsorted(self.cumulative, rng.random(count) * self.cumulative[-1])
        chosen = np.minimum(chosen, len(self.photos) - 1)
        return np.stack([self._crop(int(index), size, rng) for index in chosen])

    def _crop(self, index: int, size: int, rng: np.random.Generator) -> Picture:
        """A random part of a picture, near square in its true proportions, flipped at random."""
        picture = self.photos[index]
        h, w = picture.shape[:2]
        aspect = np.exp(rng.uniform(-0.12, 0.12))  # of the crop's width to its height
        if self.unsquash[index]:
            aspect *= rng.choice((3 / 4, 4 / 3))
        share = rng.uniform(0.55, 1.0)
        ch = min(h, w / aspect) * share
        ch, cw = max(16, int(ch)), max(16, int(ch * aspect))
        ch, cw = min(ch, h), min(cw, w)
        top, left = rng.integers(0, h - ch + 1), rng.integers(0, w - cw + 1)
        crop = picture[top : top + ch, left : left + cw]
        shrinking = ch * cw > size * size
        how = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
        square = cast(Picture, cv2.resize(crop, (size, size), interpolation=how))
        return square[:, ::-1] if rng.random() < 0.5 else square

    def whole(self, index: int, side: int, rng: np.random.Generator) -> Picture:
        """A whole picture in its true proportions, RGB uint8 ``[H, W, 3]``.

        Its short side is near ``side``, both are multiples of 16.
        """
        picture = self.photos[index]
        shape = np.array(picture.shape[:2], np.float64)
        if self.unsquash[index]:
            shape[rng.integers(2)] *= 4 / 3
        h, w = (np.maximum(1, np.round(shape * (side / 16 / shape.min()))) * 16).astype(int)
        return cast(Picture, cv2.resize(picture, (int(w), int(h)), interpolation=cv2.INTER_AREA))

    def fixed(self, indices: npt.NDArray[np.int64], size: int) -> Picture:
        """The middle squares of pictures, for measuring: RGB uint8 ``[N, S, S, 3]``."""
        squares = []
        for index in indices:
            picture = self.photos[int(index)]
            side = min(picture.shape[:2])
            top, left = ((n - side) // 2 for n in picture.shape[:2])
            square = picture[top : top + side, left : left + side]
            squares.append(cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA))
        return np.stack(squares)
