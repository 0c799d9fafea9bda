"""How fast a film is planned, against real time, and whether memory grows with the film.

    python benchmarks/planning.py [--minutes 120] [--references 8]

Two films are made: a long one of low resolution for the memory, and two minutes at 854x480 for the
speed. Both are pans over drawn pictures with grain, a cut every six seconds.
"""

from __future__ import annotations

import argparse
import platform
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from c2e_video.decode import decode, probe
from c2e_video.plan import survey
from c2e_video.reference_pictures import Reference

RATE, SHOT = 24, 6 * 24
NOTED = (0.1, 0.25, 0.5, 1.0)  # shares of the film at which memory is noted


def pans(count: int, width: int, height: int) -> Iterator[Any]:
    """``count`` grey pictures, a new scene every ``SHOT``."""
    rng = np.random.default_rng(0)
    grain = rng.normal(0, 3, (8, height, width)).astype(np.float32)
    for index in range(count):
        if index % SHOT == 0:
            layers = [
                cv2.resize(rng.random((4 * k, 9 * k)).astype(np.float32), (2 * width, height))
                for k in (1, 3, 9)
            ]
            scene = 40 + 60 * np.sum(layers, axis=0)
        left = index % SHOT * width // SHOT
        noisy = scene[:, left : left + width] + grain[index % 8]
        yield noisy.clip(16, 235).astype(np.uint8)


def write(path: Path, count: int, width: int, height: int) -> Path:
    """An H.264 film of ``pans``, as players' films are encoded (crf 23)."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for gray in pans(count, width, height):
            planes = np.full((height * 3 // 2, width), 128, np.uint8)
            planes[:height] = gray
            film.mux(stream.encode(av.VideoFrame.from_ndarray(planes, "yuv420p")))
        film.mux(stream.encode(None))
    return path


def peak_mib() -> float:
    """The most memory this process has ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def references_of(film: Path, count: int) -> list[Reference]:
    """Frames of the film as its references."""
    frames = (frame for i, frame in enumerate(decode(film, probe(film))) if i % SHOT == SHOT // 2)
    pictures = (np.repeat(frame.luma[:, :, None], 3, axis=2) for frame in frames)
    return [Reference(p, Path(f"{i}.png")) for i, p in zip(range(count), pictures, strict=False)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--references", type=int, default=8)
    wanted = parser.parse_args()
    print(
        f"{platform.processor() or platform.machine()}, av {av.__version__}, cv2 {cv2.__version__}"
    )
    with tempfile.TemporaryDirectory() as folder:
        film = write(Path(folder) / "480p.mp4", 120 * RATE, 854, 480)
        kilobits = film.stat().st_size * 8 / 120 / 1000
        given = references_of(film, wanted.references)
        began = time.perf_counter()
        decoded = sum(1 for _ in decode(film, probe(film)))
        alone = time.perf_counter() - began
        for references in ([], given):
            began = time.perf_counter()
            found = survey(film, probe(film), references)
            seconds = time.perf_counter() - began
            print(
                f"854x480 at {kilobits:.0f} kbit/s, {len(references)} references: "
                f"{len(found.pts) / seconds:.0f} frames/s, {120 / seconds:.1f} times real time, "
                f"{alone / seconds:.2f} of decoding alone ({decoded / alone:.0f} frames/s); "
                f"{len(found.shots)} shots of 20"
            )
        count = round(wanted.minutes * 60 * RATE)
        long = write(Path(folder) / "long.mp4", count, 160, 90)
        marks = {round(share * count): share for share in NOTED}
        seen = 0

        def on_frame(_: object) -> None:
            nonlocal seen
            seen += 1
            if seen in marks:
                print(f"  after {marks[seen]:.0%} of {count} frames: peak {peak_mib():.0f} MiB")

        survey(long, probe(long), given, on_frame=on_frame)


if __name__ == "__main__":
    main()
