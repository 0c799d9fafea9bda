"""Painted colours moved to those that were found."""

from __future__ import annotations

import torch
from torch import Tensor

from c2e_video.model.memory import MemoryReadout
from c2e_video.model.memory_readout import COSINE_HIGH, COSINE_LOW
from c2e_video.model.refinement import LIGHTNESS_SIGMA, refine_chroma


def test_found_colours_are_kept_as_far_as_they_are_believed() -> None:
    detail = torch.tensor([0.1, -0.1]).repeat(24).expand(1, 2, 32, 48)
    values, similarity = torch.full((1, 10, 4, 6), -0.2), torch.ones(1, 1, 4, 6)
    for confidence in (1.0, 0.5, 0.0):
        quarters = torch.full((1, 2, 8, 12), -0.2)
        found = MemoryReadout(values, similarity, torch.full((1, 1, 1, 1), confidence), quarters)
        settled = refine_chroma(0.3 + detail, found, torch.zeros(1, 1, 8, 12))
        torch.testing.assert_close(
            settled - detail, torch.full_like(detail, 0.3 - confidence * 0.5)
        )


def settled(quarters: Tensor, cosines: Tensor, lightness: Tensor) -> Tensor:
    """What ``fine`` ``[1, 2, 8, 12]`` become where all was painted gray, seen at their size."""
    found = MemoryReadout(torch.zeros(1, 10, 4, 6), cosines, torch.ones(1, 1, 1, 1), quarters)
    return refine_chroma(torch.zeros_like(quarters), found, lightness)


def test_a_guess_is_evened_out_and_what_was_found_is_not() -> None:
    """Only beside what was guessed: on the left nothing is alike, on the right all is."""
    patches = torch.rand(1, 2, 8, 12, generator=torch.manual_seed(1))
    cosines = torch.full((1, 1, 4, 6), COSINE_LOW)
    cosines[..., 3:] = COSINE_HIGH
    even = settled(patches, cosines, torch.zeros(1, 1, 8, 12))
    assert even[..., :5].std() < 0.5 * patches[..., :5].std()
    torch.testing.assert_close(even[..., 7:], patches[..., 7:])


def test_quarters_of_one_place_are_evened_too() -> None:
    """Columns of quarters that are guessed in turns this and that, and painted in turns as well."""
    turns = torch.tensor([0.4, 0.0]).repeat(6).expand(1, 2, 8, 12)
    cosines, light = torch.full((1, 1, 4, 6), COSINE_LOW), torch.zeros(1, 1, 8, 12)
    assert settled(turns, cosines, light).std() < 0.3 * turns.std()
    found = MemoryReadout(
        torch.zeros(1, 10, 4, 6), cosines, torch.ones(1, 1, 1, 1), torch.full_like(turns, 0.1)
    )
    # It is the corrections that are evened out: what the painter knows apart stays apart.
    assert refine_chroma(turns, found, light).std() > 0.7 * turns.std()


def test_a_guess_leans_on_what_was_found_beside_it() -> None:
    colours = torch.zeros(1, 2, 8, 12)
    colours[..., 6:] = 0.4
    cosines = torch.full((1, 1, 4, 6), COSINE_LOW)
    alone = settled(colours, cosines, torch.zeros(1, 1, 8, 12))
    cosines[..., 3:] = COSINE_HIGH
    leaning = settled(colours, cosines, torch.zeros(1, 1, 8, 12))
    assert (leaning[..., 3:5] > alone[..., 3:5] + 0.02).all()


def test_what_is_lighter_is_another_thing() -> None:
    """Two things side by side keep their colours, though neither is in the reference."""
    colours, light = torch.zeros(1, 2, 8, 12), torch.zeros(1, 1, 8, 12)
    colours[..., 6:] = 0.4
    cosines = torch.full((1, 1, 4, 6), COSINE_LOW)
    mixed = settled(colours, cosines, light)
    light[..., 6:] = 4 * LIGHTNESS_SIGMA
    apart = settled(colours, cosines, light)
    assert (mixed - colours).abs().max() > 0.1
    torch.testing.assert_close(apart, colours, atol=1e-3, rtol=0)
