"""A colorizer at work on one film: it reads each distinct reference once, and then only paints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np

from ..references.image import Reference
from ..references.reference_map import ReferenceMap
from ..utils.devices import processors, single_cores
from ..video.frames import ColorBatch, Frame, FrameBatch, PictureFormat, VideoInfo
from .colorizer import Colorizer
from .embedding import ColorEmbedding
from .temporal_filter import Sketch, in_film, windows

# Looks kept while a film is painted, some 7 MB each: shots come in order, each with its own.
KEPT = 64


class Painter:
    """A colorizer that knows the film and keeps the looks of its references."""

    def __init__(self, colorizer: Colorizer, info: VideoInfo) -> None:
        self.colorizer, self.info = colorizer, info
        self._looks: dict[str, ColorEmbedding] = {}
        self._cores = single_cores(processors())

    def look(self, reference: Reference) -> ColorEmbedding:
        """The look of a reference, read at its first use, turned as the film's frames are stored."""
        look = self._looks.pop(reference.digest, None)
        if look is None:
            stored = np.ascontiguousarray(np.rot90(reference.image, -self.info.turns))
            look = self.colorizer.embed(stored)
        self._looks[reference.digest] = look  # last, as the one used last
        return look

    def look_at(self, pts: int, chosen: ReferenceMap) -> ColorEmbedding:
        """The look of the film at ``pts``: one reference's, or on the way from one to the next."""
        (first, total), *rest = chosen.weights_at(pts)
        look = self.look(first)
        for reference, weight in rest:
            total += weight
            look = look.blend(self.look(reference), weight / total)
        while len(self._looks) > KEPT:
            del self._looks[next(iter(self._looks))]
        return look

    def paint(
        self, batches: Iterable[FrameBatch], chosen: ReferenceMap, picture: PictureFormat
    ) -> Iterator[ColorBatch]:
        """The batches in colour, every frame with the look it has at its time, steadied along its shot.

        The frames come in the order they went in, but not in the same batches: a shot's last
        ``steadying.REACH`` are waited for.
        """
        for (shot, _), own in groupby(batches, key=lambda batch: (batch.shot, batch.size)):
            sketched = (self._sketched(batch, chosen) for batch in own)
            for lot in windows(sketched):
                frames, sketches = zip(*self._cores.map(in_film, lot), strict=True)
                batch = FrameBatch(frames, shot)
                yield self.colorizer.finish(batch, sketches, self.info, picture)

    def _sketched(self, batch: FrameBatch, chosen: ReferenceMap) -> list[tuple[Frame, Sketch]]:
        looks = [self.look_at(pts, chosen) for pts in batch.pts]
        sketches = self.colorizer.sketch(batch, looks, self.info)
        return list(zip(batch.frames, sketches, strict=True))

    def similarities(self, frame: Frame, references: Sequence[Reference]) -> list[float]:
        """How much of ``frame`` each reference shows, 0 to 1; NaN if the network cannot tell."""
        looks = [self.look(reference) for reference in references]
        return self.colorizer.similarities(frame, looks, self.info)
