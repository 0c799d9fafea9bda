"""A colour brushed over a thing spreads to the edges of luma.

The solve is that of Levin, Lischinski and Weiss, "Colorization using optimization" (2004): neighbours of
similar luma get similar values, by a sparse linear system. Its unknown is the share of the brush's colour
at each place, not the colour: so what is colorized already stays where no stroke reaches, and one solve
serves a* and b*. Neighbours of different colours count as an edge, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import cg

from ..utils.arrays import Floats
from ..video.frames import VideoInfo
from .display import as_stored
from .engine import Prediction
from .errors import RequestError
from .frames import Cache

LIGHTNESS_SIGMA = 3.0  # L*, between neighbours: a step of so much is an edge
AB_SIGMA = 6.0  # a*, b*: the same for what is colorized already
DECAY = 3e-4  # pull of every place to what it was; the larger, the less far a stroke spreads
FLOOR = 1e-5  # weight over the strongest edge
EDGE = (0.35, 0.65)  # solved share at which a place takes none of the colour, and all of it
MOST_STROKES, MOST_POINTS = 200, 5000
MOST_AB = 110.0


@dataclass(frozen=True)
class Stroke:
    """A line brushed over the upright picture.

    ``points`` are x, y in shares of the picture's width and height, 0 to 1; ``radius`` is in shares of its
    height; ``ab`` is the colour; ``erase`` takes earlier strokes away instead.
    """

    points: tuple[tuple[float, float], ...]
    radius: float
    ab: tuple[float, float]
    erase: bool = False

    def __post_init__(self) -> None:
        if not 1 <= len(self.points) <= MOST_POINTS:
            raise RequestError(f"a stroke has 1 to {MOST_POINTS} points, got {len(self.points)}")
        if not all(-1 <= value <= 2 for point in self.points for value in point):
            raise RequestError("points are shares of the picture's width and height, 0 to 1")
        if not 0 < self.radius <= 0.5:
            raise RequestError(f"a brush's radius is 0 to 0.5 of the height, got {self.radius:g}")
        if not all(-MOST_AB <= value <= MOST_AB for value in self.ab):
            raise RequestError(f"a* and b* are -{MOST_AB:g} to {MOST_AB:g}, got {self.ab}")

    @classmethod
    def of(cls, sent: Any) -> Stroke:
        """The stroke that a page sent. Raises :class:`RequestError` for what is none."""
        try:
            points = tuple((float(x), float(y)) for x, y in sent["points"])
            a, b = sent["ab"]
            return cls(
                points, float(sent["radius"]), (float(a), float(b)), sent.get("erase") is True
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise RequestError("a stroke has points [[x, y], …], radius and ab [a, b]") from None


class Retoucher:
    """Applies strokes to predictions; solved strokes are kept, so that the next one costs one solve."""

    def __init__(self) -> None:
        self._shares: Cache[str, Floats] = Cache(64)

    def apply(self, base: Prediction, strokes: Sequence[Stroke], info: VideoInfo) -> Prediction:
        """The prediction with all strokes on it, in their order.

        Args:
            base: What the network made of the frame.
            strokes: At most ``MOST_STROKES``.
            info: Of the film, which tells how frames are turned.
        """
        if len(strokes) > MOST_STROKES:
            raise RequestError(f"at most {MOST_STROKES} strokes on a frame, got {len(strokes)}")
        ab = base.ab.copy()
        key = base.key
        for stroke in strokes:
            key = hashlib.sha256(f"{key}|{stroke}".encode()).hexdigest()
            share = self._shares.get(key)
            if share is None:
                mask = brushed(stroke, base.lightness.shape, info)
                share = self._shares.put(key, spread(base.lightness, ab, mask))
            color = base.ab if stroke.erase else np.array(stroke.ab, np.float32)[:, None, None]
            ab = ab + share * (color - ab)
        return replace(base, ab=ab.astype(np.float32), key=key)


def brushed(stroke: Stroke, shape: tuple[int, ...], info: VideoInfo) -> npt.NDArray[np.bool_]:
    """Where the brush went, bool ``shape`` ``[h, w]`` of the picture as it is stored."""
    height, width = shape[::-1] if info.turns % 2 else shape
    mask = np.zeros((height, width), np.uint8)
    points = np.array([(x * width, y * height) for x, y in stroke.points], np.float32)
    thickness = max(1, round(2 * stroke.radius * height))
    line = points.round().astype(np.int32)[:, None]
    cv2.polylines(mask, [line], False, 255, thickness)
    for x, y in line[[0, -1], 0]:
        cv2.circle(mask, (int(x), int(y)), max(0, thickness // 2), 255, -1)
    return as_stored(mask, info) > 0


def spread(lightness: Floats, ab: Floats, mask: npt.NDArray[np.bool_]) -> Floats:
    """How much of the stroke's colour every place takes, 0 to 1, fp32 ``[h, w]``.

    Minimizes sum of w_ij (s_i - s_j)^2 over neighbours + DECAY * sum of s_i^2, with s = 1 in the mask,
    w_ij = exp(-dL^2 / 2 LIGHTNESS_SIGMA^2 - dab^2 / 2 AB_SIGMA^2).

    Args:
        lightness: L* ``[h, w]``.
        ab: a*, b* ``[2, h, w]`` as colorized before the stroke.
        mask: Where the brush went, ``[h, w]``.
    """
    if not mask.any():
        return np.zeros(lightness.shape, np.float32)
    # The lightness of a stroke's neighbourhood without grain: noise is no edge.
    smooth = cv2.bilateralFilter(lightness, 5, 6.0, 2.0)
    planes = np.stack([smooth / LIGHTNESS_SIGMA, *(ab / AB_SIGMA)])
    across, down = _weights(planes, 2), _weights(planes, 1)
    count = lightness.size
    total = np.full(lightness.shape, DECAY, np.float64)
    total[:, 1:] += across
    total[:, :-1] += across
    total[1:] += down
    total[:-1] += down
    right, below = np.zeros_like(total), np.zeros_like(total)
    right[:, :-1], below[:-1] = across, down
    width = lightness.shape[1]
    free = ~mask.ravel()
    beside, under = -right.ravel()[:-1], -below.ravel()[:-width]
    laplacian = sparse.diags_array(
        [total.ravel(), beside, beside, under, under],
        offsets=[0, 1, -1, width, -width],
        shape=(count, count),
        format="csr",
    )
    known = mask.ravel().astype(np.float64)
    system = laplacian[free][:, free]
    pull = -(laplacian[free] @ known)
    scale = sparse.diags_array(1 / system.diagonal())
    solved, _ = cg(system, pull, rtol=1e-3, maxiter=600, M=scale)
    share = known
    share[free] = solved
    low, high = EDGE
    ramp = np.clip((share.reshape(lightness.shape) - low) / (high - low), 0, 1)
    return cast(Floats, (ramp * ramp * (3 - 2 * ramp)).astype(np.float32))


def _weights(planes: Floats, axis: int) -> npt.NDArray[np.float64]:
    step = np.diff(planes, axis=axis).astype(np.float64)
    return np.asarray(np.exp(-0.5 * (step * step).sum(0)) + FLOOR)
