"""The semantic encoder: features of what a gray picture shows (skin, sky, grass).

It predicts the features of an image classifier (VGG, layers relu4_3 and relu5_2, reduced by PCA) from
lightness alone. The classifier is needed in training only (:mod:`c2e_video.train.distill`). Cells of
different pictures are compared by the cosine of these features.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .fuse import plus_body


class SemanticFeatures(NamedTuple):
    """``fine`` ``[N, 64, h, w]`` at 1/8 and ``coarse`` ``[N, 160, h/2, w/2]`` at 1/16, of any length."""

    fine: Tensor
    coarse: Tensor


class SemanticBlock(nn.Module):
    """Two 3x3 convolutions with batch norm, added to their input (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu_(plus_body(x, self.body))


def _downsample(channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, out_channels, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


class SemanticEncoder(nn.Module):
    """Lightness ``[N, 1, H, W]`` in [-1, 1] (H, W multiples of 16) to :class:`SemanticFeatures`.

    ``width`` is the channel count at 1/4; the features at 1/16 and 1/32 have four times as many.
    """

    FINE, COARSE = 64, 160
    dim = FINE + COARSE

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        w = width
        # The first convolution reads the picture as four half-size planes: cheap at full size.
        self.fourth = nn.Sequential(nn.PixelUnshuffle(2), _downsample(4, w), SemanticBlock(w))
        self.eighth = nn.Sequential(
            _downsample(w, 2 * w), SemanticBlock(2 * w), SemanticBlock(2 * w)
        )
        self.sixteenth = nn.Sequential(
            _downsample(2 * w, 4 * w), *(SemanticBlock(4 * w) for _ in range(3))
        )
        self.context = nn.Sequential(
            _downsample(4 * w, 4 * w), SemanticBlock(4 * w), SemanticBlock(4 * w)
        )
        self.fine = nn.Conv2d(2 * w + 4 * w, self.FINE, 1)
        self.coarse = nn.Conv2d(4 * w + 4 * w, self.COARSE, 1)

    def forward(self, lightness: Tensor) -> SemanticFeatures:
        eighth = self.eighth(self.fourth(lightness))
        sixteenth = self.sixteenth(eighth)
        context = _enlarged(self.context(sixteenth), sixteenth)
        coarse = self.coarse(torch.cat((sixteenth, context), dim=1))
        fine = self.fine(torch.cat((eighth, _enlarged(sixteenth, eighth)), dim=1))
        return SemanticFeatures(cast(Tensor, fine), cast(Tensor, coarse))


def _enlarged(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)
