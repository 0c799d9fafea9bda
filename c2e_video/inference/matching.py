"""How much of a frame's colour a reference can give, estimated from the network's match features alone.

Pictures are compared cell by cell (a cell is 8 by 8 samples of what the network sees). No colour is
predicted, so that one comparison takes milliseconds. The confidence of a match is computed
here alone; its constants are measured by ``benchmarks/coverage.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, cast

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..color.lab import rgb_to_lab
from ..model.memory_readout import match_share
from ..model.motion_prior import mutual_nearest_neighbors
from ..utils.arrays import Floats, Picture
from ..utils.tensor_cache import TensorCache
from .network import InferenceNetwork

MATCH_SIZE = 128  # short side at which pictures are compared, in pixels
# Inverse temperature of the softmax over a reference's cells by which their colours are averaged.
LOGIT_SCALE = 30.0
# Exponent of the match share in the confidence.
SHARE_POWER = 0.25
# Descriptor: mean key of the whole picture and of its four quarters.
PARTS = (1, 2)
# Cosine from which on two cells of two references show the same thing.
SAME_COSINE = 0.8


@dataclass(frozen=True, eq=False)
class CellFeatures:
    """What a picture is compared by.

    Args:
        keys: Unit vectors of its cells, row by row, ``[M, D]``, in the network's number format.
        shape: Rows and columns of cells; their product is M.
        ab: a*, b* of each cell, ``[M, 2]`` fp32, where the picture has colours.
    """

    keys: Tensor
    shape: tuple[int, int]
    ab: Tensor | None = None

    @property
    def descriptor(self) -> Floats:
        """A short vector of unit length by which thousands of pictures are searched, ``[5 * D]``."""
        rows, columns = self.shape
        grid = self.keys.float().T.reshape(1, -1, rows, columns)
        parts = [
            torch.nn.functional.adaptive_avg_pool2d(grid, count).flatten(2)[0].T for count in PARTS
        ]
        vector = torch.nn.functional.normalize(torch.cat(parts), dim=1).flatten()
        return np.asarray((vector / vector.norm()).cpu(), np.float32)


class Match(NamedTuple):
    """How well a frame is found in a reference.

    ``share`` in [0, 1] is the share of the frame's cells that have a mutual nearest neighbor of high
    cosine. ``certainty`` in [0, 1] is the share of the reference's squared chroma that is left when
    each of the frame's cells takes the mean colour of its likeliest cells: alike cells that differ in
    colour lower it.
    """

    share: float
    certainty: float

    @property
    def confidence(self) -> float:
        """Estimated share of the frame's squared chroma that the reference gives, in [0, 1]."""
        return float(self.certainty * self.share**SHARE_POWER)


NO_MATCH = Match(math.nan, math.nan)


class PictureMatcher:
    """Compares pictures by the features of a network's colour memory.

    Args:
        network: One without a memory cannot compare: :attr:`can_compare` is False, and
            every match is :data:`NO_MATCH`.
    """

    def __init__(self, network: InferenceNetwork) -> None:
        self.network = network
        self.can_compare = network.has_memory
        self._cache = TensorCache()

    def encode(self, picture: Picture) -> CellFeatures:
        """The features of an upright picture.

        Args:
            picture: Full-range luma uint8 ``[H, W]``, or RGB uint8 ``[H, W, 3]``.
        """
        gray = picture
        if picture.ndim == 3:
            gray = cast(Picture, cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
        coarse = self.network.match_features(gray, MATCH_SIZE)[0]
        rows, columns = coarse.shape[1:]
        ab = None if picture.ndim == 2 else _mean_ab(picture, (rows, columns)).to(coarse.device)
        return CellFeatures(coarse.flatten(1).T.contiguous(), (rows, columns), ab)

    def encode_once(self, key: object, picture: Callable[[], Picture]) -> CellFeatures:
        """:meth:`encode`, for a picture that is asked for again and again.

        Args:
            key: What tells the picture from all others.
            picture: Gives it, where its features are not known (any more).
        """

        def compute() -> tuple[Tensor, ...]:
            features = self.encode(picture())
            keys = features.keys.view(*features.shape, -1)
            return (keys,) if features.ab is None else (keys, features.ab)

        keys, *ab = self._cache.once(key, compute)
        return CellFeatures(keys.flatten(0, 1), (keys.shape[0], keys.shape[1]), *ab)

    @torch.inference_mode()
    def match(self, frame: CellFeatures, reference: CellFeatures) -> Match:
        """How well ``frame`` is found in ``reference``; certainty is NaN where that has no colours."""
        cosines = _cosines(frame, reference)
        share = match_share(cosines[None], mutual_nearest_neighbors(cosines[None], frame.shape))
        certainty = math.nan if reference.ab is None else _certainty(cosines, reference.ab)
        return Match(float(share), certainty)

    @torch.inference_mode()
    def contradiction(
        self, first: CellFeatures, second: CellFeatures
    ) -> tuple[Floats, npt.NDArray[np.int64]]:
        """Where two pictures show the same thing in different colours.

        Args:
            first: Features of a colour picture, of M cells.
            second: Those of another.

        Returns:
            For every cell of the first the distance in ab to the same thing in the second, 0 where
            that does not show it, ``[rows, columns]``; and the number of that cell in the second,
            ``[rows, columns]``.
        """
        if first.ab is None or second.ab is None:
            raise ValueError("two colour pictures are compared, got a gray one")
        cosines = _cosines(first, second)
        matches = mutual_nearest_neighbors(cosines[None], first.shape)
        nearest = matches.nearest[0]
        same = matches.is_mutual[0] & (cosines.gather(1, nearest[:, None])[:, 0] > SAME_COSINE)
        distance = (first.ab - second.ab[nearest]).norm(dim=1) * same
        return (
            distance.reshape(first.shape).cpu().numpy().astype(np.float32),
            nearest.reshape(first.shape).cpu().numpy(),
        )


def _cosines(first: CellFeatures, second: CellFeatures) -> Tensor:
    """Cosines of all cells of two pictures, fp32."""
    return first.keys.float() @ second.keys.float().T


def _certainty(cosines: Tensor, ab: Tensor) -> float:
    """1 less the variance of ab among each cell's likeliest cells over their mean square."""
    weights = (cosines * LOGIT_SCALE).softmax(1)
    square = (weights @ ab.square().sum(1)).mean()
    explained = (weights @ ab).square().sum(1).mean()
    return float(explained / square) if square > 0 else 1.0


def _mean_ab(rgb: Picture, shape: tuple[int, int]) -> Tensor:
    small = cv2.resize(rgb, (4 * shape[1], 4 * shape[0]), interpolation=cv2.INTER_AREA)
    planes = torch.from_numpy(np.ascontiguousarray(small)).permute(2, 0, 1)[None].float() / 255
    ab = torch.nn.functional.avg_pool2d(rgb_to_lab(planes)[:, 1:], 4)
    return ab[0].flatten(1).T.contiguous()
