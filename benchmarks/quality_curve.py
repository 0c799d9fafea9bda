"""What a network size and an anchor interval cost, and what they give: the curve behind ``--quality``.

    python -m benchmarks.quality_curve CLIP... [--frames 25] [--plot docs/figures/quality-curve.png]

Colour clips are made gray and colorized from their first frame, as a film is, to 4:2:0. For each size and
interval: processor time a frame (all threads, decoding and encoding not included), PSNR of a*, b* and of RGB
against the truth, the warp error and CDC (of both, lower is steadier), and how many of 100 frames the network
predicted. ``q`` marks the presets.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
import torch

from benchmarks.pictures import full_range_film
from c2e_video.color.chroma import ChromaOffsets, chroma_to_rgb
from c2e_video.evaluate import metrics
from c2e_video.evaluate.clips import read_clip
from c2e_video.inference.colorizer import Colorizer
from c2e_video.inference.quality import QUALITIES
from c2e_video.inference.video_colorizer import VideoColorizer
from c2e_video.references.image import Reference
from c2e_video.references.reference_map import ReferenceMap
from c2e_video.utils.files import check_folder, write_text
from c2e_video.video.frames import ColorBatch, Frame, FrameBatch, PictureFormat, Shot

POINTS = (  # size, interval
    *((192, 12), (224, 4), (224, 12), (240, 12), (272, 1), (272, 2), (272, 4), (272, 8)),
    *((272, 12), (320, 4), (320, 12), (352, 4), (352, 12), (384, 12)),
)
PICTURE = PictureFormat("yuvj420p", 8, (2, 2), "bt601", True)


@dataclass(frozen=True)
class CurvePoint:
    """Means over the clips. ``core_ms`` is processor time a frame, ``predicted`` the share of anchors."""

    size: int
    interval: int
    core_ms: float
    psnr_ab: float
    psnr: float
    warp_error: float
    cdc: float
    predicted: float
    by_clip: dict[str, tuple[float, float]]  # PSNR of ab, core ms


@dataclass(frozen=True)
class ClipPoint:
    """The same of one clip."""

    core_ms: float
    psnr_ab: float
    psnr: float
    warp_error: float
    cdc: float
    predicted: float


class Clip:
    """A colour clip, its gray film, and the motion between its frames."""

    def __init__(self, path: Path, frames: int) -> None:
        self.name = path.stem
        self.truth = list(islice(read_clip(path), frames))
        self.grays = [metrics.to_gray(rgb) for rgb in self.truth]
        self.labs = [metrics.lab_of(rgb) for rgb in self.truth]
        pairs = zip(self.grays, self.grays[1:], strict=False)
        self.motions = [metrics.motion_between(*pair) for pair in pairs]

    def measure(self, colorizer: Colorizer) -> ClipPoint:
        """Colorize the clip from its first frame, and compare."""
        height, width = self.grays[0].shape
        video_colorizer = VideoColorizer(colorizer, full_range_film(width, height))
        shot = Shot(0, 0, len(self.grays))
        reference = Reference(self.truth[0], Path("reference.png"))
        reference_map = ReferenceMap.single(reference, [shot])
        video_colorizer.embedding(reference)
        predicted = 0
        network = colorizer._network_ab

        def counted(lumas: Sequence[Any], embeddings: Sequence[Any]) -> Any:
            nonlocal predicted
            predicted += len(lumas)
            return network(lumas, embeddings)

        colorizer._network_ab = counted  # type: ignore[method-assign]
        frames = FrameBatch(tuple(Frame(g, k, 1) for k, g in enumerate(self.grays)), shot)
        began = time.process_time()
        batches = list(video_colorizer.colorize([frames], reference_map, PICTURE))
        spent = time.process_time() - began
        colorizer._network_ab = network  # type: ignore[method-assign]
        count = len(self.grays)
        return ClipPoint(1e3 * spent / count, *self._nearness(batches), predicted / count)

    def _nearness(self, batches: Iterable[ColorBatch]) -> tuple[float, float, float, float]:
        """PSNR of ab, PSNR of RGB, warp error, CDC."""
        psnr_ab, psnr, warp = metrics.Mean(), metrics.Mean(), metrics.Mean()
        consistency, before = metrics.ColorConsistency(), None
        for number, batch in enumerate(batches):
            rgb = _rgb(batch)
            lab = metrics.lab_of(rgb)
            psnr_ab.add(metrics.psnr_ab(self.labs[number], lab))
            psnr.add(metrics.psnr(self.truth[number], rgb))
            consistency.add(rgb)
            if before is not None:
                warp.add(metrics.warp_error(before, lab, self.motions[number - 1]))
            before = lab
        return psnr_ab.value, psnr.value, warp.value, consistency.value


def _rgb(batch: ColorBatch) -> Any:
    """R'G'B' uint8 ``[H, W, 3]`` of a frame, its chroma interpolated bilinearly."""
    luma = batch.gray.frames[0].luma
    cb, cr = (
        torch.from_numpy(cv2.resize(plane[0].astype(np.float32), luma.shape[::-1]))[None]
        for plane in (batch.cb, batch.cr)
    )
    gray = torch.from_numpy(luma.astype(np.float32) / 255)[None, None]
    rgb = chroma_to_rgb(gray, ChromaOffsets((cb - 128) / 255, (cr - 128) / 255), "bt601")
    return (rgb[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().numpy()


def curve_point(
    clips: Sequence[Clip], size: int, interval: int, weights: Path | None
) -> CurvePoint:
    """One point of the curve: the mean over the clips."""
    colorizer = Colorizer(weights, size=size, anchor_interval=interval)
    rows = {clip.name: clip.measure(colorizer) for clip in clips}

    def mean(name: str) -> float:
        return float(np.mean([getattr(row, name) for row in rows.values()]))

    figures: dict[str, Any] = {
        name: mean(name)
        for name in ("core_ms", "psnr_ab", "psnr", "warp_error", "cdc", "predicted")
    }
    by_clip = {name: (row.psnr_ab, row.core_ms) for name, row in rows.items()}
    return CurvePoint(size, interval, **figures, by_clip=by_clip)


def plot(points: Sequence[CurvePoint], path: Path) -> None:
    """PSNR of ab over frames a second and core, a line for each size."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5), dpi=120)
    for size in sorted({point.size for point in points}):
        line = sorted((p for p in points if p.size == size), key=lambda p: p.interval)
        rates = [1e3 / p.core_ms for p in line]
        axes.plot(rates, [p.psnr_ab for p in line], marker="o", label=f"size {size}")
        for point, rate in zip(line, rates, strict=True):
            axes.annotate(
                f" {point.interval}{_preset(point)}", (rate, point.psnr_ab), fontsize=8, va="bottom"
            )
    axes.set_xscale("log")
    ticks = [3, 4, 6, 8, 10, 15, 20, 30]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("frames a second of one core (480p; numbers: anchor interval)")
    axes.set_ylabel("PSNR of a*, b* (dB)")
    axes.grid(alpha=0.3, which="both")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)


def _preset(point: CurvePoint) -> str:
    names = [
        name
        for name, preset in QUALITIES.items()
        if (preset.size, preset.anchor_interval) == (point.size, point.interval)
    ]
    return f" {names[0]}" if names else ""


@click.command()
@click.argument("clips", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--frames", default=25, show_default=True, help="Frames of each clip.")
@click.option("--weights", type=click.Path(path_type=Path), help="Other weights.")
@click.option(
    "--point", "asked", type=(int, int), multiple=True, help="SIZE INTERVAL; all if none."
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write the figures there."
)
@click.option("--plot", "plot_file", type=click.Path(path_type=Path), help="Draw the curve there.")
def main(
    clips: tuple[Path, ...],
    frames: int,
    weights: Path | None,
    asked: tuple[tuple[int, int], ...],
    json_file: Path | None,
    plot_file: Path | None,
) -> None:
    """Measure every point on the CLIPS, and print a table."""
    for path in (json_file, plot_file):
        if path:
            check_folder(path)
    read = [Clip(path, frames) for path in clips]
    points: list[CurvePoint] = []
    click.echo("| size | interval | core ms | PSNR ab | PSNR | warp error | CDC | predicted |")
    click.echo("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for size, interval in asked or POINTS:
        point = curve_point(read, size, interval, weights)
        points.append(point)
        click.echo(
            f"| {size} | {interval}{_preset(point)} | {point.core_ms:.0f} | {point.psnr_ab:.2f} | "
            f"{point.psnr:.2f} | {point.warp_error:.3f} | {point.cdc:.5f} | {point.predicted:.0%} |"
        )
        if json_file:
            write_text(json_file, json.dumps([asdict(p) for p in points], indent=1))
    if plot_file:
        plot(points, plot_file)


if __name__ == "__main__":
    main()
