"""The one description of a network: saved inside its weights, compared when they are loaded."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of a Color2Embed network.

    ``width`` is the channel count at full resolution; 64 is the paper's network. ``embedding`` is
    the length of the color embedding z. ``color_width`` is the color encoder's first width.
    ``memory`` is the channel count of the colour memory's keys and values; 0 leaves the memory out
    and gives the paper's exact form. ``semantic`` is the width of the semantic encoder (0: none) and
    ``prior`` the number of cells of its color prior (0: none).
    """

    width: int = 64
    embedding: int = 512
    color_width: int = 32
    memory: int = 0
    semantic: int = 0
    prior: int = 0

    def __post_init__(self) -> None:
        if self.width < 4 or self.width % 4:
            raise ValueError(f"width is a positive multiple of 4, got {self.width}")
        if self.embedding < 1 or self.color_width < 1 or self.memory < 0:
            raise ValueError(f"sizes are positive, got {self}")
        if min(self.semantic, self.prior) < 0 or (self.semantic and not self.memory):
            raise ValueError(f"semantic features need a color memory, got {self}")
        if self.prior and not self.semantic:
            raise ValueError(f"a prior needs semantic features, got {self}")

    @property
    def content_channels(self) -> tuple[int, int, int, int, int]:
        """Channels of the content features at 1, 1/2, 1/4, 1/8 and 1/16 of the frame."""
        w = self.width
        return (w, 2 * w, 4 * w, 8 * w, 8 * w)

    @property
    def color_channels(self) -> tuple[int, int, int, int]:
        """Channels of the color encoder at 1/2, 1/4, 1/8 and 1/16 of the reference."""
        c = self.color_width
        return (c, 2 * c, 4 * c, 8 * c)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModelConfig:
        return cls(**values)
