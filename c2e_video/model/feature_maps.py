"""Places of planes ``[N, C, h, w]``: where they lie, what is around them, means over more of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def pool_to(planes: Tensor, like: Tensor) -> Tensor:
    """Means of ``planes`` over as many places as ``like`` has."""
    return F.adaptive_avg_pool2d(planes, (like.shape[2], like.shape[3]))


def shifted_views(planes: Tensor, steps: Iterable[int]) -> list[Tensor]:
    """``planes`` ``[N, C, h, w]`` seen from each pair of ``steps`` down and across; -1 is up, or left.

    What lies beyond the border is what lies at it.
    """
    h, w = planes.shape[2:]
    steps = list(steps)
    reach = max(map(abs, steps))
    wider = F.pad(planes, (reach,) * 4, mode="replicate")
    starts = [reach + step for step in steps]
    return [wider[:, :, y : y + h, x : x + w] for y in starts for x in starts]


def grid_positions(size: Sequence[int], device: torch.device) -> Tensor:
    """Every place of ``h`` by ``w``, down and across: fp32 shares of the sides, ``[2, h*w]``."""
    h, w = size
    y, x = ((torch.arange(n, device=device) + 0.5) / n for n in (h, w))
    return torch.stack((y.repeat_interleave(w), x.repeat(h)))
