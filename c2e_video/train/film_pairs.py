"""Training pairs from film: two frames of one shot, one to be painted, the other its reference."""

from __future__ import annotations

import hashlib
from typing import NamedTuple, cast

import cv2
import numpy as np
import numpy.typing as npt

from ..utils.arrays import Picture
from .dataset import PhotoCache

VALIDATION = 0.05  # share of the shots, by a hash of their names, never trained on
JITTER = 0.06  # of the reference's window against the frame's, in its sides


class TrainingBatch(NamedTuple):
    """``pictures`` uint8 ``[N, S, S, 3]``; where ``paired`` ``[N]`` they are frames with ``references``."""

    pictures: Picture
    references: Picture
    paired: npt.NDArray[np.bool_]


class FilmPairs:
    """Draws pairs of frames. Names are ``SHOT/NUMBER.suffix``: the frame's number in its shot."""

    def __init__(self, frames: PhotoCache) -> None:
        self.frames = frames
        shots: dict[str, list[tuple[int, int]]] = {}
        for index, name in enumerate(frames.names):
            shot, _, file = name.rpartition("/")
            number = file.split(".")[0]
            if number.isdigit():
                shots.setdefault(shot, []).append((int(number), index))
        several = {shot: sorted(own) for shot, own in shots.items() if len(own) > 1}
        self.shots = [own for shot, own in sorted(several.items()) if not _is_validation(shot)]
        self.validation = [own for shot, own in sorted(several.items()) if _is_validation(shot)]

    def draw(self, size: int, rng: np.random.Generator) -> tuple[Picture, Picture]:
        """A frame and its reference, RGB uint8 ``[size, size, 3]`` each.

        Their distance in frames is log-uniform and either may come first. The reference shows a little
        more or less, as after a pan or a zoom.
        """
        first, second = pair_of(self.shots[rng.integers(len(self.shots))], rng)
        flip = rng.random() < 0.5
        frame, reference = self.frames[first], self.frames[second]
        window = _Window.drawn(frame.shape[0], frame.shape[1], rng)
        pictures = [_cut(frame, window, size), _cut(reference, window.moved(rng), size)]
        return cast(tuple[Picture, Picture], tuple(p[:, ::-1] if flip else p for p in pictures))

    def among(self, pictures: Picture, share: float, rng: np.random.Generator) -> TrainingBatch:
        """The pictures, each replaced by a frame and its reference with a probability of ``share``."""
        paired = rng.random(len(pictures)) < share
        references, pictures = np.zeros_like(pictures), pictures.copy()
        for k in np.flatnonzero(paired):
            pictures[k], references[k] = self.draw(pictures.shape[1], rng)
        return TrainingBatch(pictures, references, paired)


def pair_of(shot: list[tuple[int, int]], rng: np.random.Generator) -> tuple[int, int]:
    """The indices of two frames of a shot (number and index each), log-uniformly far apart."""
    numbers = np.array([number for number, _ in shot])
    longest = numbers[-1] - numbers[0]
    wanted = np.exp(rng.uniform(0, np.log(max(2, longest))))
    one = int(rng.integers(len(shot)))
    distances = np.abs(numbers - numbers[one]).astype(float)
    distances[one] = np.inf
    other = int(np.argmin(np.abs(np.log(distances) - np.log(wanted))))
    pair = (shot[one][1], shot[other][1])
    return pair if rng.random() < 0.5 else (pair[1], pair[0])


class _Window(NamedTuple):
    """Part of a picture: its middle and sides, as shares of the picture's."""

    y: float
    x: float
    height: float
    width: float

    @classmethod
    def drawn(cls, height: int, width: int, rng: np.random.Generator) -> _Window:
        """Near square, from 0.55 to the whole of the short side."""
        side = rng.uniform(0.55, 1.0) * min(height, width)
        aspect = np.exp(rng.uniform(-0.12, 0.12))
        h, w = min(1.0, side / aspect / height), min(1.0, side * aspect / width)
        return cls(rng.uniform(h / 2, 1 - h / 2), rng.uniform(w / 2, 1 - w / 2), h, w)

    def moved(self, rng: np.random.Generator) -> _Window:
        """A little elsewhere and larger or smaller, inside the picture."""
        zoom = np.exp(rng.normal() * JITTER)
        h, w = min(1.0, self.height * zoom), min(1.0, self.width * zoom)
        y, x = self.y + rng.normal() * JITTER * h, self.x + rng.normal() * JITTER * w
        return _Window(
            float(np.clip(y, h / 2, 1 - h / 2)), float(np.clip(x, w / 2, 1 - w / 2)), h, w
        )


def _cut(picture: Picture, window: _Window, size: int) -> Picture:
    height, width = picture.shape[:2]
    top, left = (
        round((window.y - window.height / 2) * height),
        round((window.x - window.width / 2) * width),
    )
    h, w = max(16, round(window.height * height)), max(16, round(window.width * width))
    part = picture[max(0, top) : max(0, top) + h, max(0, left) : max(0, left) + w]
    how = cv2.INTER_AREA if part.shape[0] > size else cv2.INTER_CUBIC
    return cast(Picture, cv2.resize(part, (size, size), interpolation=how))


def _is_validation(shot: str) -> bool:
    return hashlib.sha256(shot.encode()).digest()[0] < 256 * VALIDATION
