"""The color encoder: the reference in, the color embedding z out (paper eq. 1).

The authors went on from VGG-19; this trunk is trained from scratch, so that the weights carry no
terms but those of the photographs.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from .config import ModelConfig
from .content_encoder import SLOPE


class ColorFeatures(NamedTuple):
    """``embedding`` z ``[N, E]`` and the trunk's ``features`` at 1/8, ``[N, C, H/8, W/8]``."""

    embedding: Tensor
    features: Tensor


class ColorBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut; the first may halve the size."""

    def __init__(self, channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, out_channels, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        plain = channels == out_channels and stride == 1
        self.shortcut = (
            nn.Identity()
            if plain
            else nn.Sequential(nn.AvgPool2d(stride), nn.Conv2d(channels, out_channels, 1))
        )
        self.activation = nn.LeakyReLU(SLOPE, inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.activation(self.body(x) + self.shortcut(x)))


class ColorEncoder(nn.Module):
    """Reference RGB ``[N, 3, H, W]`` in [0, 1] (H, W multiples of 16) to :class:`ColorFeatures`."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        c2, c4, c8, c16 = config.color_channels
        self.trunk = nn.Sequential(
            nn.Conv2d(3, c2, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(c2),
            nn.LeakyReLU(SLOPE, inplace=True),
            ColorBlock(c2, c4, stride=2),
            ColorBlock(c4, c4, stride=1),
            ColorBlock(c4, c8, stride=2),
            ColorBlock(c8, c8, stride=1),
        )
        self.top = nn.Sequential(ColorBlock(c8, c16, stride=2), ColorBlock(c16, c16, stride=1))
        # The mean says how much there is of a colour, the maximum that it is there at all.
        self.mlp = nn.Sequential(
            nn.Linear(2 * c16, config.embedding),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Linear(config.embedding, config.embedding),
        )

    def forward(self, rgb: Tensor) -> ColorFeatures:
        features = self.trunk(2 * rgb - 1)
        top = self.top(features)
        pool_to = torch.cat((top.mean((2, 3)), top.amax((2, 3))), dim=1)
        return ColorFeatures(self.mlp(pool_to), features)
