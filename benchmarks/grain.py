"""Does colour flicker with grain? A picture that stands still, with film grain that does not.

    python -m benchmarks.grain

Each of the sample film's keyframes is made gray and shown for ``--frames`` frames, each with grain of
its own (Gaussian, half of it blurred, as strong as GRAINS steps of 255), and painted from the picture
without grain. The figures are standard deviations over time at fixed places, their mean over the picture:
of the grain itself in L*; of the a*, b* that were painted, which are ours; of those that are seen in the
end, in 8 bits and within what the luma of the place allows (a deep red cannot be bright); and of those that
would be seen if the truth's own colours, which do not move, were put over that grain. The aim is
below 1; a difference is just noticeable at about 2.3 (Mahy, Van Eycken and Oosterlinck 1994).
"""

from __future__ import annotations

import argparse
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from benchmarks.pictures import read_rgb
from c2e_video.color.lab import rgb_to_lab
from c2e_video.inference.colorizer import Colorizer
from c2e_video.inference.rendering import ab_to_picture

ROOT = Path(__file__).parents[1]
GRAINS = (4.0, 8.0, 16.0)


def grained(gray: Any, strength: float, rng: np.random.Generator) -> Any:
    """The picture with grain of ``strength`` steps, uint8."""
    fine, coarse = rng.normal(size=(2, *gray.shape))
    grain = fine + 3 * cv2.GaussianBlur(coarse, (0, 0), 1)
    return np.clip(gray + strength * grain / grain.std(), 0, 255).round().astype(np.uint8)


@dataclass(frozen=True)
class Flicker:
    """Standard deviations over time: of L*, and of a* and b* painted, seen, and of the truth's, seen."""

    light: float
    painted: float
    seen: float
    truth: float


def flicker(colorizer: Colorizer, picture: Any, strength: float, frames: int) -> Flicker:
    """Paint ``frames`` grained copies of a picture from itself."""
    rng = np.random.default_rng(0)
    gray, embedding = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), colorizer.embed(picture)
    true = _lab(picture)[:, 1:]
    painted, seen, truth = [], [], []
    film = [grained(gray, strength, rng) for _ in range(frames)]
    for noisy, found in zip(
        film, colorizer.predict_frames_ab((noisy, embedding) for noisy in film), strict=True
    ):
        ab = torch.from_numpy(found).permute(2, 0, 1)[None]
        painted.append(ab)
        luma = torch.from_numpy(noisy)[None, None] / 255
        seen.append(_lab(ab_to_picture(luma, ab)))
        truth.append(_lab(ab_to_picture(luma, true)))
    light = _deviation([lab[:, :1] for lab in seen])
    in_ab = [_deviation([lab[:, 1:] for lab in labs]) for labs in (seen, truth)]
    return Flicker(light, _deviation(painted), *in_ab)


def _lab(picture: Any) -> torch.Tensor:
    return rgb_to_lab(torch.from_numpy(picture).permute(2, 0, 1)[None] / 255)


def _deviation(planes: list[torch.Tensor]) -> float:
    return float(torch.cat(planes).std(0).mean())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--frames", type=int, default=12)
    options = parser.parse_args()
    colorizer = Colorizer(options.weights)
    print("| picture | grain, steps of 255 | L* | a*, b* painted | seen | of the truth's, seen |")
    print("| --- | --- | --- | --- | --- | --- |")
    for path in sorted((ROOT / "samples").glob("keyframe-*.jpg")):
        picture = read_rgb(path)
        for strength in GRAINS:
            figures = astuple(flicker(colorizer, picture, strength, options.frames))
            print(f"| {path.name} | {strength:g} |", *(f"{n:.2f} |" for n in figures), flush=True)


if __name__ == "__main__":
    main()
