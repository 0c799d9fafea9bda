"""From the command to its first words, and to its first frame."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.throughput import write_drawn, write_reference
from c2e_video.errors import C2EError
from c2e_video.pipeline.options import Options

WIDTH, HEIGHT = 854, 480
REPEATS = 3  # the quickest counts


@dataclass(frozen=True)
class StartFigure:
    """Seconds that ``--help`` takes, and the whole command for a film of one frame."""

    help_seconds: float
    frame_seconds: float


def start_figure(options: Options) -> StartFigure:
    """Run both as a user does, each in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        film = write_drawn(Path(folder) / "film.mp4", 1, WIDTH, HEIGHT)
        reference = write_reference(film, WIDTH, HEIGHT)
        network = ["--device", options.device, "--precision", options.precision]
        network += ["--quality", options.quality, "--size", str(options.size)]
        if options.weights is not None:
            network += ["--weights", str(options.weights)]
        paint = [str(film), "--ref", str(reference), "-y", *network]
        return StartFigure(_seconds("--help"), _seconds(*paint))


def _seconds(*arguments: str) -> float:
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        command = [sys.executable, "-m", "c2e_video", *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        times.append(time.perf_counter() - began)
        if done.returncode:
            raise C2EError(done.stderr.strip().rpartition("\n")[2])
    return min(times)
