"""The two losses of the paper (section 3.4), and the memory's own."""

from __future__ import annotations

import math
from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from ..color.lab import AB_SCALE
from ..errors import BadWeights
from .augment import FAR, places_of

# Convolution widths up to relu5_2; "M" halves the size. Layer numbers are torchvision's.
VGG16 = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512)
VGG19 = (64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512, 512)


WIDEST = (
    8.0  # more than warp and zoom stretch one place of the reference: four places of the picture
)


def reconstruction_loss(ab: Tensor, truth: Tensor) -> Tensor:
    """Smooth L1 with its knee at one ab unit (paper eq. 8), the mean over places.

    Both are ab / 110; so is the result, which keeps it of the perceptual loss's order. On ab / 110
    itself a knee at 1 would never be reached, and a squared loss averages colours into brown.
    """
    return F.smooth_l1_loss(ab, truth, beta=1 / AB_SCALE)


def matching_loss(scores: Tensor, correspondence: Tensor) -> Tensor:
    """Cross entropy of the look-up with where each place of the picture lies in its reference.

    ``scores`` ``[N, P, M]``: the sharpened cosines of the picture's P places and its reference's M,
    without what the look-up adds to them. ``correspondence`` ``[N, 2, S, S]`` (:class:`~.augment.Example`).
    Wanted is a Gaussian about a place wide around the true one; the mean is over the places that the
    reference shows. Trained through colours alone, keys learn only to tell one picture's colours apart.
    """
    side = math.isqrt(scores.shape[1])
    here = places_of(side, scores.device).flatten(2).transpose(1, 2)
    come_from = _whole_places(correspondence, side).flatten(2).transpose(1, 2)
    distance = torch.cdist(here, come_from) * (side / 2)
    wanted = (-2 * distance.square()).softmax(-1)
    shown = distance.amin(2) < 1
    entropy = -(wanted * scores.float().log_softmax(-1)).sum(-1)
    return (entropy * shown).sum() / shown.sum().clamp_min(1)


def _whole_places(correspondence: Tensor, side: int) -> Tensor:
    """The origins of ``side`` by ``side`` places; far outside for one torn by the outline of a thing."""
    highest = F.adaptive_max_pool2d(correspondence, side)
    lowest = -F.adaptive_max_pool2d(-correspondence, side)
    torn = (highest - lowest).amax(1, keepdim=True) > WIDEST / side
    return F.adaptive_avg_pool2d(correspondence, side).masked_fill(torn, FAR)


class PerceptualLoss(nn.Module):
    """L1 between VGG features at relu5_2 (paper eq. 9), the mean over features.

    ``path`` is a safetensors file with torchvision's names ``features.N.weight``,
    of VGG-16 or VGG-19; None takes torchvision's published VGG-19, if torchvision is installed and
    the network can be reached. Pictures are RGB ``[N, 3, H, W]`` in [0, 1].
    """

    mean: Tensor
    std: Tensor

    def __init__(self, path: Path | None) -> None:
        super().__init__()
        state = _read_state(path) if path else _torchvision_state()
        # VGG-16's fourth convolution of 256 channels is missing: features.16 is its pooling.
        self.kind = "VGG-19" if "features.16.weight" in state else "VGG-16"
        self.features = _vgg(VGG19 if self.kind == "VGG-19" else VGG16)
        wanted = self.features.state_dict()
        found = {name: state.get(f"features.{name}") for name in wanted}
        for name, tensor in found.items():
            if tensor is None or tensor.shape != wanted[name].shape:
                raise BadWeights(
                    f"{path}: features.{name} is missing or of another shape than {self.kind}'s"
                )
        self.features.load_state_dict(cast(dict[str, Tensor], found))
        self.requires_grad_(False).eval()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))

    def forward(self, predicted: Tensor, truth: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = self.features((truth - self.mean) / self.std)
        return F.l1_loss(self.features((predicted - self.mean) / self.std), wanted)


def _vgg(layout: tuple[int | str, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    channels = 3
    for width in layout:
        if isinstance(width, str):
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
            channels = width
    return nn.Sequential(*layers)


def _read_state(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise BadWeights(
            f"no VGG weights at {str(path)!r}; give a .safetensors file of VGG-16 or VGG-19"
        )
    try:
        return {name: tensor.float() for name, tensor in load_file(path).items()}
    except Exception as error:
        raise BadWeights(f"{str(path)!r} is not a safetensors file: {error}") from None


def _torchvision_state() -> dict[str, Tensor]:
    try:
        from torchvision.models import VGG19_Weights
    except ImportError:
        raise BadWeights(
            "the perceptual loss needs VGG weights: install torchvision, which fetches them; or give "
            "vgg=…, such as model.safetensors of timm/vgg19.tv_in1k on the Hugging Face Hub; or train "
            "without it: perceptual_weight=0"
        ) from None
    return cast(dict[str, Tensor], VGG19_Weights.IMAGENET1K_V1.get_state_dict(progress=True))
