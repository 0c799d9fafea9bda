"""How long a film of many shots is planned against a folder of many pictures, stage by stage.

    python -m benchmarks.picture_folder scenes/ pictures/ [--shots 600] [--pictures 2000] [--sheet film.html]

The film is made of the first folder: a pan of 30 frames over each of its pictures, hard cuts between them.
The second folder gives the references; none of them shows a scene of the film, unless it is in both.
The stages are those of ``c2e-video plan --sheet``. Processor time is that of all threads.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from benchmarks.throughput import peak_mib
from c2e_video.inference.matching import PictureMatcher
from c2e_video.inference.video_colorizer import VideoColorizer
from c2e_video.pipeline.options import Options, colorizer_for
from c2e_video.pipeline.time_estimate import estimate_seconds
from c2e_video.planning.contact_sheet import write_sheet
from c2e_video.planning.coverage import FilmMatcher
from c2e_video.planning.planner import make_plan
from c2e_video.references.given import sort_references
from c2e_video.utils.devices import configure_process
from c2e_video.video.decode.decoder import probe

WIDTH, HEIGHT, RATE, SHOT_FRAMES = 480, 270, 24, 30
ROOM = 1.3  # of a scene's sides over those of the frame: the way of the pan
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def pictures_under(folder: Path, count: int) -> list[Path]:
    """So many picture files, evenly over a folder and those within it."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if len(found) < count:
        raise SystemExit(f"{folder} holds {len(found)} pictures; {count} are asked for")
    return [found[i * len(found) // count] for i in range(count)]


def pan(picture: Path) -> Iterator[Any]:
    """Gray frames ``[H, W]``: the camera moves over a picture."""
    image: Any = cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE)
    scale = ROOM * max(WIDTH / image.shape[1], HEIGHT / image.shape[0])
    wide = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    for step in np.linspace(0, 1, SHOT_FRAMES):
        top, left = (
            int(step * (side - of)) for side, of in zip(wide.shape, (HEIGHT, WIDTH), strict=True)
        )
        yield wide[top : top + HEIGHT, left : left + WIDTH]


def write_film(path: Path, scenes: Sequence[Path]) -> Path:
    """A film with one shot for each scene."""
    with av.open(str(path), "w") as film:
        stream: Any = film.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        for scene in scenes:
            for gray in pan(scene):
                planes[:HEIGHT] = gray
                film.mux(stream.encode(av.VideoFrame.from_ndarray(planes, "yuv420p")))
        film.mux(stream.encode(None))
    return path


class StageClock:
    """A watcher that prints how long each stage took."""

    def __init__(self) -> None:
        self.name, self.units = "starting", ""
        self.began = self.first = time.process_time()

    def stage(self, name: str, total: int | None, unit: str = "frame") -> None:
        now = time.process_time()
        print(
            f"{self.name:20} {now - self.began:7.1f} s {self.units:16} peak {peak_mib():.0f} MiB",
            flush=True,
        )
        self.name, self.units, self.began = name, f"{total} {unit}s" if total else "", now

    def advance(self, count: int) -> None: ...

    def note(self, line: str) -> None:
        print(line)


def main() -> None:
    """Print the time of every stage, and of all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", type=Path)
    parser.add_argument("references", type=Path)
    parser.add_argument("--shots", type=int, default=600)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--sheet", type=Path, help="Keep the contact sheet there.")
    wanted = parser.parse_args()
    configure_process()
    with tempfile.TemporaryDirectory() as folder:
        film = write_film(Path(folder) / "film.mp4", pictures_under(wanted.scenes, wanted.shots))
        pool = Path(folder) / "pictures"
        pool.mkdir()
        for number, picture in enumerate(pictures_under(wanted.references, wanted.pictures)):
            shutil.copy(picture, pool / f"{number:05}{picture.suffix}")
        clock = StageClock()
        info, options = probe(film), Options()
        video_colorizer = VideoColorizer(colorizer_for(options), info)
        film_matcher = FilmMatcher(PictureMatcher(video_colorizer.colorizer))
        given = sort_references(pool, info)
        plan = make_plan(film, info, given, video_colorizer, clock, film_matcher=film_matcher)
        stills = plan.proposals(film_matcher, clock)
        sheet = wanted.sheet or Path(folder) / "film.html"
        write_sheet(plan, stills, video_colorizer, sheet, clock)
        clock.stage("measuring time", None)
        estimate_seconds(plan, options)
        clock.stage("", None)
        print(f"{'in all':20} {time.process_time() - clock.first:7.1f} s; {plan.summary()}")
        print(f"sheet: {sheet.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
