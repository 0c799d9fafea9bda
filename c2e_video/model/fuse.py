"""How the network lies in memory: channels last, and batch norms folded into convolutions."""

from __future__ import annotations

import torch
from torch import nn
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
