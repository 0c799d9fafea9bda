"""The content encoder: gray frame in, features at five scales out (paper section 3.1, eq. 2)."""

from __future__ import annotations

from itertools import pairwise
from math import sqrt
from typing import NamedTuple

from torch import Tensor, nn

from .config import ModelConfig
from .fuse import plus_body

SLOPE = 0.2  # of every leaky ReLU in the network


class Content(NamedTuple):
    """Gray frames as they were read: ``lightness`` ``[N, 1, H, W]`` in [-1, 1], and ``features`` of it.

    Features are at 1, 1/2, 1/4, 1/8 and 1/16 of H and W, which are multiples of 16. ``semantic`` are the
    semantic keys at 1/8, where the network has such.
    """

    lightness: Tensor
    features: list[Tensor]
    semantic: Tensor | None = None


class ResidualBlock(nn.Module):
    """1x1 to the new channels, then two 3x3 convolutions added to it, over the square root of two."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.widen = nn.Conv2d(channels, out_channels, 1)
        self.body = nn.Sequential(
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.widen(x)
        return plus_body(x, self.body) * (1 / sqrt(2))


class ContentStage(nn.Sequential):
    """Half the size by a 4x4 convolution that keeps the channels, then a residual block."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__(
            nn.Conv2d(channels, channels, 4, stride=2, padding=1),
            nn.LeakyReLU(SLOPE, inplace=True),
            ResidualBlock(channels, out_channels),
            nn.LeakyReLU(SLOPE, inplace=True),
        )


class ContentEncoder(nn.Module):
    """Lightness ``[N, 1, H, W]`` in [-1, 1] to features at 1, 1/2, 1/4, 1/8 and 1/16.

    H and W are multiples of 16.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        channels = config.content_channels
        self.stem = nn.Sequential(
            nn.Conv2d(1, channels[0], 3, padding=1, bias=False),
            nn.BatchNorm2d(channels[0]),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Conv2d(channels[0], channels[0], 3, padding=1, bias=False),
            nn.BatchNorm2d(channels[0]),
            nn.LeakyReLU(SLOPE, inplace=True),
        )
        self.stages = nn.ModuleList(ContentStage(a, b) for a, b in pairwise(channels))

    def forward(self, lightness: Tensor) -> list[Tensor]:
        features = [self.stem(lightness)]
        for stage in self.stages:
            features.append(stage(features[-1]))
        return features
