"""What a reference leaves behind once it is read: its look, kept for every shot that uses it."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import torch
from torch import Tensor

from ..model import Memory

# On the way between two looks a memory's chances are its share to the power of GOING, and they die away where
# it is left. By the share itself, one whose places match better is still the likeliest just before it is
# left, and goes with a step.
GOING, DYING = 2.4, 0.05


@dataclass(frozen=True, eq=False)
class ColorEmbedding:
    """The look of a reference: what the network keeps of it.

    ``vector`` is z ``[E]``, ``memory`` the colour memory where the network has one (both on the
    colorizer's device, in its number format), ``digest`` names the pictures it was made of.
    """

    vector: Tensor
    memory: Memory | None
    digest: str

    def blend(self, other: ColorEmbedding, share: float) -> ColorEmbedding:
        """The look on the way to ``other``: ``share`` 0 is this one, 1 the other."""
        if share <= 0 or self.digest == other.digest:
            return self
        if share >= 1:
            return other
        memory = None
        if self.memory is not None and other.memory is not None:
            memory = Memory.join(
                [_weighted(self.memory, 1 - share), _weighted(other.memory, share)]
            )
        return ColorEmbedding(
            torch.lerp(self.vector, other.vector, share),
            memory,
            f"{self.digest}*{1 - share:.6f}+{other.digest}*{share:.6f}",
        )

    def without_memory(self) -> ColorEmbedding:
        """The vector alone, as the paper has it."""
        return ColorEmbedding(self.vector, None, f"{self.digest} without memory")


def _weighted(memory: Memory, weight: float) -> Memory:
    chances = GOING * log(weight) - DYING / weight
    return memory._replace(bias=memory.bias + chances)
