"""Which references give colors to a frame of another scene: cells compared by semantic features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from torch import Tensor

from ..utils.arrays import Floats, Picture
from ..utils.tensor_cache import TensorCache
from .network import InferenceNetwork

COMPARED_SIZE = 128  # short side at which pictures are compared, in pixels
MIN_GAIN = 0.01  # of the mean best cosine, for which one more reference is taken


class SemanticMatcher:
    """Compares pictures by the semantic features of a network (``has_semantics``)."""

    def __init__(self, network: InferenceNetwork) -> None:
        self.network = network
        self._cache = TensorCache()

    def encode_once(self, key: object, picture: Callable[[], Picture]) -> Floats:
        """Unit vectors of the cells ``[M, C]`` of a picture.

        Args:
            key: What tells the picture from all others.
            picture: Gives its luma ``[H, W]`` or RGB ``[H, W, 3]``, uint8, where its cells are not known.
        """

        def compute() -> tuple[Tensor]:
            gray: Any = picture()
            if gray.ndim == 3:
                gray = cv2.cvtColor(gray, cv2.COLOR_RGB2GRAY)
            return (self.network.semantic_features(gray, COMPARED_SIZE),)

        return np.asarray(self._cache.once(key, compute)[0].float().cpu(), np.float32)

    def choose(
        self, frames: Sequence[Floats], references: Sequence[Floats], limit: int
    ) -> list[int]:
        """References that together are most similar to the frames, best first, at most ``limit``.

        Args:
            frames: Cells of some frames of a shot.
            references: Cells of each reference.
            limit: How many are chosen at most.

        Returns:
            Their numbers; each one after the first raises the mean over cells of the best cosine by
            ``MIN_GAIN`` or more.
        """
        cells = np.concatenate(list(frames))
        best = np.stack([(cells @ reference.T).max(1) for reference in references])
        chosen = [int(best.mean(1).argmax())]
        while len(chosen) < min(limit, len(references)):
            now = best[chosen].max(0)
            gains = np.maximum(best - now, 0).mean(1)
            following = int(gains.argmax())
            if gains[following] < MIN_GAIN:
                break
            chosen.append(following)
        return chosen
