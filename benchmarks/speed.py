"""What this machine will do: the network against its limits, a film against decoding and encoding.

    python -m benchmarks.speed [--quick] [--growth] [--json bench.json]

Every figure is measured in one run and told as a share or a ratio of another figure of that run.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

import click
import cv2
import torch

from benchmarks.network import (
    NetworkFigure,
    PlainFigure,
    convolution_peak,
    network_figure,
    plain_figure,
)
from benchmarks.startup import StartFigure, start_figure
from benchmarks.throughput import FilmFigure, GrowthFigure, film_figure, growth_figure
from c2e_video.pipeline.options import Options, colorizer_for
from c2e_video.utils.choices import Device, Precision, Quality
from c2e_video.utils.devices import OutOfMemory, configure_process, processors
from c2e_video.utils.files import check_folder, write_text

# Batches by the frames' size. A CPU holds no more of the largest.
BATCHES: dict[int, tuple[int, ...]] = {256: (1, 8, 32), 512: (1, 8), 1024: (1,)}
GPU_BATCHES = dict.fromkeys(BATCHES, (1, 8, 32))
FILMS, LARGEST = ((854, 480), (1920, 1080)), (3840, 2160)  # the largest on a GPU alone
# Frames, and frames a shot: longer films, then more shots.
GROWTH = ((1000, 72), (4000, 72), (16000, 72), (1000, 1000), (1000, 8))
GROWTH_SIZE = 32  # the network's: what grows is not in it


@dataclass
class Figures:
    """All that a run measures."""

    machine: dict[str, Any]
    peak_gflops: float = 0.0
    network: list[NetworkFigure] = field(default_factory=list)
    plain: PlainFigure | None = None
    start: StartFigure | None = None
    films: list[FilmFigure] = field(default_factory=list)
    growth: list[GrowthFigure] = field(default_factory=list)

    def to_json(self) -> str:
        films = [{**asdict(film), "overlap": film.overlap} for film in self.films]
        return json.dumps({**asdict(self), "films": films}, indent=1)


def machine_of(options: Options) -> dict[str, Any]:
    """What the figures were measured on and with."""
    colorizer = colorizer_for(options)
    device = colorizer.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    packages = ("c2e-video", "torch", "av", "numpy")
    return {
        "device": f"{device.type} {name}",
        "processors": f"{processors()} of {_processor()}, {torch.backends.cpu.get_cpu_capability()}",
        "system": f"{platform.platform()}, Python {platform.python_version()}",
        "precision": str(colorizer.dtype).removeprefix("torch."),
        "width": colorizer.width,
        "encoding": asdict(options.encode),
        "versions": {name: version(name) for name in packages} | {"opencv": cv2.__version__},
        "date": time.strftime("%Y-%m-%d"),
    }


def _processor() -> str:
    """The processor's name; Linux has it in a file only."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def measure(options: Options, *, quick: bool, growth: bool, say: Callable[[str], None]) -> Figures:
    """Measure this machine, a line as soon as a figure is there."""
    figures = Figures(machine_of(options))
    on_gpu = colorizer_for(options).device.type == "cuda"
    for key, value in figures.machine.items():
        say(f"{key}: {value}")
    _measure_network(figures, options, quick, say)
    figures.start = start_figure(options)
    say(
        f"start: --help {figures.start.help_seconds:.2f} s, a film of one frame "
        f"{figures.start.frame_seconds:.1f} s"
    )
    count = 48 if quick else 240
    films = (*FILMS, LARGEST) if on_gpu else FILMS
    for width, height in films[:1] if quick else films:
        figures.films.append(film_figure(options, width, height, count))
        say(_film_line(figures.films[-1]))
    for frames, shot_frames in GROWTH if growth else ():
        grown = growth_figure(replace(options, size=GROWTH_SIZE), frames, shot_frames)
        figures.growth.append(grown)
        say(
            f"{frames} frames of 160x96, a shot every {shot_frames}: {grown.fps:.1f} fps, "
            f"peak {_mib(grown.peak_mib)}"
        )
    return figures


def _measure_network(
    figures: Figures, options: Options, quick: bool, say: Callable[[str], None]
) -> None:
    colorizer = colorizer_for(options)
    peak = convolution_peak(colorizer)
    figures.peak_gflops = peak / 1e9
    say(f"\none large convolution: {figures.peak_gflops:.0f} GFLOP/s")
    batches = GPU_BATCHES if colorizer.device.type == "cuda" else BATCHES
    for size in list(batches)[:1] if quick else batches:
        sized = colorizer_for(replace(options, size=size))
        for batch in batches[size]:
            named = f"network at {size}x{size}, batch {batch}"
            try:
                row = network_figure(sized, batch, peak)
            except OutOfMemory:
                say(f"{named}: does not fit into the device's memory")
                continue
            figures.network.append(row)
            say(
                f"{named}: {row.ms_per_frame:.1f} ms a frame, {row.gflops:.0f} GFLOP/s, "
                f"{row.share:.0%} of that"
            )
    figures.plain = plain_figure(colorizer, 480, 854, 8)
    say(
        f"a 480p frame: {figures.plain.ours_ms:.0f} ms, the plain way {figures.plain.plain_ms:.0f} ms: "
        f"{figures.plain.ratio:.1f} times as fast; ab agree to {figures.plain.psnr_ab:.1f} dB\n"
    )


def _mib(peak: float | None) -> str:
    return "unknown" if peak is None else f"{peak:.0f} MiB"


def _film_line(film: FilmFigure) -> str:
    return (
        f"{film.width}x{film.height}: decode {film.decode:.1f} fps, paint {film.paint:.1f}, "
        f"encode {film.encode:.1f}, decode and encode {film.passthrough:.1f}; "
        f"whole {film.whole:.1f} fps = {film.overlap:.2f} of the slowest stage, "
        f"{film.whole / film.passthrough:.2f} of decode and encode, {film.in_all:.1f} with the start and the "
        f"look at the film; peak {_mib(film.peak_mib)}"
    )


@click.command()
@click.option("--weights", type=click.Path(path_type=Path), help="Other weights.")
@click.option(
    "--quality", type=click.Choice(get_args(Quality)), default="standard", show_default=True
)
@click.option("--size", type=int, help="Short side the network sees; that of --quality by default.")
@click.option("--device", type=click.Choice(get_args(Device)), default="auto", show_default=True)
@click.option(
    "--precision", type=click.Choice(get_args(Precision)), default="auto", show_default=True
)
@click.option("--batch", default=8, show_default=True, help="Frames colorized at once.")
@click.option("--quick", is_flag=True, help="Small sizes and short films only.")
@click.option(
    "--growth", is_flag=True, help="Also films of 1, 4 and 16 thousand frames, and of many shots."
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write the figures there."
)
def main(quick: bool, growth: bool, json_file: Path | None, **settings: Any) -> None:
    """Measure the network against this machine's convolution peak and against the plain way of
    writing it, and drawn films through the whole pipeline against each of its stages alone."""
    configure_process()
    if json_file:
        check_folder(json_file)
    figures = measure(Options(**settings), quick=quick, growth=growth, say=click.echo)
    if json_file:
        write_text(json_file, figures.to_json())


if __name__ == "__main__":
    main()
