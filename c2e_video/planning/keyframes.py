"""A painted keyframe is a frame of the film with colour on it: its luma tells which.

Every frame is compared with every reference as a small thumbnail from which slow changes of
brightness are taken out, so that another grading, scale, compression or a thin border do not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from ..references.image import Reference
from ..utils.arrays import Plane
from ..video.frames import Frame, VideoInfo
from .pyramid import halved

Floats = npt.NDArray[np.float32]

WIDTH, HEIGHT = 96, 54
CROPS = (0.0, 0.02, 0.04, 0.06)  # of each side, of the reference or of the frame
POSSIBLE = 0.2  # correlation of whole pictures below which no crop is tried
FOUND = 0.75  # correlation from which on a frame is taken for the reference's own


@dataclass(frozen=True, eq=False)
class Match:
    """The film's frame that looks most like ``reference``: its pts if it is the reference's own.

    ``similarity`` is their correlation, at most 1; below ``FOUND`` the pts is None.
    """

    reference: Reference
    pts: int | None
    similarity: float


class KeyframeMatcher:
    """Finds each reference's own frame while the film goes by once; keeps one number for each."""

    def __init__(self, references: Sequence[Reference], info: VideoInfo) -> None:
        self.references = tuple(references)
        self.info = info
        grays = [cv2.cvtColor(reference.image, cv2.COLOR_RGB2GRAY) for reference in references]
        # A reference may be cropped, or the frame may be: each in turn against the whole other.
        self.wanted = np.array([_thumbnails(halved(cast(Plane, g), 2 * HEIGHT)) for g in grays])
        self.best = np.full(len(self.references), -1.0)
        self.best_pts = [0] * len(self.references)

    def update(self, frame: Frame) -> None:
        """Compare the next frame of the film."""
        small = halved(self.info.upright(frame.luma), 2 * HEIGHT)
        plain = self.wanted[:, 0] @ _thumbnail(small, 0)
        possible = np.flatnonzero(plain > POSSIBLE)
        if not len(possible):
            return
        seen = _thumbnails(small)
        for i in possible:
            score = max((seen @ self.wanted[i, 0]).max(), (self.wanted[i] @ seen[0]).max())
            if score > self.best[i]:
                self.best[i], self.best_pts[i] = score, frame.pts

    def compute(self) -> list[Match]:
        """What was found, in the references' order."""
        found = zip(self.references, self.best_pts, self.best.tolist(), strict=True)
        return [Match(r, pts if best >= FOUND else None, best) for r, pts, best in found]


def _thumbnails(small: Plane) -> Floats:
    """One thumbnail for each crop: ``[crops, WIDTH * HEIGHT]``."""
    return np.stack([_thumbnail(small, crop) for crop in CROPS])


def _thumbnail(small: Plane, crop: float) -> Floats:
    """What is left after a share ``crop`` of each side, flattened, of zero mean and unit length."""
    rows, columns = (round(side * crop) for side in small.shape)
    plane = small[rows : small.shape[0] - rows, columns : small.shape[1] - columns]
    how = cv2.INTER_AREA if min(plane.shape) > HEIGHT else cv2.INTER_LINEAR
    tiny = cv2.resize(plane.astype(np.float32), (WIDTH, HEIGHT), interpolation=how)
    detail = tiny - cv2.blur(tiny, (15, 15))
    # Divided by the local contrast: a brighter print is the same picture.
    contrast = np.sqrt(cv2.blur(detail * detail, (15, 15)))
    flat = (detail / (contrast + 0.02 * (tiny.std() + 1e-3) + 1e-3)).ravel()
    flat -= flat.mean()
    return cast(Floats, flat / (np.linalg.norm(flat) + 1e-6))
