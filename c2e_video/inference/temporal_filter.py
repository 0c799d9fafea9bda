"""Colour filter_frame along motion: what the frames around say of a place counts there, too.

Every frame is painted by itself and errs in places of its own. What moves is followed through a few frames
before and after, in luma, and its colours there are averaged with its own. The window is bounded, so a
frame's colours depend on these few frames and on nothing else: painted in any part of the film, they are the
same. The numbers are measured in docs/results.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import cv2
import numpy as np
import numpy.typing as npt

from .optical_flow import NO_MAP, Floats, flow_between, forward_backward_error

T = TypeVar("T")

REACH = 3  # frames each way
# A place followed into another frame counts by how alike lightness is around it there (sigma, in L*) ...
LIGHTNESS_SIGMA = 5.0
# ... within so many samples of planes of half the size, in which all this is done: what errs is larger.
WINDOW = 5
# And by how far from itself the way back ends (sigma, in the same samples).
FB_SIGMA = 1.0
SMALLEST = 32  # short side of those planes: less the search for motion cannot do with
_OUTSIDE = (1e3, 0.0, 0.0)  # as light as nothing is


@dataclass(frozen=True, eq=False)
class LabPrediction:
    """A frame as the network sees and paints it: ``lightness`` ``[h, w]`` and ``ab`` ``[2, h, w]``, fp32."""

    lightness: Floats
    ab: Floats

    @cached_property
    def halved(self) -> Floats:
        """L*, a*, b* ``[h/2, w/2, 3]``."""
        whole = np.dstack((self.lightness, *self.ab))
        size = (whole.shape[1] // 2, whole.shape[0] // 2)
        return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA))

    def scaled(self, factor: float) -> LabPrediction:
        """The same with a*, b* multiplied."""
        return self if factor == 1 else LabPrediction(self.lightness, self.ab * np.float32(factor))

    @cached_property
    def is_sound(self) -> bool:
        """Whether all of it are numbers: what is none would spread to the frames around."""
        return bool(np.isfinite(self.ab).all())

    @cached_property
    def gray(self) -> npt.NDArray[np.uint8]:
        """L* alone, of that size, for the search."""
        return (self.halved[..., 0] * 2.55).clip(0, 255).astype(np.uint8)

    def warp(self, other: LabPrediction) -> tuple[Floats, Floats]:
        """``other``, of half the size, as seen from every place of this; and in [0, 1] how far it is found.

        What is not the same thing does not lead back. And the same is as light, with what is around it.
        """
        places, _, astray = forward_backward_error(self.flow_to(other), other.flow_to(self))
        seen = cv2.remap(
            *(other.halved, places, NO_MAP, cv2.INTER_LINEAR),
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=_OUTSIDE,
        )
        unlike = cv2.blur((seen[..., 0] - self.halved[..., 0]) ** 2, (WINDOW, WINDOW))
        return np.asarray(seen), np.exp(
            astray / (-2 * FB_SIGMA**2) + unlike / (-2 * LIGHTNESS_SIGMA**2)
        )

    def flow_to(self, other: LabPrediction) -> Floats:
        """Where every place of half the size has gone: across and down, ``[h/2, w/2, 2]``."""
        flow = self._flows.get(other)
        if flow is None:
            flow = flow_between(self.gray, other.gray, cv2.DISOPTICAL_FLOW_PRESET_FAST)
            self._flows[other] = flow
        return flow

    @cached_property
    def _flows(self) -> WeakKeyDictionary[LabPrediction, Floats]:
        """Found once for both: each frame of two is filter_frame by the other."""
        return WeakKeyDictionary()


def sliding_windows(
    batches: Iterable[Sequence[T]], reach: int = REACH
) -> Iterator[list[tuple[Sequence[T], int]]]:
    """For the items of each batch the window around them, up to ``reach`` each way, and their place in it.

    An item is given as soon as those after it have come: as many as came, but ``reach`` items later.
    """
    known: list[T] = []
    done = 0
    last: list[Sequence[T] | None] = [None]
    for batch in chain(batches, last):
        known += batch or ()
        sure = len(known) if batch is None else len(known) - reach
        if sure > done:
            yield [
                (known[max(0, i - reach) : i + reach + 1], min(i, reach)) for i in range(done, sure)
            ]
        past = max(0, sure - reach)
        del known[:past]
        done = max(done, sure) - past


def filter_window(window: tuple[Sequence[tuple[T, LabPrediction]], int]) -> tuple[T, LabPrediction]:
    """One of :func:`sliding_windows` of items with their sketches: its item, and the sketch filter_frame."""
    known, number = window
    return known[number][0], filter_frame([predict for _, predict in known], number)


def filter_frame(predictions: Sequence[LabPrediction], number: int) -> LabPrediction:
    """The sketch of that ``number``, its ab filter_frame by the others: of the frames around it.

    Those of another size do not count.
    """
    predict = predictions[number]
    height, width = predict.lightness.shape
    if min(height, width) < 2 * SMALLEST:
        return predict
    own = predict.halved
    missing, weights = np.zeros_like(own[..., 1:]), np.ones_like(own[..., :1])
    for index, other in enumerate(predictions):
        if index == number or other.ab.shape != predict.ab.shape or not other.is_sound:
            continue
        seen, found = predict.warp(other)
        missing += found[..., None] * (seen[..., 1:] - own[..., 1:])
        weights += found[..., None]
    # What is finer than half the size stays the frame's own.
    change: Any = cv2.resize(missing / weights, (width, height), interpolation=cv2.INTER_LINEAR)
    return LabPrediction(
        predict.lightness, np.ascontiguousarray(predict.ab + change.transpose(2, 0, 1))
    )
