"""References of one shot that give the same thing different colours: a bus red in one, blue in another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np

from ..references.image import Reference
from ..utils.arrays import Picture
from ..video.frames import Shot, VideoInfo
from .coverage import FilmMatcher

# Distance in ab from which on two colours disagree, and cells that touch each other from which on they are a
# thing. Of 182 pairs of frames of one shot, whose colours agree, none is named; of 7 with a place painted in
# another colour, 6 are.
DISTANCE, CELLS = 30.0, 8
AROUND = 1.0  # of the thing's size, that a picture of the place shows on each side

Box = tuple[float, float, float, float]  # left, top, right, bottom, as shares of a picture's sides


@dataclass(frozen=True, eq=False)
class Disagreement:
    """Two references of a shot that show one thing in two colours.

    Args:
        shot: The shot.
        first: One of them.
        second: The other, the next in time.
        first_box: Where the thing is in the first.
        second_box: Where it is in the second.
        distance: The mean distance of its colours, in ab.
    """

    shot: Shot
    first: Reference
    second: Reference
    first_box: Box
    second_box: Box
    distance: float

    def line(self, info: VideoInfo) -> str:
        """What there is to say of it."""
        left, top, right, bottom = self.first_box
        where = f"{round(50 * (left + right))} % across and {round(50 * (top + bottom))} % down"
        names = [_name(reference, info) for reference in (self.first, self.second)]
        return (
            f"shot {self.shot.index + 1}: {names[0]} and {names[1]} disagree about the same thing, "
            f"{where} in the first (colours {self.distance:.0f} apart)"
        )

    def pictures(self) -> tuple[Picture, Picture]:
        """The place in both references, RGB uint8 ``[h, w, 3]``, with what is around it."""
        return _cut(self.first.image, self.first_box), _cut(self.second.image, self.second_box)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "shot": self.shot.index,
            "first": self.first.path.name,
            "second": self.second.path.name,
            "first_box": list(self.first_box),
            "second_box": list(self.second_box),
            "distance": self.distance,
        }


def find_disagreements(
    shot: Shot, references: Sequence[Reference], film_matcher: FilmMatcher
) -> list[Disagreement]:
    """The disagreements between each reference of a shot and the next one, the largest of each pair.

    Args:
        shot: The shot.
        references: Its references, by time.
        film_matcher: Finds the same things in both.
    """
    if len(references) < 2 or not film_matcher.matcher.can_compare:
        return []
    pairs = (_between(shot, first, second, film_matcher) for first, second in pairwise(references))
    return [found for found in pairs if found is not None]


def _between(
    shot: Shot, first: Reference, second: Reference, film_matcher: FilmMatcher
) -> Disagreement | None:
    a, b = map(film_matcher.reference_features, (first, second))
    distance, there = film_matcher.matcher.contradiction(a, b)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (distance > DISTANCE).astype(np.uint8), connectivity=8
    )
    if count < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    if stats[largest, cv2.CC_STAT_AREA] < CELLS:
        return None
    here = np.argwhere(labels == largest)
    places = there[labels == largest]
    opposite = np.stack([places // b.shape[1], places % b.shape[1]], axis=1)
    return Disagreement(
        *(shot, first, second, _box(here, a.shape), _box(opposite, b.shape)),
        float(distance[labels == largest].mean()),
    )


def _box(cells: Any, shape: tuple[int, int]) -> Box:
    (top, left), (bottom, right) = cells.min(0), cells.max(0) + 1
    rows, columns = shape
    return left / columns, top / rows, right / columns, bottom / rows


def _cut(image: Picture, box: Box) -> Picture:
    height, width = image.shape[:2]
    left, top, right, bottom = box
    dx, dy = AROUND * (right - left), AROUND * (bottom - top)
    x = slice(max(0, round((left - dx) * width)), min(width, round((right + dx) * width)))
    y = slice(max(0, round((top - dy) * height)), min(height, round((bottom + dy) * height)))
    return np.ascontiguousarray(image[y, x])


def _name(reference: Reference, info: VideoInfo) -> str:
    return (
        reference.path.name
        if reference.at is None
        else (f"{reference.path.name} at {info.timecode(reference.at)}")
    )
