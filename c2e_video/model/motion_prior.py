"""A prior over displacements between a reference and a frame, from mutual nearest neighbours.

Every mutual match votes for its displacement (cell of the memory minus cell of the frame). In film the votes
form a few clusters: what the camera follows, and the background. The log-prior of a displacement is

    PRIOR_STRENGTH * log(smoothed votes + PRIOR_COUNT * smooth base distribution)

Nothing here is learned: references are rotated and flipped in training, frames of a film are not. The
constants were chosen by measurement (docs/how-it-works.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import NamedTuple

import torch
from torch import Tensor

from .memory import Memory

BESIDE = 16  # a match is mutual if it returns within 1/16 of the short side
# Sigma of the Gaussian over displacements by which votes are smoothed, in short sides.
ALIKE = 0.1
# Pseudo-count of the prior, as a share of the frame's cells: few votes change little.
PRIOR_COUNT = 0.012
# The base distribution is the votes smoothed with PRIOR_SIGMA (in short sides) plus UNIFORM_PRIOR
# everywhere. So cells that the reference does not show take no colour from far away.
PRIOR_SIGMA, UNIFORM_PRIOR = 0.25, 0.01
# Factor of the logarithm of the votes.
PRIOR_STRENGTH = 2.0
# Group size of the two-level argmax.
GROUPED = 64


class Matches(NamedTuple):
    """The nearest cell of the memory, and whether the match is mutual, ``[N, h*w]`` each."""

    nearest: Tensor
    is_mutual: Tensor


def mutual_nearest_neighbors(scores: Tensor, size: Sequence[int]) -> Matches:
    """Nearest cells in the memory, and whether these have the cell, or one beside it, as their nearest.

    Args:
        scores: Similarity of every cell of the frame and of the memory, ``[N, h*w, M]``.
        size: Height and width of the frame in cells.

    Returns:
        The matches.
    """
    h, w = size
    there = _first_highest(scores, 2)
    back = _first_highest(scores, 1).gather(1, there)
    home = torch.arange(h * w, device=back.device)
    rows, columns = (home // w - back // w).abs(), (home % w - back % w).abs()
    return Matches(there, torch.maximum(rows, columns) <= max(1, min(h, w) // BESIDE))


def _first_highest(scores: Tensor, dim: int) -> Tensor:
    """``scores.argmax(dim)`` in two levels, groups and within a group: a third of the time on a CPU."""
    together = gcd(scores.shape[dim], GROUPED)
    groups = torch.unflatten(scores, dim, (-1, together))
    group = groups.amax(dim + 1).argmax(dim, keepdim=True)
    inside = groups.take_along_dim(group.unsqueeze(dim + 1), dim).squeeze(dim).argmax(dim)
    return group.squeeze(dim) * together + inside


class DisplacementPrior(NamedTuple):
    """The log-prior of every displacement.

    A displacement has an index: that of a cell of the memory, ``memory`` ``[N, M]``, minus that of a cell
    of the frame, ``frame`` ``[N, h*w]``. ``log_prior`` ``[N, displacements]`` has one value for each.
    """

    log_prior: Tensor
    memory: Tensor
    frame: Tensor

    @classmethod
    def between(
        cls, cosines: Tensor, memory: Memory, matches: Matches, size: Sequence[int]
    ) -> DisplacementPrior:
        """The prior from the mutual matches of a frame.

        Votes are counted for every reference by itself: displacements differ between references.

        Args:
            cosines: Cosines of the frame's and the memory's cells, ``[N, h*w, M]``.
            memory: The memory.
            matches: Mutual matches over the whole memory; used as they are if there is one reference.
            size: Height and width of the frame in cells.

        Returns:
            The prior.
        """
        h, w = size
        n, device = len(cosines), cosines.device
        references = int(memory.reference.max()) + 1
        down, across = 2 * h - 1, 2 * w - 1
        sides = torch.tensor([[h], [w]], device=device)
        rows, columns = (memory.coarse * sides).long().clamp_max(sides - 1).unbind(1)
        there = (memory.reference * down + rows + h - 1) * across + columns + w - 1
        places = torch.arange(h * w, device=device)
        here = places // w * across + places % w
        votes = cosines.new_zeros(n, references * down * across)
        for number in range(references):
            own = (memory.reference == number) & memory.bias.isfinite()
            if references > 1:
                matches = mutual_nearest_neighbors(
                    cosines.masked_fill(~own[:, None], -torch.inf), size
                )
            displacement = there.expand(n, -1).gather(1, matches.nearest) - here
            # In a batch, frames with fewer references have no cells of this one.
            counted = matches.is_mutual & own.expand(n, -1).gather(1, matches.nearest)
            votes.scatter_add_(1, displacement, counted.to(votes.dtype))
        shares = votes.view(n, references, down, across) / (h * w)
        log_prior = _log_prior(shares, min(h, w)).flatten(1)
        return cls(log_prior, there.expand(n, -1), here.expand(n, -1))

    def log_prior_at(self, frame: Tensor) -> Tensor:
        """The log-prior ``[N, P, M]`` of the memory's cells for some cells ``[N, P]`` of :attr:`frame`."""
        displacement = self.memory[:, None] - frame[..., None]
        return self.log_prior.gather(1, displacement.flatten(1)).view(displacement.shape)


def _log_prior(votes: Tensor, short: int) -> Tensor:
    """The log-prior of every displacement, from votes as shares of the cells, ``[N, R, down, across]``."""
    # A vote is weighted by the votes near it: votes between different scenes are scattered.
    weighted = votes * _spread(votes, ALIKE * short)
    count = weighted.sum((2, 3), keepdim=True)
    base = (_spread(weighted, PRIOR_SIGMA * short) + UNIFORM_PRIOR) / (count + UNIFORM_PRIOR)
    return PRIOR_STRENGTH * (_spread(weighted, ALIKE * short) + PRIOR_COUNT * base).log()


def _spread(votes: Tensor, sigma: float) -> Tensor:
    """Votes smoothed by a Gaussian with maximum 1."""
    down, across = (
        torch.exp(-((far[:, None] - far) ** 2) / (2 * sigma**2))
        for far in (torch.arange(n, device=votes.device) for n in votes.shape[2:])
    )
    return (down @ votes @ across).float()
