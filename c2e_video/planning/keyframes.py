"""A painted keyframe is a frame of the film with colour on it: it is found by its luma.

Every frame is compared with every reference by thumbnails less their local mean, divided by their local
contrast, so that grading, scale, compression and thin borders do not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import cv2
import numpy as np
import numpy.typing as npt

from ..utils.arrays import Floats, Plane
from ..video.frames import Frame, VideoInfo
from .pyramid import halved

T = TypeVar("T")

WIDTH, HEIGHT = 96, 54
CROPS = (0.0, 0.02, 0.04, 0.06)  # of each side, of the reference or of the frame
POSSIBLE = 0.2  # correlation of whole pictures below which no crop is tried
FOUND = 0.75  # correlation from which on a frame is taken for the reference's own


AT_ONCE = 16  # frames that are compared with all references in one product of matrices
KEPT = 256  # references whose crops are kept, 83 KB each


@dataclass(frozen=True, eq=False)
class Match(Generic[T]):
    """The film's frame that looks most like ``reference``: its pts if it is the reference's own.

    ``similarity`` is their correlation, at most 1; below ``FOUND`` the pts is None.
    """

    reference: T
    pts: int | None
    similarity: float


class KeyframeMatcher(Generic[T]):
    """Finds each reference's own frame while the film goes by once; keeps one number for each.

    Args:
        references: The references, or anything that stands for them.
        info: The film.
        grays: Small gray pictures of the references, upright, uint8 ``[h, w]``; without them the
            references have an ``image``, RGB uint8 ``[H, W, 3]``.
    """

    def __init__(
        self, references: Sequence[T], info: VideoInfo, grays: Sequence[Plane] | None = None
    ) -> None:
        self.references, self.info = tuple(references), info
        self._grays = [gray_of(cast(Any, r).image) for r in references] if grays is None else grays
        wanted = [_thumbnail(gray, 0) for gray in self._grays]
        self._wanted = np.stack(wanted) if wanted else np.zeros((0, WIDTH * HEIGHT), np.float32)
        self._crops: dict[int, Floats] = {}
        self._waiting: list[tuple[int, Plane]] = []
        self.best = np.full(len(self.references), -1.0)
        self.best_pts = [0] * len(self.references)

    def update(self, frame: Frame) -> None:
        """Take the next frame of the film."""
        self._waiting.append((frame.pts, halved(self.info.upright(frame.luma), 2 * HEIGHT)))
        if len(self._waiting) == AT_ONCE:
            self._compare()

    def compute(self) -> list[Match[T]]:
        """What was found, in the references' order."""
        self._compare()
        found = zip(self.references, self.best_pts, self.best.tolist(), strict=True)
        return [Match(r, pts if best >= FOUND else None, best) for r, pts, best in found]

    def _compare(self) -> None:
        if not self._waiting:
            return
        plain = self._wanted @ np.stack([_thumbnail(small, 0) for _, small in self._waiting]).T
        for number, (pts, small) in enumerate(self._waiting):
            possible = np.flatnonzero(plain[:, number] > POSSIBLE)
            if len(possible):
                self._look_closer(possible, pts, _thumbnails(small))
        self._waiting.clear()

    def _look_closer(self, possible: Any, pts: int, seen: Floats) -> None:
        """A reference may be cropped, or the frame may be: each in turn against the whole other."""
        for i in possible:
            crops = self._crops_of(i)
            score = max((seen @ crops[0]).max(), (crops @ seen[0]).max())
            if score > self.best[i]:
                self.best[i], self.best_pts[i] = score, pts

    def _crops_of(self, index: int) -> Floats:
        if index not in self._crops:
            if len(self._crops) >= KEPT:
                self._crops.clear()
            self._crops[index] = _thumbnails(self._grays[index])
        return self._crops[index]


def gray_of(rgb: npt.NDArray[np.uint8]) -> Plane:
    """A small gray picture of RGB uint8 ``[H, W, 3]``, for :class:`KeyframeMatcher`."""
    return halved(cast(Plane, cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)), 2 * HEIGHT)


def _thumbnails(small: Plane) -> Floats:
    """One thumbnail for each crop: ``[crops, WIDTH * HEIGHT]``."""
    return np.stack([_thumbnail(small, crop) for crop in CROPS])


def _thumbnail(small: Plane, crop: float) -> Floats:
    """The picture without a share ``crop`` of each side: flattened, of zero mean and unit length."""
    rows, columns = (round(side * crop) for side in small.shape)
    plane = small[rows : small.shape[0] - rows, columns : small.shape[1] - columns]
    how = cv2.INTER_AREA if min(plane.shape) > HEIGHT else cv2.INTER_LINEAR
    tiny = cv2.resize(plane.astype(np.float32), (WIDTH, HEIGHT), interpolation=how)
    detail = tiny - cv2.blur(tiny, (15, 15))
    # Divided by the local contrast: a brighter print is the same picture.
    contrast = np.sqrt(np.maximum(cv2.blur(detail * detail, (15, 15)), 0))
    flat = (detail / (contrast + 0.02 * (tiny.std() + 1e-3) + 1e-3)).ravel()
    flat -= flat.mean()
    return cast(Floats, flat / (np.linalg.norm(flat) + 1e-6))
