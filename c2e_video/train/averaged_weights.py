"""The exponential moving average of the weights, which is what a run is used for."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, step: int, decay: float) -> None:
    """Move ``average`` toward ``model``: ``average = d * average + (1 - d) * model``.

    ``d`` is the smaller of ``decay`` and (1 + step) / (10 + step): the first steps, whose weights are far
    from good, lose their share soon. Integer buffers are copied.
    """
    decay = min(decay, (1 + step) / (10 + step))
    for mean, value in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)
