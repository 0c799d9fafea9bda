"""Does colour flicker with grain? A picture that stands still, with film grain that does not.

    python benchmarks/grain.py

Each of the sample film's keyframes is made grey and shown for ``--frames`` frames, each with grain of
its own (Gaussian, half of it blurred, as strong as GRAINS steps of 255), and painted from the picture
without grain. The figure is the standard deviation over time of a* and b* at fixed places, its mean
over the picture; beside it that of the grain itself in L*. Below 1 no eye sees it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from c2e_video.color import rgb_to_lab
from c2e_video.colorizer import Colorizer

ROOT = Path(__file__).parents[1]
GRAINS = (4.0, 8.0, 16.0)


def grained(gray: Any, strength: float, rng: np.random.Generator) -> Any:
    """The picture with grain of ``strength`` steps, uint8."""
    fine, coarse = rng.normal(size=(2, *gray.shape))
    grain = fine + 3 * cv2.GaussianBlur(coarse, (0, 0), 1)
    return np.clip(gray + strength * grain / grain.std(), 0, 255).round().astype(np.uint8)


def flicker(painter: Colorizer, picture: Any, strength: float, frames: int) -> tuple[float, float]:
    """Standard deviations over time, means over the picture: of L*, and of a* and b*."""
    rng = np.random.default_rng(0)
    gray, look = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), painter.embed(picture)
    labs = []
    for _ in range(frames):
        painted = painter.paint(grained(gray, strength, rng), look)
        labs.append(rgb_to_lab(torch.from_numpy(painted).permute(2, 0, 1)[None] / 255)[0])
    deviation = torch.stack(labs).std(0).mean((1, 2))
    return float(deviation[0]), float(deviation[1:].mean())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--frames", type=int, default=12)
    options = parser.parse_args()
    painter = Colorizer(options.weights)
    print(
        "| picture | grain, steps of 255 | L* over time | a*, b* over time |\n| --- | --- | --- | --- |"
    )
    for path in sorted((ROOT / "samples").glob("keyframe-*.jpg")):
        picture = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        for strength in GRAINS:
            light, colour = flicker(painter, picture, strength, options.frames)
            print(f"| {path.name} | {strength:g} | {light:.2f} | {colour:.2f} |", flush=True)


if __name__ == "__main__":
    main()
