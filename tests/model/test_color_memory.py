"""The colour memory: what describes places, and where they are found."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from c2e_video.model import Color2Embed, Memory
from c2e_video.model.color_memory import ColorMemory
from c2e_video.model.content_encoder import Content
from c2e_video.model.memory import MatchFeatures
from c2e_video.model.memory_readout import COSINE_HIGH, COSINE_LOW, match_share
from c2e_video.model.motion_prior import Matches
from c2e_video.model.orientation_histogram import orientation_histograms
from tests.factories import TINY, random_model


@pytest.fixture
def model() -> Color2Embed:
    return random_model()


@pytest.fixture
def memory(model: Color2Embed) -> ColorMemory:
    assert model.pffn.memory is not None
    return model.pffn.memory


def seen(places: Tensor, lightness: Tensor | None = None) -> MatchFeatures:
    """Places whose four quarters look like the whole; all equally light, if not told."""
    quarters = nn.functional.interpolate(places, scale_factor=2)
    dark = torch.zeros_like(quarters[:, :1])
    return MatchFeatures.of(places, quarters, dark if lightness is None else lightness)


def remembered(memory: ColorMemory, features: MatchFeatures, ab: Tensor) -> Memory:
    """The memory of a reference whose color features are all zero."""
    size = features.coarse.shape[2:]
    return memory.encode_memory(features, torch.zeros(1, memory.value.in_channels, *size), ab)


def test_every_quarter_of_a_place_finds_its_own_colour(memory: ColorMemory) -> None:
    """Also where the frame is moved by a quarter, so that no place of it is one of the reference."""
    memory.log_close_sharpness.fill_(math.log(2000))
    torch.manual_seed(4)
    quarters, colours = torch.randn(1, TINY.memory, 8, 18), torch.rand(1, 2, 8, 18)

    def view(left: int) -> MatchFeatures:
        part = quarters[..., left : left + 16]
        return MatchFeatures.of(
            nn.functional.avg_pool2d(part, 2), part, torch.zeros_like(part[:, :1])
        )

    ab = nn.functional.interpolate(colours[..., :16], scale_factor=4)
    fine_cells = remembered(memory, view(0), ab)
    torch.testing.assert_close(memory.read_memory(view(0), fine_cells).fine, colours[..., :16])
    moved = memory.read_memory(view(1), fine_cells).fine
    torch.testing.assert_close(moved[..., :-1], colours[..., 1:16])


def test_of_like_quarters_the_one_as_light_is_found(memory: ColorMemory) -> None:
    """Everything looks the same but for lightness, which tells the two colours apart."""
    same = torch.ones(1, TINY.memory, 8, 8)
    lightness = torch.where(torch.arange(16) % 2 == 0, -0.8, 0.6).expand(1, 1, 16, 16)
    ab = torch.cat((lightness, -lightness), dim=1)
    fine_cells = remembered(memory, seen(same, lightness), ab)
    swapped = lightness.flip(3)
    found = memory.read_memory(seen(same, swapped), fine_cells).fine
    torch.testing.assert_close(found, torch.cat((swapped, -swapped), dim=1))


def test_what_lies_at_its_corners_tells_like_places_apart(memory: ColorMemory) -> None:
    torch.manual_seed(5)
    shifted_views = torch.randn(1, TINY.memory, 7, 7)
    shifted_views[..., 3, 3] = 1.0
    elsewhere = torch.randn_like(shifted_views)
    elsewhere[..., 3, 3] = 1.0
    fine_cells = remembered(memory, seen(shifted_views), torch.zeros(1, 2, 56, 56))
    centre = 3 * 7 + 3
    same, other = (
        memory.cosines(seen(p), fine_cells)[0, centre, centre] for p in (shifted_views, elsewhere)
    )
    torch.testing.assert_close(same, torch.tensor(1.0))
    assert other < 0.8


def test_memory_finds_the_place_it_was_made_of(model: Color2Embed, memory: ColorMemory) -> None:
    """Looking up what the reference itself shows finds every place with similarity 1."""
    features = memory.encode_features(model.encode_content(torch.rand(1, 1, 32, 40) * 2 - 1))
    fine_cells = memory.encode_memory(
        features,
        torch.randn(1, memory.value.in_channels, *features.coarse.shape[2:]),
        torch.rand(1, 2, 32, 48),
    )
    found = memory.read_memory(features, fine_cells)
    torch.testing.assert_close(found.similarity, torch.ones(1, 1, 4, 6))
    assert fine_cells.keys.shape == (1, 5 * (TINY.memory + 37), 24)


def test_what_lies_around_tells_like_places_apart(model: Color2Embed, memory: ColorMemory) -> None:
    """The same features at 1/8 are described otherwise where those at 1/16 differ."""
    lightness, (*near, wide), _ = model.encode_content(torch.zeros(1, 1, 64, 64))
    other = torch.cat((wide[..., :2], -wide[..., 2:]), dim=3)
    plain, told = (
        memory.encode_features(Content(lightness, [*near, w])).coarse for w in (wide, other)
    )
    torch.testing.assert_close(told[..., :2], plain[..., :2])
    assert (told - plain)[..., 6:].abs().max() > 1e-3


def test_of_like_places_the_nearer_is_the_same_where_nothing_moved(memory: ColorMemory) -> None:
    torch.manual_seed(1)
    half = torch.randn(1, TINY.memory, 8, 8)
    twins = torch.cat((half, half), dim=3)
    ab = torch.cat((torch.ones(1, 2, 64, 64), -torch.ones(1, 2, 64, 64)), dim=3)
    fine_cells = remembered(memory, seen(twins), ab)
    a = memory.read_memory(seen(twins), fine_cells).values[0, 0]
    assert a[:, :7].min() > 0.9
    assert a[:, 9:].max() < -0.9
    right = seen(twins[:, :, :, 2:])  # the camera goes there
    panned = memory.read_memory(right, fine_cells).values[0, 0]
    assert panned[:, :5].min() > 0.9
    assert panned[:, 7:].max() < -0.9
    # Strewn at random, little says which of the two is meant.
    strewn = twins.flatten(2)[:, :, torch.randperm(128)].view_as(twins)
    assert memory.read_memory(seen(strewn), fine_cells).values[0, 0].abs().mean() < 0.7


def test_the_camera_has_moved_otherwise_since_each_reference(memory: ColorMemory) -> None:
    """What only the second shows is sought by how the camera has moved since the second."""
    torch.manual_seed(1)
    scene = torch.randn(1, TINY.memory, 8, 24)
    scene[..., 2:5, 21:24] = scene[..., 2:5, 16:19]
    ab = torch.ones(1, 2, 64, 192)
    ab[..., 160:] = -1

    def view(left: int) -> Memory:
        keys, colours = scene[..., left : left + 16], ab[..., 8 * left : 8 * left + 128]
        return remembered(memory, seen(keys), colours)

    film = seen(scene[..., 4:20])
    a = memory.read_memory(film, Memory.join([view(0), view(8)])).values[0, 0]
    assert a[3, 13] > 0.9


def test_what_does_not_find_back_is_not_believed_and_takes_the_mean_of_many(
    memory: ColorMemory,
) -> None:
    torch.manual_seed(2)
    features = torch.randn(1, TINY.memory, 12, 12)
    fine_cells = remembered(memory, seen(features), torch.rand(1, 2, 96, 96))
    own, strange = (
        memory.read_memory(seen(asked), fine_cells)
        for asked in (features, torch.randn_like(features))
    )
    assert own.confidence.item() == 1
    assert strange.confidence.item() == 0
    assert own.values[0, 0].std() > 1.1 * strange.values[0, 0].std()


def test_where_nothing_finds_back_no_place_is_expected(
    model: Color2Embed, memory: ColorMemory
) -> None:
    fine_cells = model.embed(torch.rand(1, 3, 48, 64)).memory
    assert fine_cells is not None
    nobody = torch.zeros(1, TINY.memory, 5, 7)
    assert memory.read_memory(seen(nobody), fine_cells).values.isfinite().all()
    several = seen(torch.randn(2, *nobody.shape[1:]))
    assert memory.read_memory(several, fine_cells).values.isfinite().all()


def test_two_references_are_one_longer_memory(model: Color2Embed, memory: ColorMemory) -> None:
    first, second = (model.embed(torch.rand(1, 3, 32, 32)).memory for _ in range(2))
    assert first is not None
    assert second is not None
    joined = Memory.join([first, second])
    assert joined.keys.shape[2] == first.keys.shape[2] + second.keys.shape[2]
    silenced = Memory.join([first, second._replace(bias=second.bias - 1e9)])
    # Half of what each knows, so that the silenced one would be found and believed.
    places = torch.cat((first.keys[..., :8], second.keys[..., 8:]), 2).view(1, -1, 4, 4)
    half = seen(torch.randn(1, TINY.memory, 4, 4))._replace(coarse=places)
    one = memory.read_memory(half, first)
    for part, other in zip(one, memory.read_memory(half, silenced), strict=True):
        torch.testing.assert_close(part, other)


def test_stacked_memories_of_unlike_lengths_stay_themselves(
    model: Color2Embed, memory: ColorMemory
) -> None:
    small = model.embed(torch.rand(1, 3, 16, 32)).memory
    large = model.embed(torch.rand(1, 3, 32, 32)).memory
    assert small is not None
    assert large is not None
    places = torch.randn(2, TINY.memory, 4, 4)
    stacked = memory.read_memory(seen(places), Memory.stack([small, large]))
    for i, own in enumerate((small, large)):
        alone = memory.read_memory(seen(places[i : i + 1]), own)
        for part, other in zip(stacked, alone, strict=True):
            torch.testing.assert_close(part[i], other[0])


def test_similarity_is_the_share_of_places_that_find_back(memory: ColorMemory) -> None:
    """A frame finds itself whole, wherever its parts are moved; of another picture nothing, though chance
    makes some places each other's nearest."""
    torch.manual_seed(3)
    features = seen(torch.randn(1, TINY.memory, 12, 16))
    fine_cells = remembered(memory, features, torch.zeros(1, 2, 96, 128))
    shuffled = fine_cells._replace(keys=fine_cells.keys[:, :, torch.randperm(192)])
    stranger = seen(torch.randn(1, TINY.memory, 12, 16))
    assert memory.similarity(features, fine_cells).item() == 1
    assert memory.similarity(features, shuffled).item() == 1
    assert memory.similarity(stranger, fine_cells).item() < 0.05


