"""A colorizer at work on one film: it reads each distinct reference once, and then only paints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np

from ..references.image import Reference
from ..references.reference_map import ReferenceMap
from ..utils.devices import processors, single_threaded_pool
from ..video.frames import ColorBatch, Frame, FrameBatch, PictureFormat, VideoInfo
from .colorizer import Colorizer
from .embedding import ColorEmbedding
from .temporal_filter import LabPrediction, filter_window, sliding_windows

# Looks kept while a film is painted, some 7 MB each: shots come in order, each with its own.
KEPT = 64


class VideoColorizer:
    """A colorizer that knows the film and keeps the looks of its references."""

    def __init__(self, colorizer: Colorizer, info: VideoInfo) -> None:
        self.colorizer, self.info = colorizer, info
        self._embeddings: dict[str, ColorEmbedding] = {}
        self._cores = single_threaded_pool(processors())

    def embedding(self, reference: Reference) -> ColorEmbedding:
        """The look of a reference, read at its first use, turned as the film's frames are stored."""
        embedding = self._embeddings.pop(reference.digest, None)
        if embedding is None:
            stored = np.ascontiguousarray(np.rot90(reference.image, -self.info.turns))
            embedding = self.colorizer.embed(stored)
        self._embeddings[reference.digest] = embedding  # last, as the one used last
        return embedding

    def embedding_at(self, pts: int, reference_map: ReferenceMap) -> ColorEmbedding:
        """The look of the film at ``pts``: one reference's, or on the way from one to the next."""
        (first, total), *rest = reference_map.weights_at(pts)
        embedding = self.embedding(first)
        for reference, weight in rest:
            total += weight
            embedding = embedding.blend(self.embedding(reference), weight / total)
        while len(self._embeddings) > KEPT:
            del self._embeddings[next(iter(self._embeddings))]
        return embedding

    def colorize(
        self, batches: Iterable[FrameBatch], reference_map: ReferenceMap, picture: PictureFormat
    ) -> Iterator[ColorBatch]:
        """The batches in colour, every frame with the look it has at its time, filter_frame along its shot.

        The frames come in the order they went in, but not in the same batches: a shot's last
        ``steadying.REACH`` are waited for.
        """
        for (shot, _), own in groupby(batches, key=lambda batch: (batch.shot, batch.size)):
            predicted = (self._predicted(batch, reference_map) for batch in own)
            for lot in sliding_windows(predicted):
                frames, predictions = zip(*self._cores.map(filter_window, lot), strict=True)
                batch = FrameBatch(frames, shot)
                yield self.colorizer.render_chroma(batch, predictions, self.info, picture)

    def _predicted(
        self, batch: FrameBatch, reference_map: ReferenceMap
    ) -> list[tuple[Frame, LabPrediction]]:
        embeddings = [self.embedding_at(pts, reference_map) for pts in batch.pts]
        predictions = self.colorizer.predict(batch, embeddings, self.info)
        return list(zip(batch.frames, predictions, strict=True))

    def similarities(self, frame: Frame, references: Sequence[Reference]) -> list[float]:
        """How much of ``frame`` each reference shows, 0 to 1; NaN if the network cannot tell."""
        embeddings = [self.embedding(reference) for reference in references]
        return self.colorizer.similarities(frame, embeddings, self.info)
