"""What a step of training asks of the network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..model import Color2Embed, Look, Memory
from ..model.content_encoder import Content
from .losses import matching_loss, reconstruction_loss


class SelfReference(nn.Module):
    """The network as it is trained: grey frame and reference in, ab and its own two losses out."""

    def __init__(self, model: Color2Embed, matched: bool) -> None:
        super().__init__()
        self.model, self.matched = model, matched

    def forward(
        self,
        lightness: Tensor,
        reference: Tensor,
        origins: Tensor,
        trust: Tensor,
        strangers: Tensor,
        again: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What is painted, ab / 110 ``[N, 2, S, S]``, the matching loss and the consistency loss.

        The arguments are an :class:`~.augment.Example`'s; ``trust`` ``[N]`` weakens the memory, and where
        ``strangers`` ``[N]`` it is the neighbour's. ``again`` is the grey frame once more, as old film gives
        it: the last loss is how differently that is painted.
        """
        look = self.model.embed(reference)
        # Read together: read by itself, the second would be what batch norms remember.
        frames = lightness if again is None else torch.cat((lightness, again))
        contents = _parts(self.model.read(frames), len(lightness))
        matching = lightness.new_zeros(())
        memory = self.model.pffn.memory
        if memory is not None and look.memory is not None:
            if self.matched:
                scores = memory.sharpened(memory.cosines(memory.describe(contents[0]), look.memory))
                matching = matching_loss(scores, origins)
            look = Look(look.z, Memory(*(_swap(part, strangers) for part in look.memory)))
        ab, *repainted = (self.model.paint(content, look, trust).float() for content in contents)
        if not repainted:
            return ab, matching, lightness.new_zeros(())
        return ab, matching, reconstruction_loss(repainted[0], ab)


def _parts(content: Content, count: int) -> list[Content]:
    """The content of each ``count`` pictures of those that were read together."""
    lightness = torch.split(content.lightness, count)
    features = zip(*(torch.split(level, count) for level in content.features), strict=True)
    return [Content(light, list(levels)) for light, levels in zip(lightness, features, strict=True)]


def _swap(part: Tensor, strangers: Tensor) -> Tensor:
    return torch.where(strangers.view(-1, *[1] * (part.dim() - 1)), part.roll(1, 0), part)
