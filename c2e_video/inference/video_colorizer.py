"""A colorizer at work on one film: it reads each distinct reference once, and then only paints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby

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
            stored = np.ascontiguousarray(self.info.stored(reference.image))
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
        """Colorize batches: each frame with its references and saturation, with the temporal filter.

        The frames come in the order they went in, but not in the same batches: a shot's last
        ``temporal_filter.REACH`` are waited for. Frames that are left gray get neutral chroma, and the
        network is not run for them.
        """
        in_parts = chain.from_iterable(_by_grayness(batch, reference_map) for batch in batches)
        for (shot, _, is_gray), own in groupby(
            in_parts, key=lambda part: (part[0].shot, part[0].size, part[1])
        ):
            if is_gray:
                yield from (neutral_batch(batch, picture) for batch, _ in own)
                continue
            predicted = (self._predicted(batch, reference_map) for batch, _ in own)
            for lot in sliding_windows(predicted):
                frames, predictions = zip(*self._cores.map(filter_window, lot), strict=True)
                scaled = [
                    prediction.scaled(reference_map.saturation_at(frame.pts))
                    for frame, prediction in zip(frames, predictions, strict=True)
                ]
                yield self.colorizer.render_chroma(
                    FrameBatch(frames, shot), scaled, self.info, picture
                )

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


def _by_grayness(
    batch: FrameBatch, reference_map: ReferenceMap
) -> Iterator[tuple[FrameBatch, bool]]:
    """A batch cut where its frames begin to be left gray, each part with whether it is."""
    for is_gray, frames in groupby(
        batch.frames, key=lambda frame: not reference_map.weights_at(frame.pts)
    ):
        yield FrameBatch(tuple(frames), batch.shot), is_gray


def neutral_batch(batch: FrameBatch, picture: PictureFormat) -> ColorBatch:
    """A batch that is left gray: the network is not run."""
    (height, width), (sx, sy) = batch.size, picture.subsampling
    dtype = np.uint8 if picture.bit_depth == 8 else np.uint16
    shape = (len(batch), -(-height // sy), -(-width // sx))
    chroma = np.full(shape, 1 << picture.bit_depth - 1, dtype)
    return ColorBatch(batch, chroma, chroma)
