"""The network with its own losses, as one module: distributed training needs one forward pass."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..model import Color2Embed, Conditioning, Memory
from ..model.content_encoder import Content
from .losses import matching_loss, reconstruction_loss


class SelfReference(nn.Module):
    """Training by self-reference (paper section 3.2): gray frame and reference in, ab and two losses out.

    Args:
        model: The network.
        matched: Whether the matching loss is computed.
    """

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
        """The prediction, ab / 110 ``[N, 2, S, S]``, the matching loss and the consistency loss.

        The arguments are an :class:`~.augment.Example`'s; ``memory_scale`` ``[N]`` in [0, 1] scales what the
        memory adds. Where ``strangers`` ``[N]`` is true, the memory is that of another picture of the batch.
        ``second_view`` is the gray frame degraded anew: the last loss is the difference between the two
        predictions.
        """
        conditioning = self.model.embed(reference)
        # In one pass: in a second one, batch norms would take their running means from the second view.
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
    """Content of a joined batch, split into batches of ``count`` pictures."""
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
