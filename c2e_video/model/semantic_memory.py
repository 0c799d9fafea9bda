"""Colors by semantic features: for a reference of another scene, or without a reference.

Where the colour memory finds the same scene, its instance matches give the colors. Elsewhere each cell takes
the mean color of the reference's cells with similar semantic features. Where no cell is similar, the prior
(:mod:`.color_prior`) gives the color, weighted by the reference's palette.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .color_prior import ColorPrior, expected_color, palette_of, plausibility
from .config import ModelConfig
from .feature_maps import cell_logits, grid_positions, pool_to, shifted_views
from .memory import Memory, MemoryReadout
from .memory_readout import match_weight
from .self_affinity import SelfAffinity
from .semantic_encoder import SemanticEncoder, SemanticFeatures

# Share of the fine features in the cosine of two cells; the coarse features have the rest.
FINE_SHARE = 0.34
# Logits of the reference's cells: SHARPNESS * cosine - LIGHTNESS * (difference of lightness)^2
# - HEIGHT * (difference of the vertical position, in picture heights)^2: roads are below, the sky is above.
SHARPNESS, LIGHTNESS, HEIGHT = 30.0, 2.0, 20.0
# Confidence of a semantic match: 0 up to a best cosine of UNLIKE, 1 from ALIKE on, linear between.
UNLIKE, ALIKE = 0.45, 0.7
# Joint bilateral filter of the semantic colors: radius in fine cells (1/4), sigma in lightness.
REACH, LIGHT = 4, 0.12
# Inputs of the gate for each cell; least share of a source before the gate, where the scene is the same.
GATE_INPUTS, OPEN = 8, 0.003
GAIN = 4.0  # factor of the gate's output; its gradients are larger by the same factor
# A cell is of another scene: 1 up to a colour memory's confidence of STRANGE, 0 from SAME on.
STRANGE, SAME = 0.15, 0.5


class SemanticReadout(NamedTuple):
    """Colors of the semantic matches: ``ab`` / 110 ``[N, 2, h, w]`` at 1/8.

    ``similarity`` ``[N, 1, h, w]`` is the best cosine, ``confidence`` a function of it in [0, 1].
    """

    ab: Tensor
    similarity: Tensor
    confidence: Tensor


class ColorGuess(NamedTuple):
    """The prior's colors, ``ab`` / 110 ``[N, 2, h, w]``, and ``certainty`` ``[N, 1, h, w]`` in [0, 1]."""

    ab: Tensor
    certainty: Tensor


