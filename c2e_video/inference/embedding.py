"""The color embedding of a reference: computed once, used for every frame that the reference colours."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import torch
from torch import Tensor

from ..model import Memory

# log-bias of a reference with weight w: GAMMA * log(w) - DECAY / w. GAMMA > 1 suppresses the weaker
# reference; DECAY lets it vanish continuously at w = 0. With log(w) alone, a reference that matches better
# stays the likeliest until it is left out, which shows as a step.
GAMMA, DECAY = 2.4, 0.05


@dataclass(frozen=True, eq=False)
class ColorEmbedding:
    """What the network keeps of a reference, on the colorizer's device and in its number format.

    Args:
        vector: z, ``[E]``.
        memory: The colour memory; None if the network has none.
        digest: Names the pictures it was made of, and their weights.
    """

    vector: Tensor
    memory: Memory | None
    digest: str

    def blend(self, other: ColorEmbedding, share: float) -> ColorEmbedding:
        """The embedding between this one and another.

        Args:
            other: The other embedding.
            share: Its weight, 0 to 1.
        """
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
    return memory._replace(bias=memory.bias + GAMMA * log(weight) - DECAY / weight)
