"""Colorizes the frames of one film; each distinct reference is embedded once."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import NamedTuple

import numpy as np

from ..references.image import Reference
from ..references.reference_map import ReferenceMap
from ..video.frames import ColorBatch, Frame, FrameBatch, PictureFormat, Shot, VideoInfo
from .colorizer import Colorizer
from .embedding import ColorEmbedding
from .luma_planes import chroma_size, luma_plane, network_size
from .prediction import LabPrediction
from .shot_prediction import ShotFrame

KEPT = 64  # embeddings that are kept, some 7 MB each


class VideoColorizer:
    """A colorizer with a film and the embeddings of its references.

    Args:
        colorizer: The network.
        info: The film.
    """

    def __init__(self, colorizer: Colorizer, info: VideoInfo) -> None:
        self.colorizer, self.info = colorizer, info
        self._embeddings: dict[str, ColorEmbedding] = {}

    def embedding(self, reference: Reference) -> ColorEmbedding:
        """The embedding of a reference, turned as the film's frames are stored. Computed at its first use."""
        embedding = self._embeddings.pop(reference.digest, None)
        if embedding is None:
            stored = np.ascontiguousarray(self.info.stored(reference.image))
            embedding = self.colorizer.embed(stored)
        self._embeddings[reference.digest] = embedding  # last, as the one used last
        return embedding

    def embedding_at(self, pts: int, reference_map: ReferenceMap) -> ColorEmbedding:
        """The embedding at ``pts``: a reference's, or a blend of two."""
        (first, total), *rest = reference_map.weights_at(pts)
        embedding = self.embedding(first)
        for reference, weight in rest:
            total += weight
            embedding = embedding.blend(self.embedding(reference), weight / total)
        while len(self._embeddings) > KEPT:
            del self._embeddings[next(iter(self._embeddings))]
        return embedding

    def colorize(
        self,
        batches: Iterable[FrameBatch],
        reference_map: ReferenceMap,
        picture: PictureFormat,
        pts: Sequence[int] | None = None,
    ) -> Iterator[ColorBatch]:
        """Colorize frames in order: each with its references and saturation.

        Anchors are predicted by the network and pass the temporal filter; frames between them are
        interpolated (``interpolation.py``). Frames that are left gray get neutral chroma, and the network is
        not run for them.

        Args:
            batches: The frames, shot by shot. Where they begin or end within a shot, the first and last
                :func:`~.interpolation.context_frames` of them have colours that are not those of the film.
            reference_map: The shots and their references.
            picture: The output's subsampling, depth, range and matrix.
            pts: Of all the film's frames, rising: by them frames are counted from their shot's first.
                None if ``batches`` begin with a shot's first frame.

        Yields:
            The frames with their chroma, in order, some frames later; the batches are others.

        Raises:
            OutOfMemory: A single frame does not fit into the device's memory.
        """
        in_parts = chain.from_iterable(_by_grayness(batch, reference_map) for batch in batches)
        for (_, is_gray), own in groupby(in_parts, key=lambda part: (part[0].size, part[1])):
            own_batches = (batch for batch, _ in own)
            if is_gray:
                yield from (neutral_batch(batch, picture) for batch in own_batches)
            else:
                yield from self._colorize_shots(own_batches, reference_map, picture, pts)

    def _colorize_shots(
        self,
        batches: Iterable[FrameBatch],
        reference_map: ReferenceMap,
        picture: PictureFormat,
        pts: Sequence[int] | None,
    ) -> Iterator[ColorBatch]:
        """Colorize frames of one size, none of which is left gray; a batch is one frame then."""
        shape = (self.info.height, self.info.width)
        sides = zip(
            network_size(shape, self.colorizer.size), chroma_size(shape, picture), strict=True
        )
        height, width = (min(pair) for pair in sides)
        keyframes = {r.at for row in reference_map.references for r in row if r.at is not None}
        interval = self.colorizer.anchor_interval
        marked = (
            ShotFrame(
                *(own, luma_plane(own.frame, self.info)),
                is_anchor=own.number % interval == 0 or own.frame.pts in keyframes,
                starts_shot=own.starts_shot,
            )
            for own in _numbered(batches, pts)
        )
        predicted = self.colorizer.shot_predictor.predict(
            marked, lambda own: self.embedding_at(own.frame.pts, reference_map), (height, width)
        )
        shown: deque[_NumberedFrame] = deque()

        def scaled() -> Iterator[tuple[Frame, LabPrediction]]:
            for own, prediction in predicted:
                shown.append(own)
                yield own.frame, prediction.scaled(reference_map.saturation_at(own.frame.pts))

        for cb, cr in self.colorizer.render_frames(scaled(), self.info, picture):
            frame, shot, *_ = shown.popleft()
            yield ColorBatch(FrameBatch((frame,), shot), cb[None], cr[None])

    def similarities(self, frame: Frame, references: Sequence[Reference]) -> list[float]:
        """How much of a frame each reference shows, 0 to 1; NaN if the network has no memory."""
        embeddings = [self.embedding(reference) for reference in references]
        return self.colorizer.similarities(frame, embeddings, self.info)


class _NumberedFrame(NamedTuple):
    """A frame with its shot, its number from the shot's first frame, and whether it is the first to come."""

    frame: Frame
    shot: Shot
    number: int
    starts_shot: bool


def _numbered(batches: Iterable[FrameBatch], pts: Sequence[int] | None) -> Iterator[_NumberedFrame]:
    """The frames of batches; ``pts`` as :meth:`VideoColorizer.colorize` has them."""
    for shot, own in groupby(batches, key=lambda batch: batch.shot):
        first = 0 if pts is None else bisect_left(pts, shot.start)
        for place, frame in enumerate(chain.from_iterable(batch.frames for batch in own)):
            number = place if pts is None else bisect_left(pts, frame.pts) - first
            yield _NumberedFrame(frame, shot, number, place == 0)


def _by_grayness(
    batch: FrameBatch, reference_map: ReferenceMap
) -> Iterator[tuple[FrameBatch, bool]]:
    """The batch in parts that are left gray or not; each with whether it is."""
    for is_gray, frames in groupby(
        batch.frames, key=lambda frame: not reference_map.weights_at(frame.pts)
    ):
        yield FrameBatch(tuple(frames), batch.shot), is_gray


def neutral_batch(batch: FrameBatch, picture: PictureFormat) -> ColorBatch:
    """A batch with neutral chroma."""
    dtype = np.uint8 if picture.bit_depth == 8 else np.uint16
    shape = (len(batch), *chroma_size(batch.size, picture))
    chroma = np.full(shape, 1 << picture.bit_depth - 1, dtype)
    return ColorBatch(batch, chroma, chroma)
