"""How good the averaged weights are on photographs that are not trained on."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor

from ..color.lab import AB_SCALE, lab_to_rgb
from ..model import Color2Embed
from ..utils.devices import channels_last_batch
from .augment import Example, Rng, make_example
from .config import TrainConfig
from .dataset import PhotoCache, Sampler
from .preview import write_sheet

VALIDATION_PICTURES = 64
SHEET_PICTURES = 8


class Validation:
    """Measures a run; a line a measurement is appended to ``held_out.csv`` in ``out``.

    Args:
        photos: All photographs of the run.
        sampler: Gives them in the size of training.
        config: The run.
        out: Folder for the table and the sheets.
        device: Where to compute.
    """

    def __init__(
        self,
        photos: PhotoCache,
        sampler: Sampler,
        config: TrainConfig,
        out: Path,
        device: torch.device,
    ) -> None:
        self._indices = photos.held_out()[:VALIDATION_PICTURES]
        self._sampler, self._config, self._out, self._device = sampler, config, out, device

    @torch.no_grad()
    def measure(self, model: Color2Embed, *, step: int, pictures: int) -> float:
        """Mean PSNR in dB, NaN without photographs; the first of them are drawn as ``sheet-STEP.png``.

        Args:
            model: The network, in evaluation mode.
            step: Steps that are done.
            pictures: Pictures that were trained on until then.
        """
        if not len(self._indices):
            return math.nan
        size = self._config.size_at(step)
        errors = []
        for start in range(0, len(self._indices), SHEET_PICTURES):
            example = self._example(start, size)
            predicted = _colorize(model, example)
            errors.append((predicted - example.truth).square().mean((1, 2, 3)))
            if start == 0:
                write_sheet(self._out / f"sheet-{step:06d}.png", example, predicted)
        psnr = float((-10 * torch.cat(errors).clamp_min(1e-10).log10()).mean())
        with open(self._out / "held_out.csv", "a") as file:
            file.write(f"{step},{pictures},{size},{psnr:.3f}\n")
        return psnr

    def _example(self, start: int, size: int) -> Example:
        photos = self._sampler.fixed(self._indices[start : start + SHEET_PICTURES], size)
        plain = TrainConfig(model=self._config.model)
        return make_example(
            torch.from_numpy(photos).to(self._device), plain, Rng(start, self._device)
        )


def _colorize(model: Color2Embed, example: Example) -> Tensor:
    conditioning = model.embed(channels_last_batch(example.reference))
    return predicted_rgb(example, model(channels_last_batch(example.lightness), conditioning))


def predicted_rgb(example: Example, ab: Tensor) -> Tensor:
    """RGB ``[N, 3, S, S]`` in [0, 1] of the true lightness with the predicted ab / 110 ``[N, 2, S, S]``."""
    lab = torch.cat((example.lab[:, :1], ab * AB_SCALE), dim=1)
    return lab_to_rgb(lab).clamp(0, 1)
