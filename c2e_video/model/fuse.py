"""How the network computes: channels last, batch norms folded into convolutions, activations within them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ..utils.devices import Module


@torch.no_grad()
def fold_batch_norms(model: Module) -> Module:
    """Fold every convolution directly followed by a batch norm in an ``nn.Sequential``, in place.

    ``model`` is in evaluation mode; its state dict no longer fits a weights file afterwards.
    """
    for sequence in [m for m in model.modules() if isinstance(m, nn.Sequential)]:
        for i in range(len(sequence) - 1):
            conv, norm = sequence[i], sequence[i + 1]
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                sequence[i] = fuse_conv_bn_eval(conv, norm)
                sequence[i + 1] = nn.Identity()
    return model


def fuse_activations(model: Module) -> Module:
    """Join every convolution of an ``nn.Sequential`` with the ReLU or leaky ReLU after it, in place.

    Batch norms are folded before (:func:`fold_batch_norms`). For inference only.
    """
    for sequence in [m for m in model.modules() if isinstance(m, nn.Sequential)]:
        last: int | None = None
        for i, layer in enumerate(sequence):
            if isinstance(layer, nn.Conv2d):
                last = i
            elif isinstance(layer, (nn.ReLU, nn.LeakyReLU)) and last is not None:
                conv = sequence[last]
                assert isinstance(conv, nn.Conv2d)
                sequence[last], sequence[i] = ActivatedConv(conv, layer), nn.Identity()
                last = None
            elif not isinstance(layer, nn.Identity):
                last = None
    return model


class ActivatedConv(nn.Module):
    """A convolution with its activation, for inference: see :func:`activated`."""

    def __init__(self, conv: nn.Conv2d, activation: nn.ReLU | nn.LeakyReLU) -> None:
        super().__init__()
        self.conv = conv
        self.slope = activation.negative_slope if isinstance(activation, nn.LeakyReLU) else 0.0

    def forward(self, x: Tensor) -> Tensor:
        return activated(self.conv, x, self.slope)


def activated(conv: nn.Conv2d, x: Tensor, slope: float) -> Tensor:
    """``leaky_relu(conv(x), slope)``.

    A CPU applies the activation while the convolution's output is in its caches. As a step of its own it
    takes nearly the time of a convolution, since it reads and writes the whole output.
    """
    if not _is_fused(x):
        return F.leaky_relu_(conv(x), slope) if slope else F.relu_(conv(x))
    name, numbers = ("leaky_relu", [slope]) if slope else ("relu", [])
    return cast(Tensor, _onednn()._convolution_pointwise(x, *_described(conv), name, numbers, ""))


def plus_conv(other: Tensor, conv: nn.Conv2d, x: Tensor) -> Tensor:
    """``other + conv(x)``; on a CPU in one step, as in :func:`activated`."""
    if not _is_fused(x):
        return other + cast(Tensor, conv(x))
    how: tuple[Any, ...] = ("add", 1.0, None, [], None)
    return cast(Tensor, _onednn()._convolution_pointwise.binary(x, other, *_described(conv), *how))


def plus_body(x: Tensor, body: nn.Sequential) -> Tensor:
    """``x + body(x)``; see :func:`plus_conv`."""
    *first, last = (layer for layer in body if not isinstance(layer, nn.Identity))
    inside = x
    for layer in first:
        inside = layer(inside)
    return plus_conv(x, last, inside) if isinstance(last, nn.Conv2d) else x + last(inside)


def _onednn() -> Any:
    return torch.ops.mkldnn


def _described(conv: nn.Conv2d) -> tuple[Any, ...]:
    sizes = (list(conv.padding), list(conv.stride), list(conv.dilation))
    return conv.weight, conv.bias, *sizes, conv.groups


def _is_fused(x: Tensor) -> bool:
    """Whether oneDNN computes a convolution of ``x`` with what follows: in inference, on a CPU."""
    return (
        x.device.type == "cpu"
        and torch.is_inference_mode_enabled()
        and bool(torch.backends.mkldnn.enabled)
        and x.dtype in _fused_dtypes()
    )


@lru_cache(maxsize=1)
def _fused_dtypes() -> tuple[torch.dtype, ...]:
    """The number formats in which this build and CPU can; PyTorch's compiler uses the same functions."""
    if not (torch.backends.mkldnn.is_available() and hasattr(_onednn(), "_convolution_pointwise")):  # type: ignore[no-untyped-call]
        return ()
    if _onednn()._is_mkldnn_bf16_supported():
        return torch.float32, torch.bfloat16
    return (torch.float32,)
