"""A colorizer at work on one film: it reads each distinct reference once, and then only paints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .colorizer import Colorizer
from .embedding import ColorEmbedding
from .frames import ColorBatch, Frame, FrameBatch, PictureFormat, VideoInfo
from .reference_pictures import Reference
from .references import ReferenceMap


class Painter:
    """A colorizer that knows the film and keeps the looks of its references."""

    def __init__(self, colorizer: Colorizer, info: VideoInfo) -> None:
        self.colorizer, self.info = colorizer, info
        self._looks: dict[str, ColorEmbedding] = {}

    def look(self, reference: Reference) -> ColorEmbedding:
        """The look of a reference, read at its first use, turned as the film's frames are stored."""
        if reference.digest not in self._looks:
            stored = np.ascontiguousarray(np.rot90(reference.image, -self.info.turns))
            self._looks[reference.digest] = self.colorizer.embed(stored)
        return self._looks[reference.digest]

    def look_at(self, pts: int, chosen: ReferenceMap) -> ColorEmbedding:
        """The look of the film at ``pts``: one reference's, or on the way from one to the next."""
        (first, total), *rest = chosen.weights_at(pts)
        look = self.look(first)
        for reference, weight in rest:
            total += weight
            look = look.blend(self.look(reference), weight / total)
        return look

    def paint(self, batch: FrameBatch, chosen: ReferenceMap, picture: PictureFormat) -> ColorBatch:
        """The batch in colour, every frame with the look it has at its time."""
        looks = [self.look_at(pts, chosen) for pts in batch.pts]
        return self.colorizer.colorize(batch, looks, self.info, picture)

    def similarities(self, frame: Frame, references: Sequence[Reference]) -> list[float]:
        """How much of ``frame`` each reference shows, 0 to 1; NaN if the network cannot tell."""
        looks = [self.look(reference) for reference in references]
        return self.colorizer.similarities(frame, looks, self.info)
