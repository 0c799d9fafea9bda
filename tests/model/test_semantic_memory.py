"""Semantic read-out and color prior: who is followed where."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from c2e_video.errors import BadWeights
from c2e_video.model import Color2Embed, Memory, ModelConfig
from c2e_video.model.color_prior import (
    BINS,
    VIVID,
    bin_centers,
    bins_of,
    expected_color,
    palette_of,
    plausibility,
)
from c2e_video.model.memory import MemoryReadout
from c2e_video.model.memory_readout import COSINE_HIGH, COSINE_LOW
from c2e_video.model.self_affinity import SelfAffinity
from c2e_video.model.semantic_memory import ALIKE, ColorGuess, SemanticReadout, spread
from tests.factories import TINY, random_model

ONE, OTHER = torch.tensor([40.0, 20.0]), torch.tensor([-30.0, -50.0])
SEMANTIC = replace(TINY, semantic=8, prior=12)


@pytest.fixture(scope="module")
def model() -> Color2Embed:
    model = random_model(SEMANTIC)
    assert model.semantic is not None
    assert model.semantic.prior is not None
    model.semantic.prior.histograms.uniform_(generator=torch.manual_seed(3))
    model.semantic.prior.keys.normal_(generator=torch.manual_seed(4))
    return model


def picture(seed: int) -> Tensor:
    small = torch.rand(1, 3, 9, 9, generator=torch.manual_seed(seed))
    return torch.nn.functional.interpolate(small, size=(128, 128), mode="bicubic").clamp(0, 1)


def fused(
    model: Color2Embed, confidence: float, semantic: float, prior: float = 1.0, cosine: float = 1.0
) -> Tensor:
    """Nothing was painted; semantic matches say 0.2 and the prior 0.6."""
    assert model.semantic is not None
    places = torch.zeros(1, 1, 8, 8)
    found = MemoryReadout(
        torch.zeros(1, 10, 8, 8),
        places + cosine,
        torch.full((1, 1, 1, 1), confidence),
        torch.zeros(1, 2, 16, 16),
    )
    alike = SemanticReadout(torch.full((1, 2, 8, 8), 0.2), places + ALIKE, places + semantic)
    guess = ColorGuess(torch.full((1, 2, 8, 8), 0.6), places + 1)
    painted = torch.zeros(1, 2, 64, 64)
    return model.semantic.fuse(painted, found, alike, guess, torch.zeros(1, 1, 16, 16), prior)


def test_another_scene_is_painted_by_what_is_alike_and_else_by_the_prior(
    model: Color2Embed,
) -> None:
    for confidence, semantic, wanted in ((0.0, 1.0, 0.2), (0.0, 0.0, 0.6), (0.0, 0.5, 0.4)):
        result = fused(model, confidence, semantic)
        torch.testing.assert_close(result, torch.full_like(result, wanted))
    result = fused(model, 0.0, 0.0, prior=0.0)
    torch.testing.assert_close(result, torch.zeros_like(result))


def test_the_same_scene_keeps_its_instance_matches(model: Color2Embed) -> None:
    assert fused(model, 1.0, 1.0).abs().max() < 0.2 * 0.01


def test_with_a_full_keyframe_the_prior_changes_nothing(model: Color2Embed) -> None:
    """Bit for bit, also where the gate has learned something."""
    assert model.semantic is not None
    last = model.semantic.gate[2]
    assert isinstance(last, torch.nn.Conv2d)
    torch.nn.init.normal_(last.weight, generator=torch.manual_seed(1))
    known, without = (fused(model, 1.0, 1.0, prior=p, cosine=COSINE_HIGH) for p in (1.0, 0.0))
    assert torch.equal(known, without)
    new, without = (fused(model, 1.0, 1.0, prior=p, cosine=COSINE_LOW) for p in (1.0, 0.0))
    assert not torch.equal(new, without)
    torch.nn.init.zeros_(last.weight)


def test_a_place_takes_the_colors_of_the_reference_it_is_most_alike(model: Color2Embed) -> None:
    """Beside a reference of other things, the one that is alike gives the color."""
    assert model.semantic is not None
    memory = model.embed(picture(5)).memory
    assert memory is not None
    things, others = torch.nn.functional.one_hot(torch.tensor([0, 1]), 224).float()
    red, blue = torch.tensor([0.5, 0.3]), torch.tensor([0.1, -0.4])

    def reference(kind: Tensor, ab: Tensor) -> Memory:
        values = memory.values.clone()
        values[:, :2] = ab.view(1, 2, 1)
        return memory._replace(values=values, semantic=kind.view(1, -1, 1).expand(1, -1, 256))

    joined = Memory.join([reference(things, red), reference(others, blue)])
    keys = torch.stack((things, others), dim=1).view(1, -1, 1, 2)
    keys = torch.nn.functional.interpolate(keys, scale_factor=8.0)
    affinity = SelfAffinity.of(keys, torch.zeros(1, 1, 8, 16))
    read = model.semantic.read_memory(affinity, joined, keys)
    for column, color in ((0, red), (15, blue)):
        torch.testing.assert_close(read.ab[0, :, 4, column], color, atol=1e-3, rtol=0)


def test_semantic_colors_are_never_louder_than_the_reference(model: Color2Embed) -> None:
    assert model.semantic is not None
    memory = model.embed(picture(7)).memory
    assert memory is not None
    keys = torch.nn.functional.normalize(torch.randn(1, 224, 8, 8), dim=1)
    affinity = SelfAffinity.of(keys, torch.zeros(1, 1, 8, 8))
    read = model.semantic.read_memory(affinity, memory, keys)
    assert read.ab.norm(dim=1).max() <= memory.values[:, :2].norm(dim=1).max() + 1e-5


def test_the_prior_is_never_louder_than_the_reference(model: Color2Embed) -> None:
    """A pale reference and a prior of loud colors."""
    assert model.semantic is not None
    memory = model.embed(picture(7)).memory
    assert memory is not None
    values = memory.values.clone()
    values[:, :2] = torch.tensor([0.05, 0.0]).view(1, 2, 1)
    memory = memory._replace(values=values)
    keys = torch.nn.functional.normalize(torch.randn(1, 224, 8, 8), dim=1)
    affinity = SelfAffinity.of(keys, torch.zeros(1, 1, 8, 8))
    read = model.semantic.read_memory(affinity, memory, keys)
    _, guess = model.semantic.choose(read, affinity, memory, 1.0)
    assert guess is not None
    assert guess.ab.norm(dim=1).max() <= 0.05 + 1e-6


def test_color_is_spread_within_edges() -> None:
    ab, lightness = torch.zeros(1, 2, 8, 8), torch.zeros(1, 1, 16, 16)
    ab[..., 4:], lightness[..., 7:] = 0.5, 0.8
    result = spread(ab, lightness)
    assert result[..., :7].max() < 0.15  # the edge lies one quarter left of the colors' border
    assert result[..., 7:].min() > 0.35


def test_bins_hold_the_colors_they_are_named_by() -> None:
    centers = bin_centers(torch.device("cpu"))
    assert len(centers) == BINS
    assert torch.equal(bins_of(centers.float()), torch.arange(BINS))


def two_colors() -> Tensor:
    """Likelihoods ``[1, 1, BINS]`` of a place that is as often of one color as of another."""
    likelihood = torch.zeros(1, 1, BINS)
    likelihood[..., bins_of(ONE)] = likelihood[..., bins_of(OTHER)] = 0.5
    return likelihood


def test_the_prior_answers_with_the_mode_and_is_drawn_to_the_palette() -> None:
    """Two colors are as likely; a palette that holds one of them draws the answer to it."""
    ab = (ONE / 110).view(1, 2, 1).expand(1, 2, 9)
    drawn, sure = expected_color(two_colors(), torch.ones(BINS), palette_of(ab, torch.zeros(1, 9)))
    undecided, unsure = expected_color(two_colors(), torch.ones(BINS), None)
    torch.testing.assert_close(undecided[0, 0] * 110, VIVID * (ONE + OTHER) / 2)
    apart = VIVID * (ONE - OTHER).norm()
    assert (drawn[0, 0] * 110 - VIVID * ONE).norm() < 0.3 * apart
    assert sure > unsure


def test_a_color_that_such_things_never_have_is_not_plausible() -> None:
    for ab, wanted in ((ONE, 1.0), (OTHER, 1.0), (torch.tensor([0.0, 80.0]), 0.0)):
        assert plausibility(two_colors(), ab.view(1, 1, 2) / 110).item() == wanted


def test_one_thing_has_one_color() -> None:
    """Half of a lawn that is taken for something blue becomes green with the rest; the sky does not."""
    keys = torch.zeros(1, 2, 8, 8)
    keys[:, 0, :4], keys[:, 1, 4:] = 1, 1
    affinity = SelfAffinity.of(keys, torch.zeros(1, 1, 8, 8))
    color = torch.zeros(1, 1, 8, 8)
    color[..., :4, :] = 1
    color[..., 4:, :2] = 1
    even = affinity.average_planes(color)
    assert even[..., :3, :].min() > 0.95
    assert even[..., 5:, :].max() < 0.6
    assert even[..., 5:, :].std() < 0.5 * color[..., 5:, :].std()


def test_proposals_need_a_prior(model: Color2Embed) -> None:
    lightness = torch.zeros(1, 1, 40, 56)
    assert model.propose(lightness).shape == (1, 2, 40, 56)
    with pytest.raises(BadWeights, match="no color prior"):
        random_model().propose(lightness)


def test_a_prior_needs_semantic_features_and_these_a_memory() -> None:
    with pytest.raises(ValueError, match="needs semantic"):
        ModelConfig(memory=8, prior=3)
    with pytest.raises(ValueError, match="color memory"):
        ModelConfig(semantic=8)


def test_training_leaves_the_semantic_encoder_as_it_is() -> None:
    semantic = random_model(SEMANTIC).train().semantic
    assert semantic is not None
    assert not semantic.encoder.training
    assert not any(p.requires_grad for p in semantic.encoder.parameters())
