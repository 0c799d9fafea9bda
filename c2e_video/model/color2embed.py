"""The whole network: F(T_L | R_rgb) of the paper, figure 2."""

from __future__ import annotations

from typing import NamedTuple, cast

import torch.nn.functional as F
from torch import Tensor, nn

from ..color.lab import AB_SCALE, gray_lightness, rgb_to_lab
from ..errors import BadWeights
from .color_encoder import ColorEncoder
from .config import ModelConfig
from .content_encoder import Content, ContentEncoder
from .feature_maps import pool_to
from .memory import Memory
from .pffn import PFFN
from .refinement import refine_chroma
from .self_affinity import SelfAffinity
from .semantic_memory import SemanticMemory

STRIDE = 16  # sizes inside the network are multiples of it


class Conditioning(NamedTuple):
    """What a reference gives: the embedding ``z`` and, where the network has one, its memory.

    ``z`` is ``[N, E]``, or the PFFN's convolutions baked for one embedding (:meth:`PFFN.bake`).
    """

    z: Tensor | list[nn.Conv2d]
    memory: Memory | None


def pad_to_stride(x: Tensor) -> Tensor:
    """Repeat the right and bottom edges of ``[N, C, H, W]`` up to multiples of 16."""
    h, w = x.shape[2:]
    return F.pad(x, (0, -w % STRIDE, 0, -h % STRIDE), mode="replicate")


class Color2Embed(nn.Module):
    """Paints the ab of gray frames as a reference looks."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.color_encoder = ColorEncoder(config)
        self.content_encoder = ContentEncoder(config)
        self.pffn = PFFN(config)
        self.semantic = SemanticMemory(config) if config.semantic else None

    def embed(self, reference: Tensor) -> Conditioning:
        """Read references, RGB ``[N, 3, H, W]`` in [0, 1], any size: once for a shot."""
        reference = pad_to_stride(reference)
        z, color = self.color_encoder(reference)
        if self.pffn.memory is None:
            return Conditioning(z, None)
        exact = reference.float()
        lightness = (gray_lightness(exact) / 50 - 1).to(reference.dtype)
        content = self.encode_content(lightness)
        features = self.pffn.memory.encode_features(content)
        ab = (rgb_to_lab(exact)[:, 1:] / AB_SCALE).to(reference.dtype)
        return Conditioning(
            z, self.pffn.memory.encode_memory(features, color, ab, content.semantic)
        )

    def forward(self, lightness: Tensor, conditioning: Conditioning, prior: float = 1.0) -> Tensor:
        """ab / 110 ``[N, 2, H, W]`` in [-1, 1] for lightness ``[N, 1, H, W]`` in [-1, 1], any size."""
        h, w = lightness.shape[2:]
        content = self.encode_content(lightness)
        return self.predict_ab(content, conditioning, prior=prior)[:, :, :h, :w]

    def encode_content(self, lightness: Tensor, semantic: bool = True) -> Content:
        """Gray frames padded to multiples of 16, and their content features at five scales.

        Args:
            lightness: ``[N, 1, H, W]`` in [-1, 1], any size.
            semantic: Whether semantic keys are wanted, too, where the network has such.
        """
        padded = pad_to_stride(lightness)
        keys = self.semantic.keys(padded) if semantic and self.semantic is not None else None
        return Content(padded, self.content_encoder(padded), keys)

    def propose(self, lightness: Tensor) -> Tensor:
        """ab / 110 ``[N, 2, H, W]`` without any reference: what such things usually look like.

        Args:
            lightness: ``[N, 1, H, W]`` in [-1, 1], any size.

        Raises:
            BadWeights: The network has no color prior.
        """
        if self.semantic is None or self.semantic.prior is None:
            raise BadWeights(
                "these weights have no color prior, which painting without a reference needs; "
                "give a reference, or weights that have one"
            )
        h, w = lightness.shape[2:]
        return self.semantic.propose(pad_to_stride(lightness))[:, :, :h, :w]

    def predict_ab(
        self,
        content: Content,
        conditioning: Conditioning,
        memory_scale: Tensor | None = None,
        prior: float = 1.0,
    ) -> Tensor:
        """ab / 110 of the padded size for frames that were read.

        ``memory_scale`` ``[N]`` in [0, 1] weakens what the memory says; 0 paints from z alone.
        ``prior`` in [0, 1] is the weight of the color prior where no match is sure.
        """
        memory = self.pffn.memory
        if memory is None or conditioning.memory is None:
            return cast(Tensor, self.pffn(content.features, conditioning.z))
        features = memory.encode_features(content)
        found = memory.read_memory(features, conditioning.memory)
        if memory_scale is not None:
            found = found.scaled(memory_scale)
        z, lightness, keys = conditioning.z, features.lightness, content.semantic
        added = memory.project_readout(found)
        if self.semantic is None or keys is None:
            return refine_chroma(self.pffn(content.features, z, added), found, lightness)
        affinity = SelfAffinity.of(keys, pool_to(lightness.float(), keys))
        alike = self.semantic.read_memory(affinity, conditioning.memory, keys)
        added = added + self.semantic.project_readout(alike, found)
        refined = refine_chroma(self.pffn(content.features, z, added), found, lightness)
        chosen, guess = self.semantic.choose(alike, affinity, conditioning.memory, prior)
        return self.semantic.fuse(refined, found, chosen, guess, lightness, prior)
