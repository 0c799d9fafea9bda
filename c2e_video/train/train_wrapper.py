"""What a step of training asks of the network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..model import Color2Embed, Conditioning, Memory
from ..model.content_encoder import Content
from .losses import matching_loss, reconstruction_loss


class SelfReference(nn.Module):
    """The network as it is trained: gray frame and reference in, ab and its own two losses out."""

    def __init__(self, model: Color2Embed, matched: bool) -> None:
        super().__init__()
        self.model, self.matched = model, matched

    def forward(
        self,
        lightness: Tensor,
        reference: Tensor,
        correspondence: Tensor,
        memory_scale: Tensor,
        strangers: Tensor,
        second_view: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What is painted, ab / 110 ``[N, 2, S, S]``, the matching loss and the consistency loss.

        The arguments are an :class:`~.augment.Example`'s; ``memory_scale`` ``[N]`` weakens the memory; where
        ``strangers`` ``[N]`` it is the neighbour's. ``second_view`` is the gray frame degraded again: the
        last loss is the difference between the two predictions.
        """
        conditioning = self.model.embed(reference)
        # Read together: read by itself, the second would be what batch norms remember.
        frames = lightness if second_view is None else torch.cat((lightness, second_view))
        contents = _parts(self.model.encode_content(frames), len(lightness))
        matching = lightness.new_zeros(())
        memory = self.model.pffn.memory
        if memory is not None and conditioning.memory is not None:
            if self.matched:
                scores = memory.logits(
                    memory.cosines(memory.encode_features(contents[0]), conditioning.memory)
                )
                matching = matching_loss(scores, correspondence)
            conditioning = Conditioning(
                conditioning.z, Memory(*(_swap(part, strangers) for part in conditioning.memory))
            )
        ab, *repeated = (
            self.model.predict_ab(content, conditioning, memory_scale).float()
            for content in contents
        )
        if not repeated:
            return ab, matching, lightness.new_zeros(())
        return ab, matching, reconstruction_loss(repeated[0], ab)


def _parts(content: Content, count: int) -> list[Content]:
    """The content of each ``count`` pictures of those that were read together."""
    lightness = torch.split(content.lightness, count)
    features = zip(*(torch.split(level, count) for level in content.features), strict=True)
    kinds = (
        [None] * len(lightness)
        if content.semantic is None
        else torch.split(content.semantic, count)
    )
    return [
        Content(light, list(levels), kind)
        for light, levels, kind in zip(lightness, features, kinds, strict=True)
    ]


def _swap(part: Tensor, strangers: Tensor) -> Tensor:
    return torch.where(strangers.view(-1, *[1] * (part.dim() - 1)), part.roll(1, 0), part)
