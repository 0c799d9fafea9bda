"""Scores of clips: one set of figures for each row (a colorization method or a baseline) of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from ..utils.arrays import Picture
from .metrics import Mean

GRAY, MEAN_COLOR, PREDICTION = "gray", "mean ab", "prediction"  # the rows of every table
VECTOR_ALONE = "z alone"  # the row of a network without its memory


@dataclass(frozen=True)
class Scores:
    """The figures of one colorized clip, means over its frames; NaN where a figure does not exist.

    :mod:`.metrics` defines each. ``…_truth`` is the same figure of the true clip.
    """

    psnr: float
    psnr_ab: float
    psnr_wrapped: float
    ssim: float
    ciede2000: float
    lpips: float
    palette: float
    colorfulness: float
    colorfulness_truth: float
    cdc: float
    cdc_truth: float
    warp: float
    warp_truth: float

    @property
    def colorfulness_difference(self) -> float:
        return self.colorfulness - self.colorfulness_truth

    @property
    def cdc_difference(self) -> float:
        return self.cdc - self.cdc_truth

    @property
    def warp_difference(self) -> float:
        return self.warp - self.warp_truth


@dataclass(frozen=True, eq=False)
class ClipResult:
    """Scores of one clip or one pair by row, and thumbnails by column for the sheet.

    The thumbnails show frame ``sample``, the last frame whose number is a power of two. It lies in the
    second half of the clip and is found without knowing the clip's length.
    """

    name: str
    frames: int
    width: int
    height: int
    scores: dict[str, Scores]
    sample: int
    pictures: dict[str, Picture]


@dataclass(frozen=True, eq=False)
class Results:
    """Scores of all clips, and ``conditions``: the settings of the measurement as JSON values."""

    clips: list[ClipResult]
    conditions: dict[str, Any]

    @property
    def rows(self) -> list[str]:
        return list(self.clips[0].scores)

    def mean(self, over: Literal["clips", "frames"] = "clips") -> dict[str, Scores]:
        """Mean scores by row.

        Args:
            over: "clips" gives every clip the same weight, "frames" every frame.

        Returns:
            One :class:`Scores` a row; NaN values are left out of the means.
        """
        weights = [1 if over == "clips" else clip.frames for clip in self.clips]
        return {row: _mean([clip.scores[row] for clip in self.clips], weights) for row in self.rows}


def _mean(scores: Sequence[Scores], weights: Sequence[int]) -> Scores:
    means = {figure.name: Mean() for figure in fields(Scores)}
    for name, mean in means.items():
        for clip, weight in zip(scores, weights, strict=True):
            mean.add(getattr(clip, name), weight)
    return Scores(**{name: mean.value for name, mean in means.items()})
