"""Dissolves in damaged black-and-white film, found in one pass, without a network.

The middle frame of a dissolve is a mix of the frames at its ends, and has less contrast than either.
Camera and people move meanwhile: frames are compared at the shift at which they correlate best. A pan is
told apart by its ends, which correlate when shifted, or by its middle, which is no mix of them.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from math import inf
from statistics import median_low
from typing import NamedTuple

import cv2
import numpy as np

from ..utils.arrays import Floats
from .correlation import best, correlation, spectrum
from .cuts import Transition

HALVES = (5, 8, 12, 17, 24)  # frames from the middle of a dissolve to its ends
STEP = 3  # frames from one test to the next
MARGIN = 4  # frames beyond each end whose contrast counts
PLACE = (13, 13)  # samples of the thumbnail over which its local mean is taken

UNLIKE = 0.45  # correlation of the ends, at most
BOTH = 0.25  # correlation of the middle with either end, at least
FLATTER = 0.85  # energy of the middle over the mean of the ends', at most
COMING = 0.03  # least change of each end's correlation from quarter to quarter
SURE = 0.16  # evidence, at least: a weighted sum of all signs


class _Seen(NamedTuple):
    detail: Floats  # [rows, columns], of unit length
    energy: float  # of the detail against the picture's brightness
    pts: int


class _Mix(NamedTuple):
    """A frame as a mix of two others, each at its best shift."""

    before: float  # correlations
    after: float
    explained: float  # share of the frame's energy that the best mix has
    alike: float  # correlation of the two, so shifted, where they overlap


class _Candidate(NamedTuple):
    score: float
    first: int  # frames from the film's beginning
    last: int
    dissolve: Transition


class DissolveFinder:
    """Finds dissolves among frames that are not blank; each is known some frames after its end."""

    def __init__(self) -> None:
        self._raw: deque[tuple[Floats, int]] = deque(maxlen=3)
        self._seen: deque[_Seen] = deque(maxlen=2 * (max(HALVES) + 1 + MARGIN) + 1)
        self._count = 0
        self._best: _Candidate | None = None
        self._found: list[Transition] = []

    def update(self, thumbnail: Floats, pts: int) -> None:
        """Take the next frame: its thumbnail ``[rows, columns]``, and its pts."""
        detail = thumbnail - cv2.blur(thumbnail, PLACE, borderType=cv2.BORDER_REFLECT)
        detail /= float(cv2.mean(thumbnail)[0]) + 8  # flicker is a gain
        self._raw.append((detail, pts))
        if len(self._raw) < 3:
            return
        self._seen.append(_median_of_three(*self._raw))
        self._count += 1
        if self._count % STEP == 0:
            self._look()

    def compute(self) -> list[Transition]:
        """All dissolves, in order."""
        if self._best is not None:
            self._found.append(self._best.dissolve)
        self._best = None
        return self._found

    def _look(self) -> None:
        for half in HALVES:
            size = 2 * (half + 1 + MARGIN) + 1
            if len(self._seen) < size:
                return
            window = list(islice(self._seen, len(self._seen) - size, None))
            found = _dissolve(window)
            if found is not None:
                score, dissolve = found
                first, last = self._count - size + MARGIN + 1, self._count - MARGIN - 1
                self._offer(_Candidate(score, first, last, dissolve))

    def _offer(self, new: _Candidate) -> None:
        """Of candidates that overlap, keep the one of most evidence."""
        held = self._best
        if held is not None and (new.first > held.last or new.last < held.first):
            self._found.append(held.dissolve)
            held = None
        if held is None or new.score > held.score:
            self._best = new


def _median_of_three(*three: tuple[Floats, int]) -> _Seen:
    """The median of three frames, which removes what only one of them shows."""
    (a, _), (b, pts), (c, _) = three
    detail = np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))
    length = float(np.linalg.norm(detail))
    return _Seen(np.asarray(detail / (length + 1e-6), np.float32), length**2, pts)


def _dissolve(window: list[_Seen]) -> tuple[float, Transition] | None:
    """The evidence that ``window``, less its margins, is one dissolve, and it; None if it is none."""
    first, last = MARGIN, len(window) - 1 - MARGIN
    a, b = window[first], window[last]
    middle = len(window) // 2
    detail_correlation, flatness = float(np.vdot(a.detail, b.detail)), _flatness(window)
    if detail_correlation > UNLIKE or flatness > FLATTER:
        return None
    before, after = spectrum(a.detail), spectrum(b.detail)
    across = correlation(before, after)
    detail_correlation = max(detail_correlation, best(across)[0])
    if detail_correlation > UNLIKE:
        return None

    def mix(index: int) -> _Mix:
        return _mixed(before, after, across, window[index].detail)

    half = mix(middle)
    evidence = (
        half.explained - 0.4 * flatness - 0.4 * detail_correlation - 0.9 * max(0.0, half.alike)
    )
    if evidence < SURE or min(half.before, half.after) < BOTH or half.alike > UNLIKE:
        return None
    quarter = (last - first) // 4
    early, late = mix(first + quarter), mix(last - quarter)
    steps = (
        *(early.before - half.before, half.before - late.before),
        *(half.after - early.after, late.after - half.after),
    )
    if min(steps) < COMING:
        return None
    start, stop = window[first + 1].pts, b.pts
    return evidence, Transition(start, stop - start)


def _flatness(window: list[_Seen]) -> float:
    """Energy of the middle against that of the ends; infinite where they have none."""
    energies = [seen.energy for seen in window]
    middle, around = len(window) // 2, max(1, len(window) // 6 - 1)
    inside = median_low(energies[middle - around : middle + around + 1])
    ends = median_low(energies[: MARGIN + 1]) + median_low(energies[-MARGIN - 1 :])
    return 2 * inside / ends if ends else inf


def _mixed(before: Floats, after: Floats, across: Floats, frame: Floats) -> _Mix:
    middle = spectrum(frame)
    p, (py, px) = best(correlation(before, middle))
    q, (qy, qx) = best(correlation(after, middle))
    rows, columns = frame.shape
    dy, dx = py - qy, px - qx
    common = float(np.clip(across[dy, dx], -0.9, 0.9))
    explained = (p * p + q * q - 2 * p * q * common) / (1 - common * common)
    return _Mix(p, q, explained, common / ((1 - abs(dy) / rows) * (1 - abs(dx) / columns)))
