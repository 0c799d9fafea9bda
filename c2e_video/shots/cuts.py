"""Cuts and fades in damaged black-and-white film, found in one pass.

The similarity of two frames is the correlation of their thumbnails' detail, each sample divided by its
local contrast: flicker, grain, scratches and uneven light do not count. The link across a moment is the
similarity of the most similar pair out of the four frames before it and the four after. What passes and
comes back (a photographer's flash, a torn frame) leaves the link high, a fast pan lowers it for a while, a
cut lowers it at one moment only. Where the camera moves over fine detail, links are low throughout: there a
cut is a moment at which no shift brings the two frames together, while on each side of it one does. Blank
frames are left out: a fade through black is a cut at its darkest frame.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from ..utils.arrays import Floats
from .correlation import best, correlation, spectrum

REACH = 4  # frames on each side of a moment
BESIDE = 2  # frames from a cut to a link that it does not lower
BROKEN = 0.31  # by so much the link is lower at a cut than beside it
BROKEN_IN_THE_DARK = 0.12  # the same at a fade, whose dim frames are mostly grain
BACK = 0.5  # correlation, at the best shift, from which a picture is the same as before
# The same for two frames in a row that show different things, and for two of one camera movement. In 150
# movements over photographs, cuts had at most 0.22, frames of one movement at least 0.63.
APART, TOGETHER = 0.3, 0.6
PLACE = (9, 9)  # samples of the thumbnail over which local contrast is taken


class Transition(NamedTuple):
    """Where one shot becomes the next, in pts: a dissolve, or a cut, which has no length."""

    start: int
    length: int = 0


class _Seen(NamedTuple):
    detail: Floats
    spectrum: Floats
    cut: int
    broken: float


class CutFinder:
    """Finds cuts among frames that are not blank; each is known five frames later."""

    def __init__(self) -> None:
        self._seen: deque[_Seen] = deque(maxlen=2 * REACH + BESIDE)
        self._links: deque[tuple[float, _Seen]] = deque(maxlen=2 * BESIDE + 1)
        self._cuts: list[Transition] = []

    def update(self, thumbnail: Floats, cut: int, *, in_the_dark: bool = False) -> None:
        """Take the next frame.

        Args:
            thumbnail: The frame, ``[rows, columns]`` in steps of 8 bits.
            cut: Where the cut is, in pts, if a shot begins with this frame.
            in_the_dark: Whether blank frames came before it.
        """
        relief = detail(thumbnail)
        broken = BROKEN_IN_THE_DARK if in_the_dark else BROKEN
        seen = _Seen(relief, spectrum(relief), cut, broken)
        if not self._seen:  # as if the film had stood still before
            self._seen.extend([seen] * (2 * REACH + BESIDE))
        self._push(seen)

    def compute(self) -> list[Transition]:
        """All cuts, in order."""
        for _ in range(REACH + BESIDE if self._seen else 0):
            self._push(self._seen[-1])
        return self._cuts

    def _push(self, seen: _Seen) -> None:
        self._seen.append(seen)
        details = np.stack([seen.detail.ravel() for seen in list(self._seen)[BESIDE:]])
        link = float((details[:REACH] @ details[REACH:].T).max())
        self._links.append((link, self._seen[-REACH]))
        if len(self._links) == self._links.maxlen:
            self._judge()

    def _judge(self) -> None:
        """Note a cut if the middle one of the last links is the lowest, by far, or no shift bridges it."""
        links = [link for link, _ in self._links]
        link, seen = self._links[BESIDE]
        broken = link == min(links) and min(links[0], links[-1]) - link > seen.broken
        around = list(self._seen)
        before, after = around[:REACH], around[REACH:]
        if (broken and not _is_back(before[-BESIDE:], after[1 - REACH :])) or (
            _is_parted(before, after) and not _is_back(before, after)
        ):
            self._cuts.append(Transition(seen.cut))


def _is_parted(before: Sequence[_Seen], after: Sequence[_Seen]) -> bool:
    """Whether the frames beside a moment differ, while the picture only moves before and after it."""
    return (
        _shifted(before[-1], after[0]) < APART
        and min(_shifted(*before[-2:]), _shifted(*after[:2])) > TOGETHER
    )


def _is_back(before: Sequence[_Seen], after: Sequence[_Seen]) -> bool:
    """Whether one of the frames after a moment shows, perhaps shifted, what one before it showed."""
    return any(_shifted(one, other) > BACK for one in before for other in after)


def _shifted(one: _Seen, other: _Seen) -> float:
    """The correlation of two frames at the best shift."""
    return best(correlation(one.spectrum, other.spectrum))[0]


def detail(thumbnail: Floats) -> Floats:
    """A thumbnail less its local mean, divided by its local contrast, scaled to unit length."""
    relief = thumbnail - _blurred(thumbnail)
    contrast = np.sqrt(_blurred(relief * relief))
    relief /= contrast + (0.3 * contrast.mean() + 0.5)
    return np.asarray(relief / (np.linalg.norm(relief) + 1e-3), np.float32)


def _blurred(plane: Floats) -> Floats:
    return np.asarray(cv2.blur(plane, PLACE, borderType=cv2.BORDER_REFLECT))
