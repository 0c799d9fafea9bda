"""Cuts and fades in damaged black-and-white film, found while it goes by.

Two frames are as like as their thumbnails' detail correlates, every place divided by its own contrast:
flicker, grain, scratches and uneven light do not count. The link across a moment is the likeness of
the most alike pair of the four frames before it and the four after. Nothing that comes back (a
photographer's flash, a torn frame) breaks it; a fast pan makes it weak for a while; a cut breaks it at
one moment only. Blank frames are passed over: a fade through black is a cut where it is darkest.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import cv2
import numpy as np

from .correlation import Floats, best, correlation, spectrum

REACH = 4  # frames on either side of a moment
BESIDE = 2  # frames from a cut to where the link is whole again
BROKEN = 0.31  # how much weaker the link is at a cut than beside it
BROKEN_IN_THE_DARK = 0.12  # the same for a fade, whose dim frames are mostly grain
BACK = 0.5  # likeness, moved, of a picture that has come back in a moving shot
PLACE = (9, 9)  # samples of the thumbnail whose contrast counts as one


class Transition(NamedTuple):
    """Where one shot becomes the next, in pts: a dissolve, or a cut, which has no length."""

    start: int
    length: int = 0


class _Seen(NamedTuple):
    detail: Floats
    cut: int
    broken: float


class CutFinder:
    """Takes every frame that shows something, and knows of a cut five frames later."""

    def __init__(self) -> None:
        self._seen: deque[_Seen] = deque(maxlen=2 * REACH)
        self._links: deque[tuple[float, _Seen]] = deque(maxlen=2 * BESIDE + 1)
        self._cuts: list[Transition] = []

    def update(self, thumbnail: Floats, cut: int, *, in_the_dark: bool = False) -> None:
        """Take the next frame, ``[rows, columns]``.

        If a shot begins with it, its cut is at the pts ``cut``; ``in_the_dark`` after a while of black.
        """
        seen = _Seen(detail(thumbnail), cut, BROKEN_IN_THE_DARK if in_the_dark else BROKEN)
        if not self._seen:  # as if the film had stood still before
            self._seen.extend([seen] * 2 * REACH)
        self._push(seen)

    def compute(self) -> list[Transition]:
        """All cuts, in order."""
        for _ in range(REACH + BESIDE if self._seen else 0):
            self._push(self._seen[-1])
        return self._cuts

    def _push(self, seen: _Seen) -> None:
        self._seen.append(seen)
        details = np.stack([seen.detail.ravel() for seen in self._seen])
        link = float((details[:REACH] @ details[REACH:].T).max())
        self._links.append((link, self._seen[REACH]))
        if len(self._links) == self._links.maxlen:
            self._judge()

    def _judge(self) -> None:
        """Whether the middle one of the last links is the one that is broken."""
        links = [link for link, _ in self._links]
        link, seen = self._links[BESIDE]
        broken = link == min(links) and min(links[0], links[-1]) - link > seen.broken
        if broken and not self._is_back():
            self._cuts.append(Transition(seen.cut))

    def _is_back(self) -> bool:
        """Whether the frames some time after the moment judged show what was there before it."""
        spectra = [spectrum(seen.detail) for seen in self._seen]
        before, after = spectra[: REACH - BESIDE], spectra[-REACH + 1 :]
        return max(best(correlation(a, b))[0] for a in before for b in after) > BACK


def detail(thumbnail: Floats) -> Floats:
    """What differs from its surroundings, in steps of their contrast, flat and of unit length."""
    relief = thumbnail - _blurred(thumbnail)
    contrast = np.sqrt(_blurred(relief * relief))
    relief /= contrast + (0.3 * contrast.mean() + 0.5)
    return np.asarray(relief / (np.linalg.norm(relief) + 1e-3), np.float32)


def _blurred(plane: Floats) -> Floats:
    return np.asarray(cv2.blur(plane, PLACE, borderType=cv2.BORDER_REFLECT))
