"""The network: the paper's size, its modulation, its memory, any frame size."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from c2e_video.model import Color2Embed, Look, Memory, ModelConfig
from c2e_video.model.content_encoder import Content
from c2e_video.model.layout import fold_batch_norms
from c2e_video.model.look_up import settle
from c2e_video.model.memory import Description, MemoryLookup
from c2e_video.model.pffn import EPSILON, ModulatedConv

TINY = ModelConfig(width=8, embedding=16, color_width=4, memory=8)


def random_model(config: ModelConfig = TINY) -> Color2Embed:
    """A network in which everything speaks: the memory too, and batch norms that are not trivial."""
    torch.manual_seed(0)
    model = Color2Embed(config)
    if model.pffn.memory is not None:
        nn.init.normal_(model.pffn.memory.out.weight, std=0.3)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def model() -> Color2Embed:
    return random_model()


def test_width_64_is_the_papers_network() -> None:
    model = Color2Embed(ModelConfig()).eval()
    parts = (model.content_encoder, model.pffn)
    parameters = sum(p.numel() for part in parts for p in part.parameters())
    look = Look(torch.zeros(1, 512), None)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 1, 256, 256), look)
    assert parameters == pytest.approx(19.4e6, rel=0.02)
    assert counter.get_total_flops() == pytest.approx(81.5e9, rel=0.02)
    assert model.pffn.memory is None


def test_modulation_is_equations_4_to_7() -> None:
    conv = ModulatedConv(6, 3, embedding=4)
    z, x = torch.randn(1, 4), torch.randn(1, 6, 9, 9)
    scaled = conv.weight * conv.scale * conv.linear(z).view(1, 6, 1, 1)  # eq. 4
    norm = 1 / (scaled.square().sum((1, 2, 3), keepdim=True) + EPSILON).sqrt()  # eq. 5
    wanted = torch.conv2d(x, scaled * norm, conv.bias, padding=1)  # eq. 6 and 7
    torch.testing.assert_close(conv(x, z), wanted, rtol=1e-4, atol=1e-5)


def test_the_embedding_reaches_the_picture(model: Color2Embed) -> None:
    frame = torch.rand(1, 1, 32, 32) * 2 - 1
    one, other = (model(frame, Look(torch.randn(1, 16), None)) for _ in range(2))
    assert (one - other).abs().max() > 1e-4


def test_baked_and_per_sample_forms_are_equal(model: Color2Embed) -> None:
    frames = torch.rand(3, 1, 32, 48) * 2 - 1
    look = model.embed(torch.rand(1, 3, 32, 48))
    assert isinstance(look.z, torch.Tensor)
    baked = model(frames, Look(model.pffn.bake(look.z[0]), look.memory))
    each = model(frames, Look(look.z.expand(3, -1), look.memory))
    torch.testing.assert_close(baked, each, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [(16, 16), (1, 1), (17, 31), (48, 20), (33, 64)])
def test_any_frame_size(model: Color2Embed, size: tuple[int, int]) -> None:
    look = model.embed(torch.rand(1, 3, *size))
    ab = model(torch.rand(2, 1, *size) * 2 - 1, look)
    assert ab.shape == (2, 2, *size)
    assert ab.abs().max() <= 1


def test_padding_leaves_whole_sizes_alone(model: Color2Embed) -> None:
    """A size that is a multiple of 16 is painted the same whether it is padded or not."""
    frame = torch.rand(1, 1, 32, 32) * 2 - 1
    look = Look(torch.randn(1, 16), None)
    whole = model(frame, look)
    features = model.content_encoder(frame)
    torch.testing.assert_close(model.pffn(features, look.z), whole)


def test_frames_do_not_depend_on_their_batch(model: Color2Embed) -> None:
    frames = torch.rand(4, 1, 32, 32) * 2 - 1
    look = model.embed(torch.rand(1, 3, 32, 32))
    together = model(frames, look)
    alone = torch.cat([model(frame[None], look) for frame in frames])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


def seen(places: Tensor, lightness: Tensor | None = None) -> Description:
    """Places whose four quarters look like the whole; all equally light, if not told."""
    quarters = nn.functional.interpolate(places, scale_factor=2)
    dark = torch.zeros_like(quarters[:, :1])
    return Description.of(places, quarters, dark if lightness is None else lightness)


def test_every_quarter_of_a_place_finds_its_own_colour() -> None:
    """Also where the frame is moved by a quarter, so that no place of it is one of the reference."""
    memory = random_model().pffn.memory
    assert memory is not None
    memory.log_close_sharpness.fill_(math.log(2000))
    torch.manual_seed(4)
    quarters, colours = torch.randn(1, TINY.memory, 8, 18), torch.rand(1, 2, 8, 18)

    def view(left: int) -> Description:
        part = quarters[..., left : left + 16]
        return Description.of(
            nn.functional.avg_pool2d(part, 2), part, torch.zeros_like(part[:, :1])
        )

    ab = nn.functional.interpolate(colours[..., :16], scale_factor=4)
    known = memory.remember(view(0), torch.zeros(1, memory.value.in_channels, 4, 8), ab)
    torch.testing.assert_close(memory.look_up(view(0), known).quarters, colours[..., :16])
    moved = memory.look_up(view(1), known).quarters
    torch.testing.assert_close(moved[..., :-1], colours[..., 1:16])


def test_of_like_quarters_the_one_as_light_is_found() -> None:
    """Everything looks the same but for lightness, which tells the two colours apart."""
    memory = random_model().pffn.memory
    assert memory is not None
    same = torch.ones(1, TINY.memory, 8, 8)
    lightness = torch.where(torch.arange(16) % 2 == 0, -0.8, 0.6).expand(1, 1, 16, 16)
    ab = torch.cat((lightness, -lightness), dim=1)
    nothing = torch.zeros(1, memory.value.in_channels, 8, 8)
    known = memory.remember(seen(same, lightness), nothing, ab)
    swapped = lightness.flip(3)
    found = memory.look_up(seen(same, swapped), known).quarters
    torch.testing.assert_close(found, torch.cat((swapped, -swapped), dim=1))


def test_what_lies_at_its_corners_tells_like_places_apart() -> None:
    memory = random_model().pffn.memory
    assert memory is not None
    torch.manual_seed(5)
    around = torch.randn(1, TINY.memory, 7, 7)
    around[..., 3, 3] = 1.0
    elsewhere = torch.randn_like(around)
    elsewhere[..., 3, 3] = 1.0
    nothing, ab = torch.zeros(1, memory.value.in_channels, 7, 7), torch.zeros(1, 2, 56, 56)
    known = memory.remember(seen(around), nothing, ab)
    centre = 3 * 7 + 3
    same, other = (memory.cosines(seen(p), known)[0, centre, centre] for p in (around, elsewhere))
    torch.testing.assert_close(same, torch.tensor(1.0))
    assert other < 0.8


def test_memory_finds_the_place_it_was_made_of(model: Color2Embed) -> None:
    """Looking up what the reference itself shows finds every place with similarity 1."""
    assert model.pffn.memory is not None
    described = model.pffn.memory.describe(model.read(torch.rand(1, 1, 32, 40) * 2 - 1))
    memory = model.pffn.memory.remember(
        described,
        torch.randn(1, model.pffn.memory.value.in_channels, *described.places.shape[2:]),
        torch.rand(1, 2, 32, 48),
    )
    found = model.pffn.memory.look_up(described, memory)
    torch.testing.assert_close(found.similarity, torch.ones(1, 1, 4, 6))
    assert memory.keys.shape == (1, 5 * TINY.memory, 24)


def test_what_lies_around_tells_like_places_apart(model: Color2Embed) -> None:
    """The same features at 1/8 are described otherwise where those at 1/16 differ."""
    assert model.pffn.memory is not None
    lightness, (*near, wide) = model.read(torch.zeros(1, 1, 64, 64))
    other = torch.cat((wide[..., :2], -wide[..., 2:]), dim=3)
    plain, told = (
        model.pffn.memory.describe(Content(lightness, [*near, w])).places for w in (wide, other)
    )
    torch.testing.assert_close(told[..., :2], plain[..., :2])
    assert (told - plain)[..., 6:].abs().max() > 1e-3


def test_of_like_places_the_nearer_is_the_same_where_nothing_moved(model: Color2Embed) -> None:
    memory = model.pffn.memory
    assert memory is not None
    torch.manual_seed(1)
    half = torch.randn(1, TINY.memory, 8, 8)
    twins = torch.cat((half, half), dim=3)
    ab = torch.cat((torch.ones(1, 2, 64, 64), -torch.ones(1, 2, 64, 64)), dim=3)
    known = memory.remember(seen(twins), torch.zeros(1, memory.value.in_channels, 8, 16), ab)
    a = memory.look_up(seen(twins), known).values[0, 0]
    assert a[:, :7].min() > 0.9
    assert a[:, 9:].max() < -0.9
    right = seen(twins[:, :, :, 2:])  # the camera goes there
    panned = memory.look_up(right, known).values[0, 0]
    assert panned[:, :5].min() > 0.9
    assert panned[:, 7:].max() < -0.9
    # Strewn at random, little says which of the two is meant.
    strewn = twins.flatten(2)[:, :, torch.randperm(128)].view_as(twins)
    assert memory.look_up(seen(strewn), known).values[0, 0].abs().mean() < 0.7


def test_found_colours_are_kept_as_far_as_they_are_believed() -> None:
    detail = torch.tensor([0.1, -0.1]).repeat(24).expand(1, 2, 32, 48)
    values, similarity = torch.full((1, 10, 4, 6), -0.2), torch.ones(1, 1, 4, 6)
    for believed in (1.0, 0.5, 0.0):
        quarters = torch.full((1, 2, 8, 12), -0.2)
        found = MemoryLookup(values, similarity, torch.full((1, 1, 1, 1), believed), quarters)
        settled = settle(0.3 + detail, found)
        torch.testing.assert_close(settled - detail, torch.full_like(detail, 0.3 - believed * 0.5))


def test_what_does_not_find_back_is_not_believed_and_takes_the_mean_of_many(
    model: Color2Embed,
) -> None:
    memory = model.pffn.memory
    assert memory is not None
    torch.manual_seed(2)
    described = torch.randn(1, TINY.memory, 12, 12)
    nothing = torch.zeros(1, memory.value.in_channels, 12, 12)
    known = memory.remember(seen(described), nothing, torch.rand(1, 2, 96, 96))
    own, strange = (
        memory.look_up(seen(asked), known) for asked in (described, torch.randn_like(described))
    )
    assert own.believed.item() == 1
    assert strange.believed.item() < 0.9
    assert own.values[0, 0].std() > 1.1 * strange.values[0, 0].std()


def test_where_nothing_finds_back_no_place_is_expected(model: Color2Embed) -> None:
    memory = model.pffn.memory
    assert memory is not None
    known = model.embed(torch.rand(1, 3, 48, 64)).memory
    assert known is not None
    nobody = torch.zeros(1, TINY.memory, 5, 7)
    assert memory.look_up(seen(nobody), known).values.isfinite().all()
    several = seen(torch.randn(2, *nobody.shape[1:]))
    assert memory.look_up(several, known).values.isfinite().all()


def test_two_references_are_one_longer_memory(model: Color2Embed) -> None:
    first, second = (model.embed(torch.rand(1, 3, 32, 32)).memory for _ in range(2))
    assert first is not None
    assert second is not None
    joined = Memory.join([first, second])
    assert joined.keys.shape[2] == first.keys.shape[2] + second.keys.shape[2]
    silenced = Memory.join([first, second._replace(bias=second.bias - 1e9)])
    assert model.pffn.memory is not None
    # Half of what each knows, so that the silenced one would be found and believed.
    places = torch.cat((first.keys[..., :8], second.keys[..., 8:]), 2).view(1, -1, 4, 4)
    half = seen(torch.randn(1, TINY.memory, 4, 4))._replace(places=places)
    one = model.pffn.memory.look_up(half, first)
    for part, other in zip(one, model.pffn.memory.look_up(half, silenced), strict=True):
        torch.testing.assert_close(part, other)


def test_stacked_memories_of_unlike_lengths_stay_themselves(model: Color2Embed) -> None:
    small = model.embed(torch.rand(1, 3, 16, 32)).memory
    large = model.embed(torch.rand(1, 3, 32, 32)).memory
    assert small is not None
    assert large is not None
    assert model.pffn.memory is not None
    places = torch.randn(2, TINY.memory, 4, 4)
    stacked = model.pffn.memory.look_up(seen(places), Memory.stack([small, large]))
    for i, memory in enumerate((small, large)):
        alone = model.pffn.memory.look_up(seen(places[i : i + 1]), memory)
        for part, other in zip(stacked, alone, strict=True):
            torch.testing.assert_close(part[i], other[0])


def test_trust_zero_paints_from_the_embedding_alone(model: Color2Embed) -> None:
    frame = torch.rand(1, 1, 32, 32) * 2 - 1
    look = model.embed(torch.rand(1, 3, 32, 32))
    features = model.read(frame)
    silent = model.paint(features, look, torch.zeros(1))
    assert (model.paint(features, look) - silent).abs().max() > 1e-4
    other = Look(look.z, model.embed(torch.rand(1, 3, 32, 32)).memory)
    torch.testing.assert_close(model.paint(features, other, torch.zeros(1)), silent)


def test_folded_batch_norms_change_nothing() -> None:
    model = random_model()
    frame, reference = torch.rand(1, 1, 32, 32) * 2 - 1, torch.rand(1, 3, 32, 32)
    before = model(frame, model.embed(reference))
    folded = fold_batch_norms(model)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    torch.testing.assert_close(folded(frame, folded.embed(reference)), before, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("wrong", [{"width": 30}, {"width": 0}, {"embedding": 0}, {"memory": -1}])
def test_config_refuses_nonsense(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="got"):
        ModelConfig(**wrong)


def test_similarity_is_the_share_of_places_that_find_back() -> None:
    """A frame finds itself whole, wherever its parts are moved; of another picture only what chance
    makes each other's nearest, about half at the most."""
    memory = random_model().pffn.memory
    assert memory is not None
    torch.manual_seed(3)
    described = seen(torch.randn(1, TINY.memory, 12, 16))
    nothing, ab = torch.zeros(1, memory.value.in_channels, 12, 16), torch.zeros(1, 2, 96, 128)
    known = memory.remember(described, nothing, ab)
    shuffled = known._replace(keys=known.keys[:, :, torch.randperm(192)])
    stranger = seen(torch.randn(1, TINY.memory, 12, 16))
    assert memory.similarity(described, known).item() == 1
    assert memory.similarity(described, shuffled).item() == 1
    assert memory.similarity(stranger, known).item() < 0.6
