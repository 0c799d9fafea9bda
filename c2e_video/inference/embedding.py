"""The color embedding of a reference. It is computed once and used for all frames of that reference."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import torch
from torch import Tensor

from ..model import Memory

# A reference with weight w adds GAMMA * log(w) - DECAY / w to the logits of its memory cells. GAMMA > 1
# suppresses the weaker reference. With DECAY > 0, its influence falls to 0 continuously as w goes to 0.
# With log(w) alone, a reference that matches better can dominate at any small w. The colours then jump
# where its weight becomes 0.
GAMMA, DECAY = 2.4, 0.05


@dataclass(frozen=True, eq=False)
class ColorEmbedding:
    """The color vector and the colour memory of a reference, with the colorizer's device and dtype.

    Args:
        vector: The color vector z, ``[E]``.
        memory: The colour memory; None if the network has none.
        digest: Identifies the reference pictures and their weights. Embeddings with equal digests are
            equal.
    """

    vector: Tensor
    memory: Memory | None
    digest: str

    def blend(self, other: ColorEmbedding, share: float) -> ColorEmbedding:
        """Blend two embeddings: ``(1 - share) * self.vector + share * other.vector``.

        The memories are joined, and the weights are added to their logits as a bias.

        Args:
            other: The other embedding.
            share: The weight of ``other``, 0 to 1.

        Returns:
            The blend. It has a memory only if both embeddings have one.
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
        """The same vector with no colour memory, as in the paper."""
        return ColorEmbedding(self.vector, None, f"{self.digest} without memory")


def _weighted(memory: Memory, weight: float) -> Memory:
    """The memory with the bias of a reference of this weight, 0 < ``weight`` < 1."""
    return memory._replace(bias=memory.bias + GAMMA * log(weight) - DECAY / weight)
