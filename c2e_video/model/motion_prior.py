"""How things have moved between a reference and a frame, told by the places that find the way back.

Every such place votes for the movement it has made. A film's votes agree, though seldom all of them: what the
camera follows stays, what lies behind moves. So every movement is as likely as it has votes, where one
movement for all would go now with this, now with that.

Nothing here is learned, for training turns and flips its references, films do not; the numbers are measured
in docs/results.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import NamedTuple

import torch
from torch import Tensor

from .memory import Memory

BESIDE = 16  # "beside" is a sixteenth of the short side
# DisplacementPrior this near each other, in short sides, are alike (the sigma of a Gaussian).
ALIKE = 0.1
# Votes, as shares of the places, that every movement has beforehand: a few say little.
PRIOR_COUNT = 0.012
# The more votes agree, the more of those beforehand are for movements about as far (again a sigma, in short
# sides): what the reference does not show takes no colour from far away. At UNIFORM_PRIOR it is half of them.
PRIOR_SIGMA, UNIFORM_PRIOR = 0.25, 0.01
# What a place of the memory gains is so many times the logarithm of its movement's votes.
PRIOR_STRENGTH = 2.0
# The highest score is sought in groups of so many.
GROUPED = 64


class Matches(NamedTuple):
    """The memory's likeliest for each place of a frame, and if it leads back: ``[N, h*w]`` each."""

    nearest: Tensor
    is_mutual: Tensor


def mutual_nearest_neighbors(scores: Tensor, size: Sequence[int]) -> Matches:
    """From a frame of ``size`` to a memory and back, by ``scores`` ``[N, h*w, M]``."""
    h, w = size
    there = _first_highest(scores, 2)
    back = _first_highest(scores, 1).gather(1, there)
    home = torch.arange(h * w, device=back.device)
    rows, columns = (home // w - back // w).abs(), (home % w - back % w).abs()
    return Matches(there, torch.maximum(rows, columns) <= max(1, min(h, w) // BESIDE))


def _first_highest(scores: Tensor, dim: int) -> Tensor:
    """``scores.argmax(dim)``: first in which group, then where in it, a third of the time on a CPU."""
    together = gcd(scores.shape[dim], GROUPED)
    groups = torch.unflatten(scores, dim, (-1, together))
    group = groups.amax(dim + 1).argmax(dim, keepdim=True)
    inside = groups.take_along_dim(group.unsqueeze(dim + 1), dim).squeeze(dim).argmax(dim)
    return group.squeeze(dim) * together + inside


class DisplacementPrior(NamedTuple):
    """What the memory's places gain for the movements from them to a frame's places.

    A movement has a number: where in the memory, ``memory`` ``[N, M]``, less where in the frame, ``frame``
    ``[N, h*w]``. ``log_prior`` ``[N, movements]`` are those of every number.
    """

    log_prior: Tensor
    memory: Tensor
    frame: Tensor

    @classmethod
    def between(
        cls, cosines: Tensor, memory: Memory, matches: Matches, size: Sequence[int]
    ) -> DisplacementPrior:
        """As the places of a frame of ``size`` vote whose ``cosines`` ``[N, h*w, M]`` are given.

        In every reference by itself, for things have moved otherwise since each; ``matches`` are those
        of the whole memory.
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
            voted = there.expand(n, -1).gather(1, matches.nearest) - here
            # Beside a frame of several references, one of a single has none to find here.
            counted = matches.is_mutual & own.expand(n, -1).gather(1, matches.nearest)
            votes.scatter_add_(1, voted, counted.to(votes.dtype))
        shares = votes.view(n, references, down, across) / (h * w)
        log_prior = _log_prior(shares, min(h, w)).flatten(1)
        return cls(log_prior, there.expand(n, -1), here.expand(n, -1))

    def log_prior_at(self, frame: Tensor) -> Tensor:
        """What the memory's places gain ``[N, P, M]`` at the places ``[N, P]`` of :attr:`frame`."""
        made = self.memory[:, None] - frame[..., None]
        return self.log_prior.gather(1, made.flatten(1)).view(made.shape)


def _log_prior(votes: Tensor, short: int) -> Tensor:
    """The gain of every movement by ``votes``, shares of the places: ``[N, references, down, across]``."""
    # A vote counts as far as others are alike: those of another scene go here and there.
    agreed = votes * _spread(votes, ALIKE * short)
    count = agreed.sum((2, 3), keepdim=True)
    beforehand = (_spread(agreed, PRIOR_SIGMA * short) + UNIFORM_PRIOR) / (count + UNIFORM_PRIOR)
    return PRIOR_STRENGTH * (_spread(agreed, ALIKE * short) + PRIOR_COUNT * beforehand).log()


def _spread(votes: Tensor, sigma: float) -> Tensor:
    """Each movement's votes, and those of the ones beside it by a Gaussian that is 1 in its middle."""
    down, across = (
        torch.exp(-((far[:, None] - far) ** 2) / (2 * sigma**2))
        for far in (torch.arange(n, device=votes.device) for n in votes.shape[2:])
    )
    return (down @ votes @ across).float()