def test_a_place_that_finds_back_counts_as_far_as_it_is_alike() -> None:
    """Of four places one is strange, one does not find back, one is half alike."""
    there = torch.arange(4)[None]
    alike = torch.tensor([0.9, (COSINE_LOW + COSINE_HIGH) / 2, COSINE_LOW - 0.01, 0.9])
    matches = Matches(there, torch.tensor([[True, True, True, False]]))
    assert match_share(alike.diag()[None], matches).item() == pytest.approx((1 + 0.5) / 4)


def stripes(down: bool) -> Tensor:
    """Light and dark bars of 4 pixels, 64 square, on the left half; gray on the right."""
    bars = torch.where(torch.arange(64) % 8 < 4, -0.5, 0.5).expand(64, 64)
    half = (bars.t() if down else bars).clone()
    half[:, 32:] = 0
    return half.view(1, 1, 64, 64)


def alike(one: Tensor, other: Tensor) -> Tensor:
    """The cosine of each place's edges, as many places as there are 4 by 4 pixels: ``[16, 16]``."""
    like = torch.zeros(1, 1, 16, 16)
    return torch.cosine_similarity(
        orientation_histograms(one, like), orientation_histograms(other, like)
    )[0]


def test_edges_that_run_otherwise_are_unlike() -> None:
    across, down = stripes(False), stripes(True)
    inside = (slice(2, -2), slice(2, 6))
    assert alike(across, across)[inside].min() > 0.999
    assert alike(across, down)[inside].max() < 0.3