class SemanticMemory(nn.Module):
    """The semantic encoder, the read-out of references by its features, and the prior."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.encoder = SemanticEncoder(config.semantic)
        self.prior = ColorPrior(config.prior, self.encoder.dim) if config.prior else None
        self.out = nn.Conv2d(4, 4 * config.width, 1)
        self.gate = nn.Sequential(
            nn.Conv2d(GATE_INPUTS, 32, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(32, 3, 1)
        )
        # Both begin with outputs of 0: the shares then follow the rule of :meth:`_shares` alone.
        for layer in (self.out, cast(nn.Conv2d, self.gate[2])):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(cast(Tensor, layer.bias))

    def train(self, mode: bool = True) -> SemanticMemory:
        """The encoder stays as it was distilled (:mod:`c2e_video.train.distill`): only the rest trains."""
        super().train(mode)
        self.encoder.eval().requires_grad_(False)
        return self

    def keys(self, lightness: Tensor) -> Tensor:
        """Unit vectors ``[N, C, h, w]`` at 1/8 for lightness ``[N, 1, H, W]`` in [-1, 1]."""
        return joined(self.encoder(lightness))

    def read_memory(self, affinity: SelfAffinity, memory: Memory, like: Tensor) -> SemanticReadout:
        """The mean color of the references' semantically most similar cells.

        Args:
            affinity: The frames' cells, at 1/16.
            memory: Of one reference, or of as many as there are frames.
            like: Planes at 1/8, ``[N, C, h, w]``: the size of what is returned.
        """
        known = memory.lightness.float()
        colors = memory.values[:, :2].float().transpose(1, 2)
        # Of several references, the one of the highest weight is compared without a bias.
        bias = (memory.bias - memory.bias.amax(1, keepdim=True))[:, None].float().clamp_min(-1e4)
        queries = affinity.keys.to(memory.semantic.dtype)
        cosines = (queries @ memory.semantic).float() + bias / SHARPNESS
        height = grid_positions(affinity.size, queries.device)[None, 0, :, None]
        penalties = [
            (LIGHTNESS, affinity.lightness, known),
            (HEIGHT, height, memory.coarse[:, None, 0]),
        ]
        scores = cell_logits(cosines, SHARPNESS, penalties)
        found = torch.cat((scores.softmax(2) @ colors, cosines.amax(2, keepdim=True)), dim=2)
        read = affinity.planes(found, like)
        return SemanticReadout(read[:, :2], read[:, 2:], _ramp(read[:, 2:], UNLIKE, ALIKE))

    def project_readout(self, alike: SemanticReadout, found: MemoryReadout) -> Tensor:
        """What the PFFN adds to its features after the first block, ``[N, 4 * width, h, w]``."""
        confidence = found.confidence.expand_as(alike.confidence)
        given = torch.cat((alike.ab, alike.similarity, confidence), dim=1)
        return cast(Tensor, self.out(given.to(found.values.dtype)))

    def propose(self, lightness: Tensor) -> Tensor:
        """ab / 110 ``[N, 2, H, W]`` by the prior alone for lightness ``[N, 1, H, W]`` in [-1, 1]."""
        assert self.prior is not None
        keys = self.keys(lightness)
        affinity = SelfAffinity.of(keys, pool_to(lightness.float(), keys))
        ab, _ = expected_color(self.prior(affinity), self.prior.rarity, None)
        fourth = F.interpolate(lightness.float(), scale_factor=0.25, mode="area")
        fine = spread(affinity.planes(ab, keys), fourth)
        return F.interpolate(fine, size=lightness.shape[2:], mode="bilinear", align_corners=False)

    def choose(
        self, alike: SemanticReadout, affinity: SelfAffinity, memory: Memory, prior: float
    ) -> tuple[SemanticReadout, ColorGuess | None]:
        """Semantic colors averaged over similar cells, less confident where implausible; the prior's colors.

        Args:
            alike: The semantic matches.
            affinity: The frames' cells.
            memory: Its palette weights the prior's bins.
            prior: Weight of the prior; at 0 it is not computed, and all colors count as plausible.
        """
        weighted = torch.cat((alike.ab * alike.confidence, alike.confidence), dim=1)
        total = affinity.average_planes(weighted)
        ab, confidence = total[:, :2] / total[:, 2:].clamp_min(1e-4), total[:, 2:]
        if self.prior is None or not prior:
            return SemanticReadout(ab, alike.similarity, confidence), None
        likelihood = self.prior(affinity)
        small = F.adaptive_avg_pool2d(ab, affinity.size).flatten(2).transpose(1, 2)
        confidence = confidence * affinity.planes(plausibility(likelihood, small), ab)
        palette = palette_of(memory.values[:, :2], memory.bias)
        expected = expected_color(likelihood, self.prior.rarity, palette)
        guess = ColorGuess(*(affinity.planes(x, ab) for x in expected))
        guess = guess._replace(ab=_no_louder(guess.ab, memory))
        return SemanticReadout(ab, alike.similarity, confidence), guess

    def fuse(
        self,
        painted: Tensor,
        found: MemoryReadout,
        alike: SemanticReadout,
        guess: ColorGuess | None,
        lightness: Tensor,
        weight: float = 1.0,
    ) -> Tensor:
        """The ``painted`` ab / 110, with semantic colors where the confidence of instance matches is low.

        Args:
            painted: ``[N, 2, H, W]``, with the colors of the instance matches already in it.
            found: Those matches.
            alike: The semantic ones.
            guess: The prior's colors (:meth:`choose`), or None.
            lightness: Of the frames' fine cells (1/4), ``[N, 1, 2h, 2w]`` in [-1, 1].
            weight: Of the prior, in [0, 1]; the painted colors take the rest of its share.
        """
        quarters = pool_to(painted.float(), lightness)
        own = pool_to(quarters, alike.ab)
        if guess is None:
            guess, weight = ColorGuess(own, torch.zeros_like(alike.confidence)), 0.0
        shares = self._shares(found, alike, own, guess)
        semantic, prior = shares[:, 1:2], shares[:, 2:] * weight
        # The painted colors have full resolution; only the others are coarse and pass the filter.
        others = torch.cat((semantic * alike.ab + prior * guess.ab, semantic + prior), dim=1)
        edged = spread(others, lightness.float())
        missing = edged[:, :2] - edged[:, 2:] * quarters
        size = painted.shape[2:]
        enlarged = F.interpolate(missing, size=size, mode="bilinear", align_corners=False)
        return painted + enlarged.to(painted.dtype)

    def _shares(
        self, found: MemoryReadout, alike: SemanticReadout, own: Tensor, guess: ColorGuess
    ) -> Tensor:
        """Shares of painted, semantic and prior colors in every cell, of sum 1: ``[N, 3, h, w]``.

        By rule, matches of the same scene are used according to their confidence; for the rest, semantic
        matches according to theirs; then the prior. The learned gate changes this only where the scene
        is the same.
        """
        confidence = found.confidence.float().expand_as(alike.confidence)
        known = match_weight(found.similarity.detach().float())
        unsure = 1 - confidence * known
        strange = 1 - _ramp(confidence, STRANGE, SAME)
        semantic = strange * alike.confidence
        rest = strange * (1 - alike.confidence)
        # At a confidence of 1 the shares do not depend on the prior.
        prior = torch.where(unsure > 0, guess.ab, own)
        pairs = ((own, alike.ab), (own, prior), (alike.ab, prior))
        differing = [(a - b).square().sum(1, keepdim=True).add(1e-6).sqrt() for a, b in pairs]
        seen = (known, found.similarity.float(), confidence, alike.similarity)
        given = torch.cat((*seen, guess.certainty * unsure, *differing), dim=1)
        change = GAIN * self.gate(given.to(found.values.dtype)).float() * (1 - strange)
        semantic = torch.maximum(semantic, OPEN * (1 - strange))
        rest = torch.maximum(rest, OPEN * (1 - strange) * unsure)
        weights = torch.cat((1 - strange, semantic, rest), dim=1) * change.exp()
        return torch.div(weights, weights.sum(1, keepdim=True))


def joined(features: SemanticFeatures) -> Tensor:
    """Fine and coarse features as one unit vector for each cell at 1/8, ``[N, 224, h, w]``."""
    fine, coarse = features
    coarse = F.interpolate(coarse, size=fine.shape[2:], mode="bilinear", align_corners=False)
    parts = (
        F.normalize(fine, dim=1) * FINE_SHARE**0.5,
        F.normalize(coarse, dim=1) * (1 - FINE_SHARE) ** 0.5,
    )
    return torch.cat(parts, dim=1)


def spread(planes: Tensor, lightness: Tensor) -> Tensor:
    """Upsample ``planes`` ``[N, C, h, w]`` at 1/8 to the fine cells ``[N, C, 2h, 2w]``, along edges.

    A joint bilateral filter (Kopf et al. 2007) along ``lightness`` ``[N, 1, 2h, 2w]`` in [-1, 1].
    """
    size = lightness.shape[2:]
    large = F.interpolate(planes, size=size, mode="bilinear", align_corners=False)
    steps = range(-REACH, REACH + 1)
    total, weight = torch.zeros_like(large), torch.zeros_like(lightness)
    for color, light in zip(
        shifted_views(large, steps), shifted_views(lightness, steps), strict=True
    ):
        near = torch.exp(-((light - lightness) ** 2) / (2 * LIGHT**2))
        total, weight = total + near * color, weight + near
    return total / weight


def _no_louder(ab: Tensor, memory: Memory) -> Tensor:
    """``ab`` ``[N, 2, h, w]`` with the chroma limited to that of the references' most saturated cell."""
    chroma = memory.values[:, :2].float().norm(dim=1)
    limit = chroma.masked_fill(memory.bias == -torch.inf, 0).amax(1)[:, None, None, None]
    scale: Tensor = (limit / ab.norm(dim=1, keepdim=True).clamp_min(1e-6)).clamp_max(1)
    return ab * scale


def _ramp(values: Tensor, foot: float, top: float) -> Tensor:
    """0 up to ``foot``, 1 from ``top`` on, linear between."""
    return ((values - foot) / (top - foot)).clamp(0, 1)
