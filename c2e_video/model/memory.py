"""The colour memory: where in the reference does this place of the frame lie, and what colour is it.

Not in the paper. One vector carries the palette; which of two like coats is the red one it cannot
say. The memory can: its keys are the content encoder's own features of the *reference's* lightness
at 1/8, so that film and reference are read by one network and compared in one space, and its values
are the colours found there.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import ModelConfig

BESIDE = 16  # "beside" is a sixteenth of the short side
# Where training begins. It moves slowly: begun at 10 it came to 14 in 2,000 steps, and at 36 the same
# network painted films 0.6 dB nearer to the truth.
SHARPNESS = 30.0
# What a place loses in a frame of its own shot for every square of a short side between the two. Not
# learned: training turns, flips and warps its references, films hardly do. Measured; docs/results.md.
NEARNESS = 6.0


class Memory(NamedTuple):
    """``keys`` ``[N, K, M]`` of unit length, ``values`` ``[N, V, M]`` and ``bias`` ``[N, M]``.

    M counts places: those of several references stand one after another. ``bias`` is added to the
    similarity before the softmax (the logarithm of a reference's weight, where they are blended).
    ``places`` ``[N, 6, M]`` say where each lies, and ``nearness`` ``[N, M]`` how much that counts.
    """

    keys: Tensor
    values: Tensor
    bias: Tensor
    places: Tensor
    nearness: Tensor

    def in_place(self) -> Memory:
        """The memory of a frame of the very shot, in which things lie about where they lay."""
        return self._replace(nearness=torch.full_like(self.nearness, NEARNESS))

    @staticmethod
    def join(memories: list[Memory]) -> Memory:
        """Several references as one longer memory."""
        return Memory(*(torch.cat(parts, dim=-1) for parts in zip(*memories, strict=True)))

    @staticmethod
    def stack(memories: list[Memory]) -> Memory:
        """One memory a frame. Shorter ones are filled up with places that are never found."""
        longest = max(memory.keys.shape[2] for memory in memories)
        filled = []
        for memory in memories:
            missing = (0, longest - memory.keys.shape[2])
            whole = Memory(*(F.pad(part, missing) for part in memory))
            filled.append(whole._replace(bias=F.pad(memory.bias, missing, value=-torch.inf)))
        return Memory(*(torch.cat(parts) for parts in zip(*filled, strict=True)))


class MemoryLookup(NamedTuple):
    """``values`` ``[N, V, h, w]`` and the best cosine ``similarity`` ``[N, 1, h, w]`` per place."""

    values: Tensor
    similarity: Tensor


class ColorMemory(nn.Module):
    """Keys, values and the look-up; places are those of the features at 1/8."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        content, color = config.content_channels[3], config.color_channels[2]
        self.key = nn.Conv2d(content, config.memory, 1)
        self.value = nn.Conv2d(color, config.memory, 1)
        self.log_sharpness = nn.Parameter(torch.tensor(SHARPNESS).log())
        self.out = nn.Conv2d(config.memory + 3, 4 * config.width, 1)
        # The memory starts silent: the network first learns to paint from z.
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(cast(Tensor, self.out.bias))

    def remember(self, content: Tensor, color: Tensor, ab: Tensor) -> Memory:
        """The memory of references: content and color features at 1/8, and ab / 110 of full size."""
        pooled = F.adaptive_avg_pool2d(ab, (content.shape[2], content.shape[3]))
        values = torch.cat((pooled, self.value(color)), dim=1).flatten(2)
        keys = F.normalize(self.key(content).flatten(2), dim=1)
        nothing = keys.new_zeros(keys.shape[0], keys.shape[2])
        y, x = _positions(content)
        one = torch.ones_like(y)
        # Times what `look_up` makes of another place: minus the square of their distance.
        places = torch.stack((2 * y, -one, -y * y, 2 * x, -one, -x * x))
        return Memory(keys, values, nothing, places.expand(len(keys), -1, -1), nothing)

    def look_up(self, content: Tensor, memory: Memory) -> MemoryLookup:
        """What ``memory`` (of one, or of as many as there are frames) holds for every place."""
        n, _, h, w = content.shape
        similarity = self._cosines(content, memory)
        y, x = _positions(content)
        one = torch.ones_like(y)
        down, across = ((side / min(h, w)) ** 2 for side in (h, w))
        here = torch.stack((y, y * y, one, x, x * x, one), dim=1)
        here = here * torch.tensor([down] * 3 + [across] * 3).to(here)
        near = torch.cat((memory.places * memory.nearness[:, None], memory.bias[:, None]), dim=1)
        here = torch.cat((here, one[:, None]), dim=1).expand(n, -1, -1)
        near = near.expand(n, -1, -1)
        logits = torch.baddbmm(similarity * self.log_sharpness.exp(), here, near)
        weights = logits.softmax(dim=-1)
        values = (memory.values @ weights.transpose(1, 2)).view(n, -1, h, w)
        return MemoryLookup(values, similarity.amax(-1).view(n, 1, h, w))

    def similarity(self, content: Tensor, memory: Memory) -> Tensor:
        """How alike frames and references are: the share ``[N]`` of places that find the way back.

        A place of the frame goes to its nearest in the memory, and from there to the nearest in the
        frame; in a picture of the same things it comes out where it set out, or beside it. (The best
        cosine itself is high between any two pictures: there is sky in most.)
        """
        h, w = content.shape[2:]
        cosines = self._cosines(content, memory)
        there = cosines.argmax(2)
        back = cosines.argmax(1).gather(1, there)
        home = torch.arange(h * w, device=back.device)
        rows, columns = (home // w - back // w).abs(), (home % w - back % w).abs()
        return (torch.maximum(rows, columns) <= max(1, min(h, w) // BESIDE)).float().mean(1)

    def _cosines(self, content: Tensor, memory: Memory) -> Tensor:
        """``[N, places, M]`` in [-1, 1]."""
        queries = F.normalize(self.key(content).flatten(2), dim=1)
        return queries.transpose(1, 2) @ memory.keys

    def inject(self, found: MemoryLookup) -> Tensor:
        """What the PFFN adds to its features after the first block, ``[N, 4 * width, h, w]``."""
        return cast(Tensor, self.out(torch.cat(found, dim=1)))


def _positions(content: Tensor) -> tuple[Tensor, Tensor]:
    """Every place of ``[N, C, h, w]``, down and across: shares of the sides, from the middle."""
    h, w = content.shape[2:]
    sides = (torch.arange(n, device=content.device, dtype=torch.float32) for n in (h, w))
    y, x = (((side + 0.5) / len(side) - 0.5).to(content.dtype) for side in sides)
    return y.repeat_interleave(w), x.repeat(h)