def test_edges_are_the_same_in_another_exposure_and_nearly_in_grain() -> None:
    torch.manual_seed(6)
    picture = nn.functional.interpolate(torch.rand(1, 1, 16, 16) - 0.5, (64, 64), mode="bicubic")
    torch.testing.assert_close(alike(picture, 0.4 * picture + 0.3), torch.ones(16, 16))
    grain = torch.randn_like(picture) * 4 / 255
    assert alike(picture, picture + grain).mean() > 0.9


def test_a_picture_without_edges_is_like_itself() -> None:
    flat = torch.zeros(1, 1, 64, 64)
    torch.testing.assert_close(alike(flat, flat), torch.ones(16, 16))


def test_edges_tell_like_places_apart(memory: ColorMemory) -> None:
    """All places have the same learned keys; the reference's halves changed sides."""
    same = torch.ones(1, TINY.memory, 8, 8)
    reference = torch.cat((stripes(True)[..., :32], stripes(False)[..., :32]), dim=3)
    ab = torch.cat((torch.ones(1, 2, 64, 32), -torch.ones(1, 2, 64, 32)), dim=3)
    fine_cells = remembered(memory, seen(same, reference), ab)
    found = memory.read_memory(seen(same, reference.roll(32, 3)), fine_cells).values[0, 0]
    assert found[:, :3].max() < 0 < found[:, 5:].min()
    assert found[:, 5:].mean() - found[:, :3].mean() > 1
