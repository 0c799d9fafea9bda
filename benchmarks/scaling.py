"""A film on one and two workers of a Ray cluster, against the plain command with one and two cores.

``python -m benchmarks.scaling`` measures and draws; ``--figures FILE.json --draw`` draws what was measured
before. Each way is measured with a film and with one of twice its length: what a further frame costs is the
difference, what a start costs the rest. On a busy machine only processor times are to be trusted.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click

from c2e_video.cluster import pool
from c2e_video.cluster.colorize import colorize_on_cluster
from c2e_video.cluster.settings import ClusterSettings
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from c2e_video.pipeline.planned_film import plan_film
from c2e_video.utils.progress import Silent

from .scaling_model import Costs, draw, lines
from .throughput import write_drawn, write_reference

FIGURES = Path("docs/figures/scaling.json")


@dataclass(frozen=True)
class Run:
    """One film from beginning to end. Times are in seconds; processor times are those of all processes.

    Args:
        way: "plain" or "ray".
        cores: Cores that all processes of the run shared; on Ray, as many workers of one core each.
        frames: Frames of the film.
        planning: Processor time of the planning pass.
        processor: Processor time from the plan to the last frame, on Ray with the start of the workers.
        joining: Processor time from the last frame to the film; on Ray with the end of the cluster.
        colorizing: Time by the clock from the plan to the last frame.
        segments: Frames and processor time of each segment; on Ray alone.
    """

    way: str
    cores: int
    frames: int
    planning: float
    processor: float
    joining: float
    colorizing: float
    segments: tuple[tuple[int, float], ...]


class _StageClock(Silent):
    """Notes when stages begin, and the last frame: time, and processor time of all processes of the run."""

    def __init__(self) -> None:
        self.began: dict[str, tuple[float, float]] = {}
        self.last = (0.0, 0.0)

    def stage(self, name: str, total: int | None, unit: str = "frame") -> None:
        self.began[name] = self._now()

    def advance(self, count: int) -> None:
        if "colorizing" in self.began:
            self.last = self._now()

    def _now(self) -> tuple[float, float]:
        return time.perf_counter(), processor_seconds(os.getpid())


def processor_seconds(root: int) -> float:
    """Processor time of a process and all that descend from it, those that have ended included (Linux)."""
    times: dict[int, tuple[int, float]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        times[int(folder.name)] = int(words[1]), sum(map(int, words[11:15]))
    found, total = {root}, 0.0
    while found:
        total += sum(times[pid][1] for pid in found if pid in times)
        found = {pid for pid, (parent, _) in times.items() if parent in found}
    return total / os.sysconf("SC_CLK_TCK")


def _measured(way: str, cores: int, source: Path, reference: Path, segment: float) -> Run:
    planned_film: Any = sys.modules[plan_film.__module__]
    planned_film.SEGMENT_SECONDS = segment
    clock, options = _StageClock(), Options(device="cpu")
    output = source.with_name(f"{source.stem}-{way}-{cores}.mp4")
    how: dict[str, Any] = {"references": reference, "options": options, "progress": clock}
    segments: list[tuple[int, float]] = []
    if way == "plain":
        colorize_video(source, output, **how)
    else:
        finish = pool.SegmentPool._finish

        def noted(self: Any, done: Any, task: Any) -> None:
            segments.append((len(done.pts), done.seconds))
            finish(self, done, task)

        pool.SegmentPool._finish = noted  # type: ignore[method-assign]
        colorize_on_cluster(source, output, cluster=ClusterSettings(cpus=1), **how)
    ended = processor_seconds(os.getpid())
    (_, planning), (painting, before) = clock.began["analyzing"], clock.began["colorizing"]
    last, after = clock.last
    return Run(
        way,
        cores,
        int(source.stem.rpartition("-")[2]),
        before - planning,
        after - before,
        max(0.0, ended - after),
        last - painting,
        tuple(segments),
    )


def measure(frames: int, width: int, height: int, segment: float) -> list[Run]:
    """Every way with one and two cores, with films of ``frames`` and of twice as many."""
    allowed, runs = sorted(os.sched_getaffinity(0)), []
    with tempfile.TemporaryDirectory() as folder:
        for count in (frames, 2 * frames):
            source = write_drawn(Path(folder) / f"film-{count}.mp4", count, width, height)
            reference = write_reference(source, width, height)
            for cores in (1, 2):
                for way in ("plain", "ray"):
                    os.sched_setaffinity(
                        0, allowed[:cores]
                    )  # which all processes of the run inherit
                    try:
                        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                            task = process.submit(_measured, way, cores, source, reference, segment)
                            runs.append(task.result())
                    finally:
                        os.sched_setaffinity(0, allowed)
                    print(runs[-1], file=sys.stderr)
    return runs


def further(runs: list[Run], way: str, cores: int, name: str) -> tuple[float, float]:
    """What a further frame costs, and what a start costs besides, in seconds of the time ``name``."""
    short, long = sorted(
        (run for run in runs if (run.way, run.cores) == (way, cores)), key=lambda run: run.frames
    )
    frame = (getattr(long, name) - getattr(short, name)) / (long.frames - short.frames)
    return frame, getattr(short, name) - short.frames * frame


def costs_of(runs: list[Run]) -> Costs:
    """What the model needs, of what was measured."""
    frame, start = further(runs, "ray", 1, "processor")
    planned, _ = further(runs, "plain", 1, "planning")
    joined, _ = further(runs, "plain", 1, "joining")
    return Costs(frame, max(0.0, start), planned, max(joined, 1e-5))


def overhead(runs: list[Run]) -> list[str]:
    """Ray against the plain command, as lines of a table."""
    rows = [
        "| cores | time | plain, ms a frame | Ray | ratio | Ray's start, s |",
        "|---|---|---|---|---|---|",
    ]
    for cores in (1, 2):
        for name, title in (("processor", "processor"), ("colorizing", "wall clock")):
            plain, _ = further(runs, "plain", cores, name)
            ray, start = further(runs, "ray", cores, name)
            rows.append(
                f"| {cores} | {title} | {plain * 1e3:.0f} | {ray * 1e3:.0f} | {ray / plain:.2f} "
                f"| {start:.1f} |"
            )
    return rows


def _runs_in(path: Path) -> list[Run]:
    content: list[Mapping[str, Any]] = json.loads(path.read_text())
    return [Run(**{**run, "segments": tuple(map(tuple, run["segments"]))}) for run in content]


@click.command()
@click.option("--frames", default=240, help="Of the shorter film.")
@click.option("--width", default=854)
@click.option("--height", default=480)
@click.option("--segment", default=5.0, help="Seconds of film.")
@click.option("--figures", type=click.Path(path_type=Path), default=FIGURES)
@click.option("--draw", "only_draw", is_flag=True, help="Draw what was measured before.")
def main(
    frames: int, width: int, height: int, segment: float, figures: Path, only_draw: bool
) -> None:
    """Measure, and draw the model beside the figures."""
    if not only_draw:
        runs = measure(frames, width, height, segment)
        figures.write_text(json.dumps([asdict(run) for run in runs], indent=1) + "\n")
    runs = _runs_in(figures)
    costs = costs_of(runs)
    print("\n".join([*overhead(runs), "", *lines(costs)]))
    draw(costs, figures.with_suffix(".png"))


if __name__ == "__main__":
    main()
