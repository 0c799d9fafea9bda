"""The Progressive Feature Formalisation Network (paper sections 3.1 and 3.3)."""

from __future__ import annotations

from math import sqrt
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .color_memory import ColorMemory
from .config import ModelConfig
from .content_encoder import SLOPE
from .fuse import activated, plus_conv

EPSILON = 1e-8  # paper eq. 5
SKIP = 4  # every fourth content channel is joined to the upsampled features


class ModulatedConv(nn.Module):
    """A convolution whose weights depend on the color embedding (paper eq. 4 to 7).

    ``w' = w * s * FLinear(z)`` scales the input channels; ``w'' = w' / sqrt(sum w'^2 + eps)`` takes
    the length out again, for every output channel over its inputs and its kernel. (The paper says
    "except from the input feature dimension"; taken by the letter, a norm for every *input*
    channel, it would divide FLinear(z) away, so the sum is StyleGAN2's, which the paper builds on.)
    """

    def __init__(self, channels: int, kernel: int, embedding: int) -> None:
        super().__init__()
        self.scale = 1 / sqrt(channels)
        self.weight = nn.Parameter(
            torch.randn(channels, channels, kernel, kernel) / (sqrt(channels) * kernel)
        )
        self.bias = nn.Parameter(torch.zeros(channels))
        self.linear = nn.Linear(embedding, channels)
        nn.init.ones_(self.linear.bias)  # an untrained embedding leaves every channel as it is
        self.padding = kernel // 2

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """Features ``[N, C, H, W]`` with one embedding each, ``[N, E]``.

        The form for training and for embeddings that change from frame to frame: inputs scaled,
        one shared convolution, outputs scaled back. Equal to :meth:`baked` for a single z.
        """
        modulation = self.scale * self.linear(z)
        # sum over inputs and kernel of (w * m)^2, without building a weight for each sample
        energy = modulation.square() @ self.weight.square().sum((2, 3)).t()
        norm = torch.rsqrt(energy + EPSILON)
        x = F.conv2d(x * modulation[:, :, None, None], self.weight, padding=self.padding)
        return x * norm[:, :, None, None] + self.bias[:, None, None]

    def baked(self, z: Tensor) -> nn.Conv2d:
        """The plain convolution this one is for the embedding ``[E]``: baked once for a shot."""
        weight = self.weight * (self.scale * self.linear(z[None])).view(1, -1, 1, 1)
        weight = weight * torch.rsqrt(weight.square().sum((1, 2, 3), keepdim=True) + EPSILON)
        channels, kernel = weight.shape[0], weight.shape[2]
        conv = nn.Conv2d(channels, channels, kernel, padding=self.padding, device="meta")
        conv.weight = nn.Parameter(weight.detach(), requires_grad=False)
        conv.bias = nn.Parameter(self.bias.detach(), requires_grad=False)
        return conv


class PFFB(nn.Module):
    """Double the size, join with the content features of that scale, modulate by z."""

    def __init__(self, channels: int, skip: int, out: int, kernel: int, embedding: int) -> None:
        super().__init__()
        self.join = nn.Sequential(
            nn.Conv2d(channels + skip // SKIP, out, 1),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Conv2d(out, out, 3, padding=1),
            nn.LeakyReLU(SLOPE, inplace=True),
        )
        self.modulated = ModulatedConv(out, kernel, embedding)
        self.activation = nn.LeakyReLU(SLOPE, inplace=True)
        self.shortcut = nn.Conv2d(channels, out, 1)

    def forward(self, x: Tensor, content: Tensor, style: Tensor | nn.Conv2d) -> Tensor:
        """``style`` is z ``[N, E]``, or the modulated convolution baked for one z."""
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        joined = self.join(torch.cat((x, _every_fourth(content)), dim=1))
        if isinstance(style, Tensor):
            modulated = self.activation(self.modulated(joined, style))
        else:
            modulated = activated(style, joined, SLOPE)
        return plus_conv(modulated, self.shortcut, x)


class _EveryFourth(torch.autograd.Function):
    """Every fourth channel. Its gradient is laid out channels-last, as every other one of the network.

    The gradient of a slice is laid out plane by plane; joined with the others, each sum is a slow copy.
    """

    @staticmethod
    def forward(ctx: Any, content: Tensor) -> Tensor:
        ctx.channels = content.shape[1]
        return content[:, ::SKIP]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        n, _, h, w = gradient.shape
        whole = gradient.new_zeros((n, h, w, ctx.channels)).permute(0, 3, 1, 2)
        whole[:, ::SKIP] = gradient
        return whole


def _every_fourth(content: Tensor) -> Tensor:
    # A slice where nothing is trained: it can be traced and exported.
    if not content.requires_grad:
        return content[:, ::SKIP]
    return cast(Tensor, _EveryFourth.apply(content))  # type: ignore[no-untyped-call]


class PFFN(nn.Module):
    """Content features and the embedding in, ab / 110 in [-1, 1] out."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        w = config.width
        content = config.content_channels
        inputs = (content[4], 4 * w, 2 * w, w)
        outputs = (4 * w, 2 * w, w, w)
        self.blocks = nn.ModuleList(
            PFFB(channels, skip, out, kernel, config.embedding)
            for channels, skip, out, kernel in zip(
                inputs, content[3::-1], outputs, (3, 3, 5, 5), strict=True
            )
        )
        self.memory = ColorMemory(config) if config.memory else None
        self.head = nn.Sequential(
            nn.Conv2d(w, w, 3, padding=1),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Conv2d(w, 2, 3, padding=1),
            nn.Tanh(),
        )

    def bake(self, z: Tensor) -> list[nn.Conv2d]:
        """The blocks' modulated convolutions for one embedding ``[E]``, as plain ones."""
        return [cast(PFFB, block).modulated.baked(z) for block in self.blocks]

    def forward(
        self,
        features: list[Tensor],
        style: Tensor | list[nn.Conv2d],
        added: Tensor | None = None,
    ) -> Tensor:
        """``features`` are the content encoder's five scales; ``style`` is z ``[N, E]`` or baked.

        ``added`` ``[N, 4 * width, h, w]`` at 1/8 is what the memories gave for these frames.
        """
        *skips, x = features
        styles = [style] * len(self.blocks) if isinstance(style, Tensor) else style
        levels = zip(self.blocks, reversed(skips), styles, strict=True)
        for index, (block, skip, style_here) in enumerate(levels):
            x = block(x, skip, style_here)
            if index == 0 and added is not None:
                x = x + added
        # Two whole planes: pooled, enlarged or averaged as pairs they take a CPU several times as long.
        return cast(Tensor, self.head(x).contiguous())
