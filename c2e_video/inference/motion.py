"""Where the pixels of one frame are in another, and colours carried along that motion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import cv2
import numpy as np
import numpy.typing as npt

from ..utils.arrays import Floats
from .optical_flow import (
    NO_MAP,
    composed_flow,
    forward_backward_error,
    pixel_positions,
    quick_flow,
)

FLOW_SIDE = 128  # short side, about, of the planes in which motion is sought
SMALLEST_SIDE = 32  # with a shorter side no motion is sought
FB_SIGMA = 1.0  # of the forward-backward error, in pixels of those planes
LIGHTNESS_SIGMA = 5.0  # of the difference in L*, ...
WINDOW = 5  # ... the mean over so many pixels squared of those planes
_OUTSIDE = 1e3  # L* beyond the border: nothing is as light
FLOOR = 0.02  # added to each confidence, so that a pixel found nowhere has a colour, too


class Match(NamedTuple):
    """One frame seen from another.

    Args:
        flow: From each pixel to where it is in the other frame (x, y), fp32 ``[h, w, 2]`` in pixels.
        confidence: In [0, 1], fp32 ``[h, w]``: exp(-fb^2 / (2 FB_SIGMA^2) - dL^2 / (2 LIGHTNESS_SIGMA^2)),
            fb the forward-backward error in pixels, dL^2 the local mean squared difference of L*.
    """

    flow: Floats
    confidence: Floats


class MotionPlane:
    """A frame's lightness, reduced, from which motion to other frames is found.

    Args:
        lightness: L* in [0, 100], fp32 ``[H, W]``.
    """

    def __init__(self, lightness: Floats) -> None:
        height, width = lightness.shape
        step = max(1, round(min(height, width) / FLOW_SIDE))
        size = (max(1, width // step), max(1, height // step))
        self.lightness: Any = cv2.resize(lightness, size, interpolation=cv2.INTER_AREA)
        self._samples: npt.NDArray[np.uint8] = (self.lightness * 2.55).clip(0, 255).astype(np.uint8)
        # Weak, so that a frame is freed when it is done with, not when all it was compared with are.
        self._matches: WeakKeyDictionary[MotionPlane, Match] = WeakKeyDictionary()

    @property
    def is_usable(self) -> bool:
        """Whether the plane is large enough for motion to be found in it."""
        return bool(min(self.lightness.shape) >= SMALLEST_SIDE)

    def match(self, other: MotionPlane) -> Match:
        """Find the pixels of this frame in another one of the same size. The match is kept.

        If the two were matched by a motion that was followed, that match is returned.
        """
        match = self._matches.get(other)
        if match is None:
            match = self.match_by(other, Motion.between(self, other))
        return match

    def match_by(self, other: MotionPlane, motion: Motion) -> Match:
        """Match this frame with another one by a known motion, and keep the match."""
        positions, _, error = forward_backward_error(*motion)
        seen: Any = cv2.remap(
            *(other.lightness, positions, NO_MAP, cv2.INTER_LINEAR),
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=_OUTSIDE,
        )
        difference = cv2.blur((seen - self.lightness) ** 2, (WINDOW, WINDOW))
        exponent = error / (-2 * FB_SIGMA**2) + difference / (-2 * LIGHTNESS_SIGMA**2)
        match = self._matches[other] = Match(motion.there, np.exp(exponent))
        return match


class Motion(NamedTuple):
    """The motion between two frames: the flow ``there`` and the flow ``back``, fp32 ``[h, w, 2]``."""

    there: Floats
    back: Floats

    @classmethod
    def between(cls, own: MotionPlane, other: MotionPlane) -> Motion:
        """The motion from a frame to another, found directly: for frames that are close in time."""
        pair = own._samples, other._samples
        return cls(quick_flow(*pair), quick_flow(*pair[::-1]))

    def then(self, step: Motion) -> Motion:
        """This motion, and after it another one that begins where it ends."""
        return Motion(composed_flow(self.there, step.there), composed_flow(step.back, self.back))

    def refined(self, own: MotionPlane, other: MotionPlane) -> Motion:
        """The motion between two frames, searched from this one on."""
        pair = own._samples, other._samples
        return Motion(quick_flow(*pair, self.there), quick_flow(*pair[::-1], self.back))

    @property
    def reversed(self) -> Motion:
        return Motion(self.back, self.there)


def followed(planes: Sequence[MotionPlane], steps: Iterable[Motion]) -> Iterator[Motion]:
    """The motion from the first of some frames to each of the others, followed from frame to frame.

    The search for the motion to a frame begins at the motion to the frame before it. Found directly, fast
    motion is lost over a few frames.

    Args:
        planes: Frames in order of time, or in reverse.
        steps: The motion from each of them to the next.

    Yields:
        The motion to each but the first.
    """
    first, *others = planes
    motion: Motion | None = None
    for plane, step in zip(others, steps, strict=True):
        motion = step if motion is None else motion.then(step).refined(first, plane)
        yield motion


class Source(NamedTuple):
    """A frame whose colours are known, and how much it counts."""

    motion: MotionPlane
    ab: Floats
    weight: float = 1.0


def mean_along_motion(
    target: MotionPlane, sources: Iterable[Source], own: Floats | None = None
) -> Floats:
    """The weighted mean of the colours of other frames, each carried to where it is in this one.

    A pixel of a source counts ``weight * (confidence + FLOOR)``, the frame's own colours count 1. With
    own colours the floor is 0.

    Args:
        target: The frame whose colours are wanted.
        sources: Other frames, ab fp32 ``[2, H, W]``.
        own: The frame's own ab, if it has one, fp32 ``[2, H, W]``.

    Returns:
        ab, fp32 ``[2, H, W]``.
    """
    total: Any = None if own is None else own.copy()
    weights: Any = 0.0 if own is None else 1.0
    for source in sources:
        ab, confidence = _carried(target, source)
        counts = confidence + FLOOR if own is None else confidence
        counts *= source.weight
        ab *= counts
        total = ab if total is None else np.add(total, ab, out=total)
        weights = weights + counts
    return np.asarray(np.divide(total, weights, out=total))


def _carried(target: MotionPlane, source: Source) -> tuple[Floats, Floats]:
    """A source's ab ``[2, H, W]`` as seen from the target, and the confidence ``[H, W]``."""
    match = target.match(source.motion)
    height, width = source.ab.shape[1:]
    rows, columns = match.confidence.shape
    flow = match.flow * np.array([width / columns, height / rows], np.float32)
    places: Any = cv2.resize(flow, (width, height))
    places += pixel_positions(height, width)
    seen = np.empty_like(source.ab)
    for plane, into in zip(source.ab, seen, strict=True):
        cv2.remap(
            *(plane, places, NO_MAP, cv2.INTER_LINEAR),
            dst=into,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return seen, np.asarray(cv2.resize(match.confidence, (width, height)))
