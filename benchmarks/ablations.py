"""What each part of the training is worth: one network a part left out, all on the same small budget.

    python -m benchmarks.ablations --photos photos.tar --out runs --vgg vgg16.safetensors --clips clips/*.mp4

Trains every variant below from nothing, on the same pictures in the same order, and prints a table: PSNR
on photographs kept out of training (painted from a warped copy of themselves), and on the clips, every
twelfth frame painted from the first. ``--sheet`` paints the sample film's keyframes from their mirrored
selves by every variant. What is trained already, or in part, is taken up where it was left.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.pictures import read_rgb
from c2e_video.evaluate import metrics
from c2e_video.evaluate.clips import read_clip
from c2e_video.inference.colorizer import Colorizer
from c2e_video.model import ModelConfig
from c2e_video.train.config import TrainConfig
from c2e_video.train.loop import STATE, WEIGHTS, Trainer

ROOT = Path(__file__).parents[1]
EVERY = 12  # of a clip's frames
HEIGHT, GAP = 120, 4  # of a picture on the sheet, in pixels


def variants(steps: int, batch: int, side: int, width: int) -> dict[str, TrainConfig]:
    """By name: the paper's scheme, ours, and each with a part left out or put in."""
    paper = TrainConfig(
        model=ModelConfig(width=width),
        steps=steps,
        batch=batch,
        sizes=((0, side),),
        lr=1e-3,
        schedule="cosine",
        warmup=min(50, steps // 10),
        ema=0.99,
    )
    ours = replace(
        paper,
        model=ModelConfig(width=width, memory=64),
        perceptual_weight=0.0,
        matching_weight=0.003,
        recolor_share=0.3,
        crop_share=0.35,
        old_film_share=0.25,
        object_share=0.4,
        memory_dropout=0.08,
        mismatched_memory=0.12,
    )
    return {
        "paper": paper,
        "paper, without self-augmentation": replace(paper, self_augment=False),
        "paper, without the perceptual loss": replace(paper, perceptual_weight=0.0),
        "paper, without the reconstruction loss": replace(paper, reconstruction_weight=0.0),
        "ours": ours,
        "ours, without the memory": replace(ours, model=paper.model),
        "ours, without the matching loss": replace(ours, matching_weight=0.0),
        "ours, without things that move": replace(ours, object_share=0.0),
        "ours, without other palettes": replace(ours, recolor_share=0.0),
        "ours, without old film": replace(ours, old_film_share=0.0),
        "ours, with consistency": replace(ours, consistency_weight=0.3),
    }


def trained(name: str, config: TrainConfig, options: argparse.Namespace) -> tuple[Path, float]:
    """The variant's weights, trained where they are not yet, and their PSNR on pictures kept out."""
    out = options.out / name.replace(",", "").replace(" ", "-")
    begun = (out / STATE).exists()
    cache = options.cache or options.out / "cache"
    run = Trainer(options.photos, out, config, cache=cache, vgg=options.vgg, resume=begun)
    run.run(sheet_every=config.steps + 1, save_every=100)
    return out / WEIGHTS, run.measure()


def on_clip(colorizer: Colorizer, clip: Path) -> float:
    """Mean PSNR of every twelfth frame but the first, which is the reference."""
    frames = islice(read_clip(clip), 0, None, EVERY)
    embedding = colorizer.embed(next(frames))
    return float(
        np.mean(
            [
                metrics.psnr(f, colorizer.colorize_image(metrics.to_gray(f), embedding))
                for f in frames
            ]
        )
    )


def sheet_row(colorizers: dict[str, Colorizer], picture: Any) -> Any:
    """The picture, the same in gray, and what each makes of it after its mirrored self."""
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    cells = [picture, cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB)]
    cells += [
        colorizer.colorize_image(gray, colorizer.embed(mirrored))
        for colorizer in colorizers.values()
    ]
    size = (round(HEIGHT * picture.shape[1] / picture.shape[0]), HEIGHT)
    small = [cv2.resize(cell, size, interpolation=cv2.INTER_AREA) for cell in cells]
    return np.concatenate([np.pad(cell, ((0, GAP), (0, GAP), (0, 0))) for cell in small], axis=1)


def main() -> None:
    """Train what is not trained yet, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--photos", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="of decoded photographs; OUT/cache otherwise")
    parser.add_argument("--vgg", type=Path)
    parser.add_argument("--clips", type=Path, nargs="*", default=[])
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--size", type=int, default=256, help="the network's, for clips and sheet")
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    configs = variants(options.steps, options.batch, options.side, options.width)
    print("| variant | kept out |", *(f"{clip.stem} |" for clip in options.clips), "mean |")
    print("|", *("--- |" for _ in range(len(options.clips) + 3)))
    colorizers = {}
    for name, config in configs.items():
        weights, kept_out = trained(name, config, options)
        colorizers[name] = Colorizer(weights, size=options.size)
        scores = [on_clip(colorizers[name], clip) for clip in options.clips]
        figures = [kept_out, *scores, float(np.mean(scores or [np.nan]))]
        print(f"| {name} |", *(f"{figure:.2f} |" for figure in figures), flush=True)
    if options.sheet:
        paths = sorted((ROOT / "samples").glob("keyframe-*.jpg"))
        pictures = [read_rgb(path) for path in paths]
        whole = np.concatenate([sheet_row(colorizers, picture) for picture in pictures])
        cv2.imwrite(str(options.sheet), cv2.cvtColor(whole, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
