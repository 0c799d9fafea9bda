"""LPIPS: perceptual distance of two pictures, computed from features of AlexNet.

Zhang, Isola, Efros, Shechtman and Wang, "The unreasonable effectiveness of deep features as a
perceptual metric", CVPR 2018; version 0.1, AlexNet with trained heads. The weights are not part of
this package: their path is given.

Pictures are scaled to [-1, 1], as in the training of the measure. ColorMNet's public script passes 0 to 255
unscaled, which gives far smaller figures: its table's LPIPS cannot be compared with these.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ..errors import BadWeights

_TAPS = (1, 4, 7, 9, 11)  # the layers of `features` that end in a rectifier
_CHANNELS = (64, 192, 384, 256, 256)
_MEAN = (-0.030, -0.088, -0.188)  # of R, G, B in [-1, 1]
_SPREAD = (0.458, 0.448, 0.450)


def _alexnet() -> nn.Sequential:
    """The convolutions of AlexNet (Krizhevsky 2014, "One weird trick"), with their usual numbers."""
    return nn.Sequential(
        nn.Conv2d(3, 64, 11, stride=4, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1),
        nn.ReLU(),
    )


class Lpips(nn.Module):
    """The measure with its weights: ``Lpips.load(path)``, then :meth:`distances`."""

    mean: Tensor
    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.features = _alexnet()
        self.heads = nn.ModuleList(nn.Conv2d(c, 1, 1, bias=False) for c in _CHANNELS)
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(_SPREAD).view(1, 3, 1, 1), persistent=False)

    @classmethod
    def load(cls, path: Path, device: str | torch.device = "cpu") -> Lpips:
        """Read safetensors with ``features.N.weight|bias`` and ``linN.model.1.weight``.

        Any float dtype; computed in float32. Raises ``BadWeights``.
        """
        try:
            found = load_file(path)
        except (OSError, SafetensorError) as error:
            raise BadWeights(
                f"{path}: not a readable safetensors file with LPIPS weights ({error})"
            ) from error
        measure = cls()
        wanted = measure.state_dict()
        for name, tensor in wanted.items():
            stored = found.get(_name_in_file(name))
            if stored is None or stored.shape != tensor.shape:
                raise BadWeights(
                    f"{path}: {_name_in_file(name)} is "
                    f"{'missing' if stored is None else tuple(stored.shape)}, not "
                    f"{tuple(tensor.shape)}; LPIPS 0.1 with AlexNet features and heads is needed"
                )
            wanted[name] = stored.float()
        measure.load_state_dict(wanted)
        return measure.to(device).eval()

    @torch.inference_mode()
    def distances(
        self, truth: npt.NDArray[np.uint8], predictions: Sequence[npt.NDArray[np.uint8]]
    ) -> list[float]:
        """The distance of each picture from the truth, all R'G'B' uint8 ``[H, W, 3]``.

        For each tap the features are made unit length over the channels, their squared
        differences weighted by the head and averaged over all positions; the taps' values are added.
        Sides of at least 32.
        """
        pictures = torch.from_numpy(np.stack([truth, *predictions])).to(self.mean.device)
        x = (pictures.permute(0, 3, 1, 2).float() / 127.5 - 1 - self.mean) / self.spread
        total = x.new_zeros(len(predictions))
        heads = iter(self.heads)
        for number, layer in enumerate(self.features):
            x = layer(x)
            if number in _TAPS:
                unit = x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10)
                total += next(heads)((unit[1:] - unit[:1]).square()).mean((1, 2, 3))
        return [float(distance) for distance in total]


def _name_in_file(name: str) -> str:
    """``heads.2.weight`` is stored as ``lin2.model.1.weight``."""
    part, number, kind = name.split(".")
    return f"lin{number}.model.1.{kind}" if part == "heads" else name
