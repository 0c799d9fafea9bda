"""How colour holds on old film: nearness to the truth, and how much it changes from one stock to another.

    python -m benchmarks.old_film clips/color-*.mp4 [--weights FILE ...]

Three frames of each clip (the seventh, the middle and the last), cut to their middle square, are made gray as
old film gives them: each twice, with other sensitivity, contrast, fading, blur, light, grain, scratches and
blocks (``c2e_video/train/augment.py: degrade``). They are painted from the clip's first frame, in colour.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch

from c2e_video.evaluate import metrics
from c2e_video.evaluate.clips import read_clip
from c2e_video.inference.colorizer import Colorizer
from c2e_video.inference.network import default_weights
from c2e_video.train.augment import Rng, degrade


def chosen_frames(clip: Path) -> list[Any]:
    """The first, seventh, middle and last frame, their middle squares of a multiple of 16 rows."""
    frames = list(read_clip(clip))
    chosen = [frames[k] for k in (0, min(6, len(frames) - 1), len(frames) // 2, -1)]
    side = min(chosen[0].shape[:2]) // 16 * 16
    top, left = ((n - side) // 2 for n in chosen[0].shape[:2])
    return [np.ascontiguousarray(frame[top : top + side, left : left + side]) for frame in chosen]


def aged(frame: Any, seed: int) -> Any:
    """Luma uint8 ``[S, S]`` of an RGB frame, as some old film has it."""
    rgb = torch.from_numpy(frame).permute(2, 0, 1)[None].float() / 255
    gray = degrade(rgb, Rng(seed, torch.device("cpu")))[0, 0]
    return (gray * 255).round().byte().numpy()


def measured(colorizer: Colorizer, frames: list[Any], seed: int) -> tuple[float, float]:
    """PSNR of a*, b* in dB (peak 255), and the mean difference between two stocks, in ab units."""
    embedding = colorizer.embed(frames[0])
    nearness, changes = [], []
    for number, frame in enumerate(frames[1:]):
        truth = metrics.lab_of(frame)[..., 1:]
        stocks = [aged(frame, seed + 10 * number + stock) for stock in (1, 2)]
        painted = [colorizer.predict_ab(gray, embedding) for gray in stocks]
        nearness += [10 * np.log10(255**2 / np.square(ab - truth).mean()) for ab in painted]
        changes.append(np.abs(painted[0] - painted[1]).mean())
    return float(np.mean(nearness)), float(np.mean(changes))


def main() -> None:
    """A line for each clip and weights, then their means."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--weights", type=Path, nargs="+", default=[default_weights()])
    parser.add_argument("--size", type=int, default=256)
    options = parser.parse_args()
    clips = {clip.stem: chosen_frames(clip) for clip in options.clips}
    print("| weights | clip | PSNR of ab | between two stocks |\n| --- | --- | --- | --- |")
    for weights in options.weights:
        colorizer = Colorizer(weights, size=options.size)
        figures = []
        for number, (name, frames) in enumerate(clips.items()):
            figures.append(measured(colorizer, frames, 1000 * number))
            print(f"| {weights.stem} | {name} | {figures[-1][0]:.2f} | {figures[-1][1]:.2f} |")
        near, change = np.mean(figures, axis=0)
        print(f"| {weights.stem} | mean | {near:.2f} | {change:.2f} |", flush=True)


if __name__ == "__main__":
    main()
