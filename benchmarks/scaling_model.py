"""A film on up to 64 workers, computed from what one worker was measured to take.

The time of a film is that of its planning pass, that until the last worker is done, and that of the join.
Segments are those of :func:`~c2e_video.pipeline.segments.cut_segments`; a free worker takes the longest.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from c2e_video.inference.interpolation import context_frames
from c2e_video.inference.quality import STANDARD
from c2e_video.pipeline.segments import Segment, cut_segments
from c2e_video.video.frames import Shot

RATE, HOURS = 24, 2
WORKERS = (1, 2, 4, 8, 16, 32, 64)
LENGTHS = (2, 5, 10, 20, 30, 60, 120, 300)  # of segments, in seconds
DRAWN = (5, 10, 30, 120)


@dataclass(frozen=True)
class Costs:
    """What was measured.

    Args:
        frame: Processor seconds of a frame on a worker.
        start: Seconds until a worker is ready.
        planned: Seconds that the planning pass takes for a frame, on one core.
        joined: Seconds that the join takes for a frame.
    """

    frame: float
    start: float
    planned: float
    joined: float


@dataclass(frozen=True)
class Times:
    """Where the seconds of a film go; ``longest`` is the longest segment's."""

    planning: float
    rendering: float
    joining: float
    longest: float

    @property
    def total(self) -> float:
        """From the command to the film."""
        return self.planning + self.rendering + self.joining


def shots_of(hours: float = HOURS) -> list[Shot]:
    """Shots as films have them: lengths are lognormal, half of them below 4 s, 6 s on average."""
    rng, end = np.random.default_rng(0), 0
    shots: list[Shot] = []
    while end < hours * 3600 * RATE:
        length = max(8, round(rng.lognormal(np.log(4), 0.9) * RATE))
        shots.append(Shot(len(shots), end, end + length))
        end += length
    return shots


def times(costs: Costs, shots: Sequence[Shot], seconds: float, workers: int) -> Times:
    """The times of a film in segments of ``seconds``, one pts a frame, on so many workers."""
    segments = cut_segments(shots, round(seconds * RATE))
    starts = {shot.start for shot in shots}
    work = sorted((_seconds_of(costs, segment, starts) for segment in segments), reverse=True)
    free = [costs.start] * workers
    for needed in work:
        heapq.heapreplace(free, free[0] + needed)
    frames = shots[-1].stop
    return Times(frames * costs.planned, max(free), frames * costs.joined, work[0])


def _seconds_of(costs: Costs, segment: Segment, starts: set[int]) -> float:
    """Where a shot is cut, the frames around are read once more; counted as if each were colorized."""
    cut = sum(border not in starts for border in (segment.start, segment.stop))
    context = context_frames(STANDARD.anchor_interval) * cut
    return costs.frame * (segment.stop - segment.start + context)


def lines(costs: Costs) -> list[str]:
    """Minutes of a film by workers and segment length, as lines of a table."""
    shots = shots_of()
    head = "".join(f" {seconds} s |" for seconds in LENGTHS)
    rows = [f"| workers |{head}", "|---" * (len(LENGTHS) + 1) + "|"]
    for workers in WORKERS:
        cells = [times(costs, shots, seconds, workers).total / 60 for seconds in LENGTHS]
        rows.append(f"| {workers} |" + "".join(f" {cell:.1f} |" for cell in cells))
    at_most = times(costs, shots, 10, 64)
    return [
        *rows,
        "",
        f"64 workers, 10 s: planning {at_most.planning / 60:.1f} min, rendering "
        f"{at_most.rendering / 60:.1f}, joining {at_most.joining / 60:.1f}; "
        f"longest segment {at_most.longest:.0f} s",
    ]


def draw(costs: Costs, path: Path) -> None:
    """Two plots: the time of a film by workers, and on 64 workers by the length of segments."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise SystemExit("drawing needs matplotlib: pip install matplotlib") from None
    shots = shots_of()
    figure: Any = Figure(figsize=(10, 4), layout="constrained")
    by_workers, by_length = figure.subplots(1, 2)
    _draw_by_workers(by_workers, costs, shots)
    _draw_by_length(by_length, costs, shots)
    figure.savefig(path, dpi=110)


def _draw_by_workers(axes: Any, costs: Costs, shots: Sequence[Shot]) -> None:
    for seconds in DRAWN:
        minutes = [times(costs, shots, seconds, workers).total / 60 for workers in WORKERS]
        axes.plot(WORKERS, minutes, marker="o", markersize=3, label=f"segments of {seconds} s")
    one = times(costs, shots, 10, 1)
    axes.plot(
        WORKERS, [one.rendering / 60 / n for n in WORKERS], "k:", label="rendering alone, ideal"
    )
    axes.axhline(
        one.planning / 60, color="gray", linestyle="--", linewidth=1, label="planning pass"
    )
    axes.axhline(one.joining / 60, color="gray", linestyle=":", linewidth=1, label="join")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="workers of one core",
        ylabel="minutes",
        title=f"{HOURS} hours of film, simulated",
    )
    axes.set_xticks(WORKERS, map(str, WORKERS))
    axes.minorticks_off()
    axes.legend(fontsize=7)


def _draw_by_length(axes: Any, costs: Costs, shots: Sequence[Shot]) -> None:
    found = [times(costs, shots, seconds, WORKERS[-1]) for seconds in LENGTHS]
    parts = {
        "planning pass": [t.planning / 60 for t in found],
        "rendering": [t.rendering / 60 for t in found],
        "join": [t.joining / 60 for t in found],
    }
    places = range(len(LENGTHS))
    below = np.zeros(len(LENGTHS))
    for name, minutes in parts.items():
        axes.bar(places, minutes, bottom=below, label=name)
        below += minutes
    axes.plot(places, [t.longest / 60 for t in found], "k_", label="longest segment", markersize=12)
    axes.set(
        xlabel="length of segments, seconds",
        ylabel="minutes",
        title=f"{WORKERS[-1]} workers, simulated",
    )
    axes.set_xticks(places, map(str, LENGTHS))
    axes.legend(fontsize=7)
