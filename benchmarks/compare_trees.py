"""Two versions of the program on the same film, in turns: seconds, processor time, memory, and their ratio.

    git worktree add ../before v0.1
    python -m benchmarks.compare_trees ../before film.mp4 --ref keyframe.png [--quality draft]

The other version runs with the packages of this environment. Further options, at the end, are given to this
version only. Each time is the least of the repeats, and that of the whole command, start-up included.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parents[1]


class Run(NamedTuple):
    """One run of the command: wall-clock seconds, processor seconds, peak resident memory in MiB."""

    wall: float
    processor: float
    memory: float


def timed(tree: Path, film: Path, reference: Path, words: Sequence[str]) -> Run:
    """Colorize a film with the version in a folder. A child is waited for, to know its own resources."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / f"out{film.suffix}"
        command = [sys.executable, "-m", "c2e_video", str(film), "--ref", str(reference)]
        began = time.monotonic()
        child = subprocess.Popen(
            [*command, "-o", str(output), *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(tree)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert child.stderr is not None
        said = child.stderr.read().decode()
        used: resource.struct_rusage
        _, status, used = os.wait4(child.pid, 0)
        if status or not output.exists():
            raise SystemExit(f"{tree}: {said}")
    return Run(time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def least(runs: Sequence[Run]) -> Run:
    """The least of each figure."""
    return Run(*(min(values) for values in zip(*runs, strict=True)))


def main() -> None:
    """Print a line for each version, and one for their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path, help="The folder of the other version.")
    parser.add_argument("film", type=Path)
    parser.add_argument("--ref", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=2)
    wanted, own = parser.parse_known_args()
    film, reference = wanted.film.resolve(), wanted.ref.resolve()
    other, this = [], []
    for _ in range(wanted.repeats):
        other.append(timed(wanted.other.resolve(), film, reference, []))
        this.append(timed(HERE, film, reference, own))
    before, after = least(other), least(this)
    for name, run in (("other", before), ("this", after)):
        print(
            f"{name:6} {run.wall:7.1f} s, processor {run.processor:7.1f} s, {run.memory:6.0f} MiB"
        )
    ratios = [a / b for a, b in zip(before, after, strict=True)]
    print(f"ratio  {ratios[0]:7.2f}    processor {ratios[1]:7.2f}    memory {ratios[2]:6.2f}")


if __name__ == "__main__":
    main()
