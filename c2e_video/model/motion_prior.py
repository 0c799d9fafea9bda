"""A prior over displacements between a reference and a frame, from mutual nearest neighbours.

A displacement is the position of a memory cell minus the position of a frame cell. Every mutual match is
one vote for its displacement. In a film, most votes form a few clusters: the background, and the objects
that the camera follows. The log-prior of a displacement is

    PRIOR_STRENGTH * log(smoothed votes + PRIOR_COUNT * base distribution)

Nothing here is learned, because training references are rotated and flipped, and frames of a film are
not. The constants were chosen by measurement (docs/how-it-works.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import NamedTuple

import torch
from torch import Tensor

from .memory import Memory

# The short side is min(h, w), in coarse cells.
# Tolerance of a mutual match: 1 / BESIDE of the short side, at least one cell.
BESIDE = 16
# Sigma of the Gaussian that smooths the votes, as a share of the short side.
ALIKE = 0.1
# Pseudo-count of the base distribution, as a share of the frame's cells. With it, a few votes change the
# prior only a little.
PRIOR_COUNT = 0.012
# The base distribution is the votes smoothed with sigma PRIOR_SIGMA (a share of the short side), plus
# UNIFORM_PRIOR for every displacement. It keeps displacements far from all votes improbable. A frame cell
# whose content is not in the reference therefore takes no colour from there.
PRIOR_SIGMA, UNIFORM_PRIOR = 0.25, 0.01
# Factor of the logarithm.
PRIOR_STRENGTH = 2.0
# Largest group size of the two-level argmax.
GROUPED = 64


class Matches(NamedTuple):
    """The match of every frame cell.

    Attributes:
        nearest: Index of the most similar memory cell, int64 ``[N, h*w]``.
        is_mutual: Whether the match is mutual, bool ``[N, h*w]``.
    """

    nearest: Tensor
    is_mutual: Tensor


def mutual_nearest_neighbors(scores: Tensor, size: Sequence[int]) -> Matches:
    """Match every frame cell with the memory cell of highest score, and test whether the match is mutual.

    Let m be the match of frame cell f, and g the frame cell of highest score for m. The match is mutual
    if f and g differ by at most ``max(1, min(h, w) // BESIDE)`` rows, and at most so many columns.

    Args:
        scores: Similarity of every frame cell and every memory cell, ``[N, h*w, M]``.
        size: Height and width of the frame in cells.

    Returns:
        The matches.
    """
    h, w = size
    nearest = _first_highest(scores, 2)
    back = _first_highest(scores, 1).gather(1, nearest)
    cells = torch.arange(h * w, device=back.device)
    rows, columns = (cells // w - back // w).abs(), (cells % w - back % w).abs()
    return Matches(nearest, torch.maximum(rows, columns) <= max(1, min(h, w) // BESIDE))


def _first_highest(scores: Tensor, dim: int) -> Tensor:
    """``scores.argmax(dim)`` in two steps: the group of the maximum, then its index within the group.

    On a CPU this takes a third of the time of ``argmax``.
    """
    # Group g has the members g, g + count, g + 2 * count, ...: whole rows are compared, not single numbers.
    group_size = gcd(scores.shape[dim], GROUPED)
    groups = torch.unflatten(scores, dim, (group_size, -1))
    group = groups.amax(dim).argmax(dim, keepdim=True)
    inside = groups.take_along_dim(group.unsqueeze(dim), dim + 1).squeeze(dim + 1).argmax(dim)
    return inside * groups.shape[dim + 1] + group.squeeze(dim)


class DisplacementPrior(NamedTuple):
    """The log-prior of every displacement.

    A memory cell and a frame cell have the displacement with index ``memory[m] - frame[f]``. R references
    have ``R * (2h - 1) * (2w - 1)`` displacements.

    Attributes:
        log_prior: One value for each displacement, ``[N, R * (2h - 1) * (2w - 1)]``.
        memory: The index of each memory cell, int64 ``[N, M]``.
        frame: The index of each frame cell, int64 ``[N, h*w]``.
    """

    log_prior: Tensor
    memory: Tensor
    frame: Tensor

    @classmethod
    def between(
        cls, cosines: Tensor, memory: Memory, matches: Matches, size: Sequence[int]
    ) -> DisplacementPrior:
        """Compute the prior from the mutual matches of a frame.

        Votes are counted for each reference separately, because displacements differ between references.

        Args:
            cosines: Cosines of the frame's and the memory's cells, ``[N, h*w, M]``.
            memory: The memory.
            matches: Matches over the whole memory. They are used only if there is one reference; for
                several, the matches are computed again for each.
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
        memory_index = (memory.reference * down + rows + h - 1) * across + columns + w - 1
        cells = torch.arange(h * w, device=device)
        frame_index = cells // w * across + cells % w
        votes = cosines.new_zeros(n, references * down * across)
        for number in range(references):
            in_reference = (memory.reference == number) & memory.bias.isfinite()
            if references > 1:
                matches = mutual_nearest_neighbors(
                    cosines.masked_fill(~in_reference[:, None], -torch.inf), size
                )
            displacement = memory_index.expand(n, -1).gather(1, matches.nearest) - frame_index
            # In a batch, a frame with fewer references has no cells of reference `number`.
            counted = matches.is_mutual & in_reference.expand(n, -1).gather(1, matches.nearest)
            votes.scatter_add_(1, displacement, counted.to(votes.dtype))
        shares = votes.view(n, references, down, across) / (h * w)
        log_prior = _log_prior(shares, min(h, w)).flatten(1)
        return cls(log_prior, memory_index.expand(n, -1), frame_index.expand(n, -1))

    def log_prior_at(self, frame: Tensor) -> Tensor:
        """Look up the log-prior of every memory cell for some frame cells.

        Args:
            frame: Indices of P frame cells, a part of :attr:`frame`, ``[N, P]``.

        Returns:
            The log-prior, ``[N, P, M]``.
        """
        displacement = self.memory[:, None] - frame[..., None]
        return self.log_prior.gather(1, displacement.flatten(1)).view(displacement.shape)


def _log_prior(votes: Tensor, short: int) -> Tensor:
    """The log-prior of every displacement, ``[N, R, 2h - 1, 2w - 1]``.

    Args:
        votes: Votes divided by the number of frame cells, ``[N, R, 2h - 1, 2w - 1]``.
        short: The short side of the frame, in cells.
    """
    # Each vote is weighted by the number of votes near it. Between different scenes the votes are
    # scattered, so their weights are small.
    weighted = votes * _smoothed(votes, ALIKE * short)
    count = weighted.sum((2, 3), keepdim=True)
    base = (_smoothed(weighted, PRIOR_SIGMA * short) + UNIFORM_PRIOR) / (count + UNIFORM_PRIOR)
    return PRIOR_STRENGTH * (_smoothed(weighted, ALIKE * short) + PRIOR_COUNT * base).log()


def _smoothed(votes: Tensor, sigma: float) -> Tensor:
    """Votes smoothed by a Gaussian ``exp(-d**2 / (2 * sigma**2))``; d and ``sigma`` are in cells."""
    down, across = (
        torch.exp(-((line[:, None] - line) ** 2) / (2 * sigma**2))
        for line in (torch.arange(n, device=votes.device) for n in votes.shape[2:])
    )
    return (down @ votes @ across).float()
