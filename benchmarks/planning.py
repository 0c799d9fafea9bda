"""How fast a film is planned, against real time, and whether memory grows with the film.

    python -m benchmarks.planning [--minutes 120] [--references 8]

Two films are made: a long one of low resolution for the memory, and two minutes at 854x480 for the
speed. Both are pans over drawn pictures with grain, a cut every three seconds.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from pathlib import Path

import av
import cv2
import numpy as np

from benchmarks.throughput import RATE, SHOT_FRAMES, peak_mib, write_drawn
from c2e_video.planning.analysis import analyze
from c2e_video.planning.candidates import Candidate, CandidatePool
from c2e_video.planning.keyframes import gray_of
from c2e_video.video.decode.decoder import decode, probe

NOTED = (0.1, 0.25, 0.5, 1.0)  # shares of the film at which memory is noted


def candidates_of(film: Path, count: int) -> CandidatePool:
    """Frames of the film as candidates."""
    frames = (
        frame
        for i, frame in enumerate(decode(film, probe(film)))
        if i % SHOT_FRAMES == SHOT_FRAMES // 2
    )
    pictures = (np.repeat(frame.luma[:, :, None], 3, axis=2).astype(np.uint8) for frame in frames)
    return CandidatePool(
        [
            Candidate(Path(f"{i}.png"), gray_of(picture), np.zeros(1, np.float32))
            for i, picture in zip(range(count), pictures, strict=False)
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--references", type=int, default=8)
    wanted = parser.parse_args()
    print(
        f"{platform.processor() or platform.machine()}, av {av.__version__}, cv2 {cv2.__version__}"
    )
    with tempfile.TemporaryDirectory() as folder:
        film = write_drawn(Path(folder) / "480p.mp4", 120 * RATE, 854, 480)
        kilobits = film.stat().st_size * 8 / 120 / 1000
        given = candidates_of(film, wanted.references)
        began = time.perf_counter()
        decoded = sum(1 for _ in decode(film, probe(film)))
        alone = time.perf_counter() - began
        for references in (CandidatePool(()), given):
            began = time.perf_counter()
            found = analyze(film, probe(film), references)
            seconds = time.perf_counter() - began
            print(
                f"854x480 at {kilobits:.0f} kbit/s, {len(references)} references: "
                f"{len(found.pts) / seconds:.0f} frames/s, {120 / seconds:.1f} times real time, "
                f"{alone / seconds:.2f} of decoding alone ({decoded / alone:.0f} frames/s); "
                f"{len(found.shots)} shots of 40"
            )
        count = round(wanted.minutes * 60 * RATE)
        long = write_drawn(Path(folder) / "long.mp4", count, 160, 90)
        marks = {round(share * count): share for share in NOTED}
        seen = 0

        def on_frame(_: object) -> None:
            nonlocal seen
            seen += 1
            if seen in marks:
                print(f"  after {marks[seen]:.0%} of {count} frames: peak {peak_mib():.0f} MiB")

        analyze(long, probe(long), given, on_frame=on_frame)


if __name__ == "__main__":
    main()
