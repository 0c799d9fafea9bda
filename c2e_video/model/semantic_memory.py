"""Colors by what things are: from a reference of another scene, or from none at all.

Where the colour memory finds the same scene, its instance matches are followed. Elsewhere each place takes
the colors of what is semantically alike in the reference; where nothing is alike, those such things usually
have (the prior, :mod:`.color_prior`), drawn towards the reference's palette.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .color_prior import ColorPrior, expected_color, palette_of, plausibility
from .config import ModelConfig
from .feature_maps import grid_positions, pool_to, shifted_views
from .memory import Memory, MemoryReadout
from .memory_readout import match_weight
from .self_affinity import SelfAffinity
from .semantic_encoder import SemanticEncoder, SemanticFeatures

# Share of the fine features in the cosine of two places; the rest is the coarse features' share.
FINE_SHARE = 0.34
# Softmax over the reference's places: SHARPNESS * cosine - LIGHTNESS * (difference of lightness)^2
# - HEIGHT * (difference of the height in the picture, as a share)^2: roads are below, the sky is above.
SHARPNESS, LIGHTNESS, HEIGHT = 30.0, 2.0, 20.0
# A semantic match counts by its best cosine: not at all up to UNLIKE, wholly from ALIKE on.
UNLIKE, ALIKE = 0.4, 0.6
# Semantic colors are spread over so many quarters (1/4) each way, among those about as light (sigma).
REACH, LIGHT = 4, 0.12
# What the gate is told of a place, and the share a source has beforehand where the scene is the same.
GATE_INPUTS, OPEN = 8, 0.003
GAIN = 4.0  # of the gate's output: it learns as much faster
# Another scene: wholly where the colour memory's confidence is at most STRANGE, not at all from SAME on.
STRANGE, SAME = 0.15, 0.5


class SemanticReadout(NamedTuple):
    """What semantic matches say: ``ab`` / 110 ``[N, 2, h, w]`` at 1/8, and how sure it is.

    ``similarity`` ``[N, 1, h, w]`` is the best cosine, ``confidence`` the same as a share in [0, 1].
    """

    ab: Tensor
    similarity: Tensor
    confidence: Tensor


class ColorGuess(NamedTuple):
    """What the prior says: ``ab`` / 110 ``[N, 2, h, w]`` and its ``certainty`` ``[N, 1, h, w]`` in [0, 1]."""

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
        # Both begin silent: the network works by the rule alone.
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
        """What the references' semantically most alike places say.

        Args:
            affinity: The frames' places, at 1/16.
            memory: Of one reference, or of as many as there are frames.
            like: Planes at 1/8, ``[N, C, h, w]``: the size of what is returned.
        """
        known = memory.lightness.float()
        colors = memory.values[:, :2].float().transpose(1, 2)
        # Of several references the one of the highest weight is compared as if alone.
        bias = (memory.bias - memory.bias.amax(1, keepdim=True))[:, None].float().clamp_min(-1e4)
        queries = affinity.keys.to(memory.semantic.dtype)
        cosines = (queries @ memory.semantic).float() + bias / SHARPNESS
        scores = SHARPNESS * cosines - LIGHTNESS * (affinity.lightness - known).square()
        height = grid_positions(affinity.size, queries.device)[0, :, None]
        scores = scores - HEIGHT * (height - memory.coarse[:, None, 0]).square()
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
        """Semantic colors, one for each thing, as far as they are plausible; and what the prior says.

        Args:
            alike: What semantic matches say.
            affinity: The frames' places.
            memory: Its palette is what the prior is drawn to.
            prior: Weight of the prior; 0 leaves it out, and all colors are plausible.
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
        """The ``painted`` ab / 110 with semantic colors where the instance matches are unsure.

        Args:
            painted: ``[N, 2, H, W]``, already moved to the instance matches.
            found: Those matches.
            alike: The semantic ones.
            guess: The prior's colors (:meth:`choose`), or None.
            lightness: Of the frames' quarters ``[N, 1, 2h, 2w]`` in [-1, 1].
            weight: Of the prior, in [0, 1]; what it leaves are the painted colors.
        """
        quarters = pool_to(painted.float(), lightness)
        own = pool_to(quarters, alike.ab)
        if guess is None:
            guess, weight = ColorGuess(own, torch.zeros_like(alike.confidence)), 0.0
        shares = self._shares(found, alike, own, guess)
        semantic, prior = shares[:, 1:2], shares[:, 2:] * weight
        # The painted colors stay as they are; only the others are coarse and have to be spread.
        others = torch.cat((semantic * alike.ab + prior * guess.ab, semantic + prior), dim=1)
        edged = spread(others, lightness.float())
        missing = edged[:, :2] - edged[:, 2:] * quarters
        size = painted.shape[2:]
        enlarged = F.interpolate(missing, size=size, mode="bilinear", align_corners=False)
        return painted + enlarged.to(painted.dtype)

    def _shares(
        self, found: MemoryReadout, alike: SemanticReadout, own: Tensor, guess: ColorGuess
    ) -> Tensor:
        """Shares of painted, semantic and prior colors at every place, of sum 1: ``[N, 3, h, w]``.

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
        # What is known for sure does not depend on the prior.
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
    """Fine and coarse features as one unit vector for each place at 1/8, ``[N, 224, h, w]``."""
    fine, coarse = features
    coarse = F.interpolate(coarse, size=fine.shape[2:], mode="bilinear", align_corners=False)
    parts = (
        F.normalize(fine, dim=1) * FINE_SHARE**0.5,
        F.normalize(coarse, dim=1) * (1 - FINE_SHARE) ** 0.5,
    )
    return torch.cat(parts, dim=1)


def spread(planes: Tensor, lightness: Tensor) -> Tensor:
    """Coarse ``planes`` ``[N, C, h, w]`` at the size of the quarters ``[N, C, 2h, 2w]``, within edges.

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
    """``ab`` ``[N, 2, h, w]`` with no more chroma than the references' most colorful place."""
    chroma = memory.values[:, :2].float().norm(dim=1)
    limit = chroma.masked_fill(memory.bias == -torch.inf, 0).amax(1)[:, None, None, None]
    scale: Tensor = (limit / ab.norm(dim=1, keepdim=True).clamp_min(1e-6)).clamp_max(1)
    return ab * scale


def _ramp(values: Tensor, foot: float, top: float) -> Tensor:
    """0 up to ``foot``, 1 from ``top`` on, linear between."""
    return ((values - foot) / (top - foot)).clamp(0, 1)
