"""The network: the paper's size, its modulation, any frame size."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from c2e_video.model import Color2Embed, Conditioning, ModelConfig
from c2e_video.model.content_encoder import ResidualBlock
from c2e_video.model.fuse import fold_batch_norms, fuse_activations
from c2e_video.model.pffn import EPSILON, SKIP, ModulatedConv, _every_fourth
from c2e_video.model.semantic_encoder import SemanticBlock
from c2e_video.utils.devices import channels_last
from tests.factories import TINY, random_model


@pytest.fixture(scope="module")
def model() -> Color2Embed:
    return random_model()


def test_width_64_is_the_papers_network() -> None:
    model = Color2Embed(ModelConfig()).eval()
    parts = (model.content_encoder, model.pffn)
    parameters = sum(p.numel() for part in parts for p in part.parameters())
    conditioning = Conditioning(torch.zeros(1, 512), None)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 1, 256, 256), conditioning)
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


def test_the_channels_that_skip_and_their_gradient_are_those_of_a_slice() -> None:
    content = torch.randn(2, 8, 4, 6).contiguous(memory_format=torch.channels_last)
    weights = torch.randn(2, 8 // SKIP, 4, 6)
    gradients = []
    for taken in (_every_fourth, lambda x: x[:, ::SKIP]):
        inputs = content.clone().requires_grad_()
        output = taken(inputs)
        torch.testing.assert_close(output, content[:, ::SKIP])
        (output * weights).sum().backward()
        gradients.append(inputs.grad)
    torch.testing.assert_close(*gradients)


def test_the_embedding_reaches_the_picture(model: Color2Embed) -> None:
    frame = torch.rand(1, 1, 32, 32) * 2 - 1
    one, other = (model(frame, Conditioning(torch.randn(1, 16), None)) for _ in range(2))
    assert (one - other).abs().max() > 1e-4


def test_baked_and_per_sample_forms_are_equal(model: Color2Embed) -> None:
    frames = torch.rand(3, 1, 32, 48) * 2 - 1
    conditioning = model.embed(torch.rand(1, 3, 32, 48))
    assert isinstance(conditioning.z, torch.Tensor)
    baked = model(frames, Conditioning(model.pffn.bake(conditioning.z[0]), conditioning.memory))
    each = model(frames, Conditioning(conditioning.z.expand(3, -1), conditioning.memory))
    torch.testing.assert_close(baked, each, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [(16, 16), (1, 1), (17, 31), (48, 20), (33, 64)])
def test_any_frame_size(model: Color2Embed, size: tuple[int, int]) -> None:
    conditioning = model.embed(torch.rand(1, 3, *size))
    ab = model(torch.rand(2, 1, *size) * 2 - 1, conditioning)
    assert ab.shape == (2, 2, *size)
    assert ab.abs().max() <= 1


def test_padding_leaves_whole_sizes_alone(model: Color2Embed) -> None:
    """A size that is a multiple of 16 is painted the same whether it is padded or not."""
    frame = torch.rand(1, 1, 32, 32) * 2 - 1
    conditioning = Conditioning(torch.randn(1, 16), None)
    whole = model(frame, conditioning)
    features = model.content_encoder(frame)
    torch.testing.assert_close(model.pffn(features, conditioning.z), whole)


def test_frames_do_not_depend_on_their_batch(model: Color2Embed) -> None:
    frames = torch.rand(4, 1, 32, 32) * 2 - 1
    conditioning = model.embed(torch.rand(1, 3, 32, 32))
    together = model(frames, conditioning)
    alone = torch.cat([model(frame[None], conditioning) for frame in frames])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


def test_trust_zero_paints_from_the_embedding_alone(model: Color2Embed) -> None:
    frame = torch.rand(1, 1, 32, 32) * 2 - 1
    conditioning = model.embed(torch.rand(1, 3, 32, 32))
    features = model.encode_content(frame)
    silent = model.predict_ab(features, conditioning, torch.zeros(1))
    assert (model.predict_ab(features, conditioning) - silent).abs().max() > 1e-4
    other = Conditioning(conditioning.z, model.embed(torch.rand(1, 3, 32, 32)).memory)
    torch.testing.assert_close(model.predict_ab(features, other, torch.zeros(1)), silent)


def test_folded_batch_norms_change_nothing() -> None:
    model = random_model()
    frame, reference = torch.rand(1, 1, 32, 32) * 2 - 1, torch.rand(1, 3, 32, 32)
    before = model(frame, model.embed(reference))
    folded = fold_batch_norms(model)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    torch.testing.assert_close(folded(frame, folded.embed(reference)), before, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_activations_within_convolutions_change_nothing(dtype: torch.dtype) -> None:
    if dtype == torch.bfloat16 and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        pytest.skip("this CPU has no convolutions in bf16")
    plain = fold_batch_norms(random_model(replace(TINY, semantic=8))).to(dtype)
    fused = fuse_activations(copy.deepcopy(plain))
    bodies = [m.body for m in fused.modules() if isinstance(m, (ResidualBlock, SemanticBlock))]
    assert not any(isinstance(layer, (nn.ReLU, nn.LeakyReLU)) for b in bodies for layer in b)
    tolerance = 1e-5 if dtype == torch.float32 else 0.06
    for side, lay_out in ((64, copy.deepcopy), (64, channels_last), (16, channels_last)):
        frame = (torch.rand(1, 1, side, side) * 2 - 1).to(dtype)
        z, memory = plain.embed(torch.rand(1, 3, side, side).to(dtype))
        assert isinstance(z, Tensor)
        conditioning = Conditioning(plain.pffn.bake(z[0]), memory)
        before = plain(frame, conditioning)
        with torch.inference_mode():
            after = lay_out(fused)(frame, conditioning)
        torch.testing.assert_close(after, before, rtol=0, atol=tolerance)


@pytest.mark.parametrize("wrong", [{"width": 30}, {"width": 0}, {"embedding": 0}, {"memory": -1}])
def test_config_refuses_nonsense(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="got"):
        ModelConfig(**wrong)
