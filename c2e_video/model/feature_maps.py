"""Operations on feature maps ``[N, C, h, w]``: pooling, shifted views, positions and logits of cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def pool_to(planes: Tensor, like: Tensor) -> Tensor:
    """Area means of ``planes`` at the height and width of ``like``."""
    return F.adaptive_avg_pool2d(planes, (like.shape[2], like.shape[3]))


def shifted_views(planes: Tensor, steps: Iterable[int]) -> list[Tensor]:
    """``planes`` shifted by each pair of ``steps`` (rows, columns); borders are replicated.

    Args:
        planes: ``[N, C, h, w]``.
        steps: Offsets in cells; -1 is up or left.

    Returns:
        One view ``[N, C, h, w]`` for each pair, rows first.
    """
    h, w = planes.shape[2:]
    steps = list(steps)
    reach = max(map(abs, steps))
    wider = F.pad(planes, (reach,) * 4, mode="replicate")
    starts = [reach + step for step in steps]
    return [wider[:, :, y : y + h, x : x + w] for y in starts for x in starts]


def grid_positions(size: Sequence[int], device: torch.device) -> Tensor:
    """Centres of ``h`` by ``w`` cells as (row, column) in [0, 1]: fp32 ``[2, h*w]``."""
    h, w = size
    y, x = ((torch.arange(n, device=device) + 0.5) / n for n in (h, w))
    return torch.stack((y.repeat_interleave(w), x.repeat(h)))


def cell_logits(
    cosines: Tensor, sharpness: float, penalties: Sequence[tuple[float, Tensor, Tensor]]
) -> Tensor:
    """``sharpness * cosines - factor * (row's - column's)^2 - ...``, up to a constant of each row.

    A softmax over the columns is the same without the constant. With the squares multiplied out, all
    penalties are one matrix product: two passes over all pairs instead of four for each penalty.

    Args:
        cosines: fp32 ``[N, P, M]``.
        sharpness: Their factor.
        penalties: A factor, the rows' numbers ``[N or 1, P, 1]`` and the columns' ``[N or 1, 1, M]``.

    Returns:
        The logits, ``[N, P, M]``.
    """
    factors = torch.tensor([factor for factor, _, _ in penalties], device=cosines.device)
    rows = _joined([row for _, row, _ in penalties], 2)
    columns = _joined([column for _, _, column in penalties], 1)
    constant = factors @ columns.square()
    product = (2 * factors * rows) @ columns - constant[:, None]
    return torch.add(product, cosines, alpha=sharpness)


def _joined(parts: Sequence[Tensor], dim: int) -> Tensor:
    """Parts ``[N or 1, ...]`` joined along ``dim``."""
    count = max(len(part) for part in parts)
    return torch.cat([part.expand(count, -1, -1) for part in parts], dim=dim)
