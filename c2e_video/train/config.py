"""What a training run is: one frozen description, saved with every checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ..errors import C2EError
from ..model import ModelConfig


@dataclass(frozen=True)
class TrainConfig:
    """A training run. The defaults are the paper's (section 4.1); the recipe below them is ours.

    ``batch`` counts pictures of one step over all devices and ``accumulate`` micro-batches.
    ``sizes`` gives the side of the square pictures as (first step, side), in order.
    ``folder_weights`` says how often pictures of a folder are drawn; ``unsquash`` names folders
    whose pictures were squeezed to a square and are stretched back by 4:3 or 3:4.
    ``matching_weight`` weighs the memory's own loss, which is some hundred times the reconstruction
    loss: 0.003 is a good start; without a memory it does nothing.
    ``consistency_weight`` weighs the difference between the predictions of a frame and of its second view,
    degraded anew; at 0 the second is not predicted.
    The ``*_share`` numbers are shares of the pictures in [0, 1]:
    ``recolor_share`` get another palette, in reference and truth; ``crop_share`` get a reference
    that shows a part of the picture, or the whole smaller with its borders mirrored;
    ``old_film_share`` get a gray frame degraded as old film; ``object_share`` get an object that moves by
    itself between reference and truth;
    ``memory_dropout`` are predicted from z alone, and ``mismatched_memory`` with the memory of another
    picture, so that the network learns to fall back on z; ``film_share`` are frames of films with another
    frame of their shot as reference. All zero is the paper's scheme. ``exclude`` names photographs never
    trained on.
    """

    model: ModelConfig = field(default_factory=ModelConfig)
    steps: int = 100_000
    batch: int = 64
    accumulate: int = 1
    sizes: tuple[tuple[int, int], ...] = ((0, 256),)
    lr: float = 1e-4
    schedule: str = "constant"
    warmup: int = 0
    reconstruction_weight: float = 1.0
    perceptual_weight: float = 0.1
    perceptual_every: int = 1
    matching_weight: float = 0.0
    consistency_weight: float = 0.0
    self_augment: bool = True
    noise: float = 5.0
    ema: float = 0.999
    seed: int = 0
    folder_weights: tuple[tuple[str, float], ...] = ()
    unsquash: tuple[str, ...] = ()
    recolor_share: float = 0.0
    crop_share: float = 0.0
    old_film_share: float = 0.0
    object_share: float = 0.0
    memory_dropout: float = 0.0
    mismatched_memory: float = 0.0
    film_share: float = 0.0
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.schedule not in ("constant", "cosine"):
            raise C2EError(f"schedule is constant or cosine, got {self.schedule!r}")
        if self.batch % self.accumulate:
            raise C2EError(f"batch {self.batch} is no multiple of accumulate {self.accumulate}")
        if not self.sizes or self.sizes[0][0] != 0:
            raise C2EError(f"the first size starts at step 0, got {self.sizes}")
        if any(side < 32 or side % 16 for _, side in self.sizes):
            raise C2EError(f"sizes are multiples of 16 from 32 on, got {self.sizes}")

    def size_at(self, step: int) -> int:
        """The pictures' side at ``step``."""
        return [side for start, side in self.sizes if start <= step][-1]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
