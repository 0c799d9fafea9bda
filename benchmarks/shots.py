"""How well shots are found: F1 on generated films whose shots are known, by damage and by kind.

    python -m benchmarks.shots                       # pictures of scikit-image, and drawn ones
    python -m benchmarks.shots --photos photos.tar   # your own photographs, a tar or a folder

A transition found matches a true one if its middle lies within the true one's frames, or at most
``TOLERANCE`` outside; each is matched once.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import cv2
import numpy as np

from benchmarks.shot_films import Album, Damage, Film, Transition, make_film
from c2e_video.shots.detector import ShotDetector
from c2e_video.video.frames import Frame, Shot

TOLERANCE = 4  # frames; a sixth of a second
SEEDS = (201, 202)  # none that anything was tuned on


@dataclass
class Score:
    """What was found, of what there was."""

    true: Counter[str] = field(default_factory=Counter)
    hit: Counter[str] = field(default_factory=Counter)
    false: int = 0
    on_flashes: int = 0
    flashes: int = 0
    seconds: float = 0.0
    frames: int = 0

    @property
    def f1(self) -> float:
        """2 hits against all true and all found."""
        hits = self.hit.total()
        return 2 * hits / (self.true.total() + hits + self.false)

    def add(self, film: Film, shots: Sequence[Shot]) -> None:
        """Count one film's."""
        found = [shot.start + shot.dissolve // 2 for shot in shots[1:]]
        for transition in film.transitions:
            self.true[transition.kind] += 1
            near = [at for at in found if _near(at, transition)]
            if near:
                self.hit[transition.kind] += 1
                found.remove(min(near, key=lambda at: abs(at - transition.start)))
        self.false += len(found)
        self.on_flashes += sum(
            any(abs(at - lit) <= TOLERANCE for lit in film.flashes) for at in found
        )
        self.flashes += len([lit for lit in film.flashes if lit - 1 not in film.flashes])
        self.frames += film.count

    def row(self, name: str) -> str:
        """A line of the table."""
        kinds = (f"{self.hit[kind]}/{self.true[kind]}" for kind in ("cut", "fade", "dissolve"))
        flashes = f"{self.on_flashes}/{self.flashes}"
        milliseconds = 1000 * self.seconds / self.frames
        cells = (name, f"{self.f1:.3f}", *kinds, str(self.false), flashes, f"{milliseconds:.2f}")
        return f"| {' | '.join(cells)} |"


HEAD = """| damage | F1 | cuts | fades | dissolves | false | on flashes | ms a frame |
| --- | --- | --- | --- | --- | --- | --- | --- |"""


def _near(at: int, transition: Transition) -> bool:
    return transition.start - TOLERANCE <= at < transition.stop + TOLERANCE


def watched(detector: ShotDetector, frames: Iterable[Frame], score: Score) -> list[Shot]:
    """The shots, with the processor's time for them counted."""
    for frame in frames:
        began = time.process_time()
        detector.update(frame)
        score.seconds += time.process_time() - began
    began = time.process_time()
    shots = detector.compute()
    score.seconds += time.process_time() - began
    return shots


def films(seeds: Sequence[int], damage: Damage, album: Album, size: int) -> Iterator[Film]:
    """The test films of one damage."""
    for seed in seeds:
        yield make_film(seed, damage, album, cuts=4 * size, fades=size, dissolves=size)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--photos", type=Path, help="a tar or a folder of photographs for the scenes"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument(
        "--size", type=int, default=10, help="fades, dissolves and a fourth of the cuts"
    )
    parser.add_argument("--damages", nargs="+", default=get_args(Damage), choices=get_args(Damage))
    options = parser.parse_args()
    cv2.setNumThreads(1)
    album = Album(options.photos)
    print(f"tolerance {TOLERANCE} frames, seeds {options.seeds}:\n\n{HEAD}", flush=True)
    for damage in options.damages:
        score = Score()
        for film in films(options.seeds, damage, album, options.size):
            score.add(film, watched(ShotDetector(film.info), film.frames(), score))
        print(score.row(damage), flush=True)
    print(f"\n480p: {speed():.2f} ms a frame, the reduction of the picture included")


def speed() -> float:
    """Milliseconds of the processor for a frame of 854x480."""
    film = make_film(1, "old", Album(), cuts=3, fades=1, dissolves=1)
    frames = [
        Frame(np.asarray(cv2.resize(frame.luma, (854, 480)), np.uint8), frame.pts, 1)
        for frame in film.frames()
    ]
    score = Score(frames=len(frames))
    watched(ShotDetector(film.info), frames, score)
    return 1000 * score.seconds / score.frames


if __name__ == "__main__":
    main()
