"""The colour memory: where in the reference does this place of the frame lie, and what colour is it.

Not in the paper. One vector carries the palette; which of two like coats is the red one it cannot
say. The memory can: its keys are the content encoder's own features of the *reference's* lightness
at 1/8 and 1/16, so that film and reference are read by one network and compared in one space, and its
values are the colours found there. To what is learned the edges of lightness are added, and two places
are the more alike, the more what lies around them is. What a place may be is then looked at closer: its
four quarters, at 1/4, are sought among the quarters of the likeliest places, and those as light as they
are liked better.
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

# Where training begins. It moves slowly: begun at 10 it came to 14 in 2,000 steps, and at 36 the same
# network painted films 0.6 dB nearer to the truth.
LOGIT_SCALE, FINE_LOGIT_SCALE = 30.0, 10.0


class ColorMemory(nn.Module):
    """Keys, values and the look-up; places are those of the features at 1/8."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.near = nn.Conv2d(config.content_channels[3], config.memory, 1)
        self.wide = nn.Conv2d(config.content_channels[4], config.memory, 1)
        self.value = nn.Conv2d(config.color_channels[2], config.memory, 1)
        self.close = nn.Conv2d(config.content_channels[2], config.memory, 1)
        self.log_sharpness = nn.Parameter(torch.tensor(LOGIT_SCALE).log())
        self.log_close_sharpness = nn.Parameter(torch.tensor(FINE_LOGIT_SCALE).log())
        self.out = nn.Conv2d(config.memory + 3, 4 * config.width, 1)
        # The memory starts silent: the network first learns to paint from z.
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(cast(Tensor, self.out.bias))

    def encode_features(self, content: Content) -> MatchFeatures:
        """What describes each place, made of the content features at 1/8 and 1/16, and its quarters.

        The coarser ones see twice as far around and tell like patches apart.
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
        """What ``memory`` (of one, or of as many as there are frames) holds for every place."""
        cosines = self.cosines(features, memory)
        logit_scales = (self.log_sharpness.exp(), self.log_close_sharpness.exp())
        return read_memory(features, memory, cosines, *logit_scales)

    def similarity(self, features: MatchFeatures, memory: Memory) -> Tensor:
        """How alike frames and references are: the share ``[N]`` of places that find the way back.

        A place of the frame goes to its nearest in the memory, and from there to the nearest in the
        frame; in a picture of the same things it comes out where it set out, or beside it, and has gone to
        something like it. (The best cosine by itself is high between any two pictures: there is sky in
        most. And some places find the way back in any two.)
        """
        cosines = self.cosines(features, memory)
        return match_share(cosines, mutual_nearest_neighbors(cosines, features.coarse.shape[2:]))

    def logits(self, cosines: Tensor) -> Tensor:
        """Cosines times the learned sharpness: the look-up's scores, before all that it adds to them."""
        return cosines * self.log_sharpness.exp()

    def cosines(self, features: MatchFeatures, memory: Memory) -> Tensor:
        """How alike each place of the frames is to each of the memory: ``[N, coarse, M]`` in [-1, 1]."""
        queries = features.coarse.flatten(2).transpose(1, 2)
        # In fp32: sharpened, bf16 has too few steps.
        return (queries @ memory.keys).float()

    def project_readout(self, found: MemoryReadout) -> Tensor:
        """What the PFFN adds to its features after the first block, ``[N, 4 * width, h, w]``."""
        return cast(Tensor, self.out(torch.cat((found.values, found.similarity), dim=1)))
