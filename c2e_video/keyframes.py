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

from .frames import Frame, Plane, VideoInfo
from .reference_pictures import Reference
from .thumbnails import halved

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
        self.turns = round(info.rotation / 90) % 4
        grays = [cv2.cvtColor(reference.image, cv2.COLOR_RGB2GRAY) for reference in references]
        # A reference may be cropped, or the frame may be: each in turn against the whole other.
        self.wanted = np.array([_thumbnails(cast(Plane, gray)) for gray in grays])
        self.best = np.full(len(self.references), -1.0)
        self.best_pts = [0] * len(self.references)

    def see(self, frame: Frame) -> None:
        """Compare the next frame of the film."""
        luma = np.rot90(frame.luma, self.turns) if self.turns else frame.luma
        seen = _thumbnails(luma)
        scores = (self.wanted[:, 0] @ seen.T).max(1)
        for i in np.flatnonzero(scores > POSSIBLE):
            score = max(scores[i], (self.wanted[i] @ seen[0]).max())
            if score > self.best[i]:
                self.best[i], self.best_pts[i] = score, frame.pts

    def finish(self) -> list[Match]:
        """What was found, in the references' order."""
        found = zip(self.references, self.best_pts, self.best.tolist(), strict=True)
        return [Match(r, pts if best >= FOUND else None, best) for r, pts, best in found]


def _thumbnails(gray: Plane) -> Floats:
    """One thumbnail for each crop, flattened, of zero mean and unit length: ``[crops, W * H]``."""
    small = halved(gray, 2 * HEIGHT)
    rows, columns = small.shape
    cropped = (
        small[
            round(rows * c) : rows - round(rows * c),
            round(columns * c) : columns - round(columns * c),
        ]
        for c in CROPS
    )
    return np.stack([_normalized(plane) for plane in cropped])


def _normalized(plane: Plane) -> Floats:
    how = cv2.INTER_AREA if min(plane.shape) > HEIGHT else cv2.INTER_LINEAR
    small = cv2.resize(plane.astype(np.float32), (WIDTH, HEIGHT), interpolation=how)
    detail = small - cv2.blur(small, (15, 15))
    # Divided by the local contrast: a brighter print is the same picture.
    contrast = np.sqrt(cv2.blur(detail * detail, (15, 15)))
    flat = (detail / (contrast + 0.02 * (small.std() + 1e-3) + 1e-3)).ravel()
    flat -= flat.mean()
    return cast(Floats, flat / (np.linalg.norm(flat) + 1e-6))
