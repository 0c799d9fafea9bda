"""The colour memory: which cell of the reference does a cell of the frame show, and what is its colour.

It is not in the paper. The vector z describes a palette; it cannot say which of two similar coats is red.
Keys are the content encoder's features of the *reference's* lightness at 1/8 and 1/16, joined with
orientation histograms and with the neighbours' keys; queries are the same of the frame. Values are the
reference's colours. Matches at 1/8 are refined at 1/4 (:mod:`.memory_readout`).
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import ModelConfig
from .content_encoder import Content
from .feature_maps import grid_positions, pool_to
from .memory import MatchFeatures, Memory, MemoryReadout
from .memory_readout import match_share, read_memory
from .motion_prior import mutual_nearest_neighbors

# Initial logit scales. Training changes them slowly: from 10 to 14 in 2,000 steps, while 36 is better by
# 0.6 dB.
LOGIT_SCALE, FINE_LOGIT_SCALE = 30.0, 10.0


class ColorMemory(nn.Module):
    """Keys, values and readout of the memory.

    Args:
        config: The network's sizes; ``config.memory`` channels for keys and values.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.near = nn.Conv2d(config.content_channels[3], config.memory, 1)
        self.wide = nn.Conv2d(config.content_channels[4], config.memory, 1)
        self.value = nn.Conv2d(config.color_channels[2], config.memory, 1)
        self.close = nn.Conv2d(config.content_channels[2], config.memory, 1)
        self.log_sharpness = nn.Parameter(torch.tensor(LOGIT_SCALE).log())
        self.log_close_sharpness = nn.Parameter(torch.tensor(FINE_LOGIT_SCALE).log())
        self.out = nn.Conv2d(config.memory + 3, 4 * config.width, 1)
        # Without effect at first: the network learns to use z before the memory.
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(cast(Tensor, self.out.bias))

    def encode_features(self, content: Content) -> MatchFeatures:
        """Features of the cells: content features at 1/8 and 1/16 (larger context), and at 1/4.

        Args:
            content: The content encoder's output.

        Returns:
            The features.
        """
        _, _, fourth, eighth, sixteenth = content.features
        wide = F.interpolate(
            self.wide(sixteenth), scale_factor=2, mode="bilinear", align_corners=False
        )
        return MatchFeatures.of(self.near(eighth) + wide, self.close(fourth), content.lightness)

    def encode_memory(
        self,
        features: MatchFeatures,
        color: Tensor,
        ab: Tensor,
        semantic: Tensor | None = None,
    ) -> Memory:
        """The memory of references.

        Args:
            features: Their features (:meth:`encode_features`).
            color: Their color features at 1/8, ``[N, C, h, w]``.
            ab: Their a*, b* / 110 at full size, ``[N, 2, H, W]``.
            semantic: Their semantic keys at 1/8, where the network has such.
        """
        keys = features.coarse.flatten(2)
        values = torch.cat((pool_to(ab, features.coarse), self.value(color)), dim=1).flatten(2)
        bias = keys.new_zeros(keys.shape[0], keys.shape[2])
        coarse = grid_positions(features.coarse.shape[2:], keys.device).expand(len(keys), -1, -1)
        closer = torch.cat((*features[1:], pool_to(ab, features.fine)), dim=1)
        first = torch.zeros_like(bias, dtype=torch.int64)
        kinds = keys[:, :0] if semantic is None else semantic.flatten(2)
        fine = F.pixel_unshuffle(closer, 2).flatten(2)
        return Memory(keys, values, bias, coarse, first, fine, kinds)

    def read_memory(self, features: MatchFeatures, memory: Memory) -> MemoryReadout:
        """Read ``memory`` (one for all frames, or one for each); see :func:`.memory_readout.read_memory`."""
        cosines = self.cosines(features, memory)
        logit_scales = (self.log_sharpness.exp(), self.log_close_sharpness.exp())
        return read_memory(features, memory, cosines, *logit_scales)

    def similarity(self, features: MatchFeatures, memory: Memory) -> Tensor:
        """How much of a frame a reference shows: the share of mutual matches, weighted by their cosines.

        The highest cosine alone does not tell scenes apart, since most pictures contain sky or a wall.

        Args:
            features: The frames' features.
            memory: The references' memory.

        Returns:
            ``[N]`` in [0, 1].
        """
        cosines = self.cosines(features, memory)
        return match_share(cosines, mutual_nearest_neighbors(cosines, features.coarse.shape[2:]))

    def logits(self, cosines: Tensor) -> Tensor:
        """Cosines times the learned logit scale, without bias and prior."""
        return cosines * self.log_sharpness.exp()

    def cosines(self, features: MatchFeatures, memory: Memory) -> Tensor:
        """Cosines of the frames' and the memory's coarse cells, ``[N, h*w, M]`` in [-1, 1]."""
        queries = features.coarse.flatten(2).transpose(1, 2)
        # fp32: times the logit scale, bf16 has too few values.
        return (queries @ memory.keys).float()

    def project_readout(self, found: MemoryReadout) -> Tensor:
        """What the PFFN adds to its features after the first block, ``[N, 4 * width, h, w]``."""
        return cast(Tensor, self.out(torch.cat((found.values, found.similarity), dim=1)))
