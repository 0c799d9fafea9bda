"""The picture of a training run: gray | reference | prediction | truth, a row a photograph."""

from __future__ import annotations

from pathlib import Path

import cv2
import torch
from torch import Tensor

from ..color.lab import lab_to_rgb
from .augment import Example


def write_sheet(path: Path, example: Example, predicted: Tensor) -> None:
    """Write a PNG of ``example`` and its ``predicted`` RGB ``[N, 3, S, S]`` in [0, 1]."""
    lightness = 50 * (example.lightness + 1)
    gray = lab_to_rgb(torch.cat((lightness, torch.zeros_like(example.lab[:, 1:])), dim=1))
    columns = torch.cat((gray, example.reference, predicted, example.truth), dim=3)
    rows = torch.cat(list(columns.clamp(0, 1)), dim=1)
    rgb = (rows * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    cv2.imwrite(str(path), rgb[:, :, ::-1])
