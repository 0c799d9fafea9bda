"""The shipped default against the paper's network as its figure is usually written, on one film.

    python -m benchmarks.plain [FILM] [--frames 48]

The plain way: width 64, fp32, a convolution kernel for each sample (grouped convolutions), each frame by
itself, colour through RGB and back. Ours: what ``c2e-video`` does to each frame between decoding and
encoding, with the shipped weights at the chosen quality. Both get the same decoded frames at one network
size of their own: the paper's 256, and the quality's. The plain network has random weights, for its time
does not depend on them.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import click
import cv2
import numpy as np
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.network import PlainColorizer
from benchmarks.throughput import write_drawn
from c2e_video.inference.luma_planes import luma_plane, network_size
from c2e_video.inference.video_colorizer import VideoColorizer
from c2e_video.model import Color2Embed, ModelConfig
from c2e_video.pipeline.options import Options, colorizer_for
from c2e_video.references.image import Reference
from c2e_video.references.reference_map import ReferenceMap
from c2e_video.utils.choices import Device, Quality
from c2e_video.utils.devices import configure_process
from c2e_video.video.decode.decoder import decode, probe
from c2e_video.video.encode import EncodeSettings, picture_format
from c2e_video.video.frames import FrameBatch, Shot

PAPERS_SIZE = 256


@dataclass(frozen=True)
class WayFigure:
    """One way of colorizing: a frame's time, processor time and network operations, all means."""

    name: str
    ms: float
    core_ms: float
    gflop: float

    def row(self) -> str:
        """A line of the table."""
        return (
            f"| {self.name} | {self.ms:.0f} | {self.core_ms:.0f} | {self.gflop:.1f} | "
            f"{1e3 / self.ms:.1f} |"
        )


def _timed(work: Callable[[], object], frames: int) -> tuple[float, float]:
    """Milliseconds a frame: on the clock, and of all cores."""
    clock, core = time.perf_counter(), time.process_time()
    work()
    return 1e3 * (time.perf_counter() - clock) / frames, 1e3 * (time.process_time() - core) / frames


def plain_way(grays: list[Any], reference: Any, device: Any) -> WayFigure:
    """The paper's network, width 64, on each frame."""
    size = network_size(grays[0].shape, PAPERS_SIZE)
    plain = PlainColorizer(Color2Embed(ModelConfig(width=64)).eval(), device)
    embedding = plain.embed(reference, size)
    with FlopCounterMode(display=False) as counter:
        plain.paint(grays[0], embedding, size)  # warms up, too
    few = grays[: max(1, len(grays) // 8)]  # each frame costs the same
    spent = _timed(lambda: [plain.paint(gray, embedding, size) for gray in few], len(few))
    return WayFigure("the plain way", *spent, counter.get_total_flops() / 1e9)


def our_way(frames: FrameBatch, reference: Any, options: Options, film: Path) -> WayFigure:
    """The shipped default on the whole batch, as a film."""
    colorizer, info = colorizer_for(options), probe(film)
    video_colorizer = VideoColorizer(colorizer, info)
    shown = Reference(reference, Path("reference.png"))
    reference_map = ReferenceMap.single(shown, [frames.shot])
    embedding = video_colorizer.embedding(shown)
    with FlopCounterMode(display=False) as counter:
        colorizer._network_ab([luma_plane(frames.frames[0], info)], [embedding])
    predicted = 0
    network = colorizer._network_ab

    def counted(lumas: Any, embeddings: Any) -> Any:
        nonlocal predicted
        predicted += len(lumas)
        return network(lumas, embeddings)

    colorizer._network_ab = counted  # type: ignore[method-assign]
    picture = picture_format(info, EncodeSettings())
    spent = _timed(
        lambda: list(video_colorizer.colorize([frames], reference_map, picture)), len(frames)
    )
    gflop = counter.get_total_flops() / 1e9 * predicted / len(frames)
    return WayFigure(f"ours, {options.quality}", *spent, gflop)


@click.command()
@click.argument("film", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--frames", default=48, show_default=True, help="Frames of the film.")
@click.option("--device", type=click.Choice(get_args(Device)), default="auto", show_default=True)
@click.option(
    "--quality", type=click.Choice(get_args(Quality)), default="standard", show_default=True
)
def main(film: Path | None, frames: int, device: Device, quality: Quality) -> None:
    """Colorize FILM, or a drawn one of 854x480, both ways."""
    configure_process()
    options = Options(device=device, quality=quality)
    with tempfile.TemporaryDirectory() as folder:
        film = film or write_drawn(Path(folder) / "film.mp4", frames, 854, 480)
        read = tuple(islice(decode(film, probe(film)), frames))
        batch = FrameBatch(read, Shot(0, 0, 1 << 40))
        tones: Any = np.random.default_rng(2).integers(0, 256, (9, 16, 3), dtype=np.uint8)
        reference = cv2.resize(tones, batch.size[::-1])
        grays = [(frame.luma >> (frame.luma.itemsize - 1) * 8).astype(np.uint8) for frame in read]
        ours = our_way(batch, reference, options, film)
        plain = plain_way(grays, reference, colorizer_for(options).device)
    click.echo("| | ms a frame | core ms a frame | GFLOP a frame | frames/s |")
    click.echo("| --- | --- | --- | --- | --- |")
    for way in (plain, ours):
        click.echo(way.row())
    click.echo(
        f"\n{plain.ms / ours.ms:.1f} times as fast, {plain.core_ms / ours.core_ms:.1f} by core"
    )


if __name__ == "__main__":
    main()
