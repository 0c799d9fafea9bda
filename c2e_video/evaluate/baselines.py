"""The interface of what is measured, and two baselines that any method has to exceed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import starmap
from typing import Any, Protocol

import numpy as np
import torch

from ..color.chroma import ab_to_chroma, chroma_to_rgb
from ..color.colorimetry import Colorimetry
from ..inference.colorizer import Colorizer
from ..inference.embedding import ColorEmbedding
from ..utils.arrays import Picture
from . import metrics
from .metrics import Gray


class ColorizationMethod(Protocol):
    """Anything that colorizes gray frames after a reference picture."""

    def embed(self, reference: Picture, /) -> Any:
        """What the method keeps of a reference, R'G'B' uint8 ``[H, W, 3]`` of any size."""

    def colorize_frames(
        self, frames_with_embeddings: Iterable[tuple[Gray, Any]], /
    ) -> Iterator[Picture]:
        """The frames of one film in colour, in order.

        Args:
            frames_with_embeddings: For each frame full-range BT.601 luma, uint8 ``[H, W]``, and the
                embedding of its reference.

        Yields:
            R'G'B' uint8 ``[H, W, 3]`` with that luma.
        """


class FrameByFrame:
    """A method that treats every frame by itself."""

    def colorize_image(self, gray: Gray, embedding: Any) -> Picture:
        raise NotImplementedError

    def colorize_frames(
        self, frames_with_embeddings: Iterable[tuple[Gray, Any]]
    ) -> Iterator[Picture]:
        return starmap(self.colorize_image, frames_with_embeddings)


class GrayBaseline(FrameByFrame):
    """The gray film itself."""

    def embed(self, reference: Picture) -> None:
        return None

    def colorize_image(self, gray: Gray, embedding: None = None) -> Picture:
        return np.repeat(gray[..., None], 3, axis=2)


class MeanColorBaseline(FrameByFrame):
    """The reference's mean a*, b* at every pixel, with the frame's luma."""

    def embed(self, reference: Picture) -> Picture:
        """R'G'B' for each of the 256 gray values, uint8 ``[256, 3]``."""
        mean = metrics.lab_of(reference)[..., 1:].mean((0, 1), dtype=np.float64)
        ab = torch.tensor(mean, dtype=torch.float32).view(1, 2, 1, 1).expand(1, 2, 1, 256)
        grays = torch.arange(256).view(1, 1, 1, 256) / 255
        rgb = chroma_to_rgb(grays, ab_to_chroma(grays, ab, Colorimetry("bt601")), "bt601")
        table: Picture = (rgb[0, :, 0].T * 255).round().clamp(0, 255).byte().numpy()
        return table

    def colorize_image(self, gray: Gray, embedding: Picture) -> Picture:
        return embedding[gray]


class WithoutMemory:
    """A colorizer conditioned on z alone, as the paper's network is."""

    def __init__(self, colorizer: Colorizer) -> None:
        self._colorizer = colorizer

    def embed(self, reference: Picture) -> ColorEmbedding:
        return self._colorizer.embed(reference).without_memory()

    def colorize_frames(
        self, frames_with_embeddings: Iterable[tuple[Gray, ColorEmbedding]]
    ) -> Iterator[Picture]:
        return self._colorizer.colorize_frames(frames_with_embeddings)
