"""ImageSequence pictures as a film: a folder of them, or a pattern such as ``scan_%05d.dpx``."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import av
from av.error import FFmpegError
from av.video.frame import VideoFrame

from ...errors import MediaError
from ..frames import VideoInfo
from .demuxer import MAX_SAMPLES
from .metadata import depth_of, is_full, matrix_of, tag_of
from .report import DecodeReport

USUAL_RATE = Fraction(24)
DECODERS = {
    ".png": "png",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".dpx": "dpx",
    ".jpg": "mjpeg",
    ".jpeg": "mjpeg",
}
_PATTERN = re.compile(r"(.*?)%0?\d*d(.*)", re.DOTALL)
_DIGITS = re.compile(r"(\d+)")
_NAMED = 8  # so many stretches of missing numbers are listed


@dataclass(frozen=True)
class ImageSequence:
    """A run of numbered pictures: ``files[i]`` has ``numbers[i]``, in growing order.

    A number that is missing leaves a hole in time, over which the picture before it stays. ``left`` names
    the folder's other pictures.
    """

    pattern: str
    numbers: tuple[int, ...]
    files: tuple[Path, ...]
    left: tuple[str, ...] = ()

    def describe(self, path: str | Path, rate: Fraction) -> VideoInfo:
        """The film these pictures make at ``rate`` a second, by the first that decodes."""
        rate = rate.limit_denominator(1001)
        for file in self.files:
            try:
                picture, context = _decoded(file)
            except (FFmpegError, OSError):
                continue
            primaries = tag_of(picture.color_primaries)
            aspect = context.sample_aspect_ratio
            return VideoInfo(
                path=Path(path),
                width=picture.width,
                height=picture.height,
                pixel_format=picture.format.name,
                bit_depth=depth_of(picture.format),
                matrix=matrix_of(picture, tag_of(picture.colorspace), primaries),
                full_range=is_full(picture, 0, context.name),
                transfer=tag_of(picture.color_trc),
                primaries=primaries,
                sample_aspect_ratio=Fraction(aspect) if aspect and aspect > 0 else Fraction(1),
                rotation=0,
                time_base=Fraction(1, rate.numerator),
                frame_rate=rate,
                frame_count=len(self.files),
                duration_seconds=float((self.numbers[-1] - self.numbers[0] + 1) / rate),
            )
        raise MediaError(
            f"{str(path)!r}: none of its {len(self.files)} numbered pictures can be decoded; "
            "they are damaged or of another format than their suffix says"
        )

    def pictures(
        self, info: VideoInfo, start: int | None, lead: int, report: DecodeReport
    ) -> Iterator[VideoFrame]:
        """The pictures from pts ``start`` on, and ``lead`` before it; damaged ones are counted."""
        assert info.frame_rate is not None
        step = info.frame_rate.denominator
        times = [(number - self.numbers[0]) * step for number in self.numbers]
        first = next((i for i, time in enumerate(times) if start is None or time >= start), None)
        if first is None:
            return
        first = max(0, first - lead)
        for file, time in zip(self.files[first:], times[first:], strict=True):
            try:
                picture, _ = _decoded(file)
            except (FFmpegError, OSError):
                report.corrupt_packets += 1
                continue
            picture.pts, picture.duration = time, 0
            yield picture

    def notes(self, rate: Fraction | None) -> list[str]:
        """What a user should know before they are taken for a film."""
        shown = f"{float(rate or USUAL_RATE):.5g}"
        lines = [f"{len(self.files)} pictures {self.pattern} are taken as {shown} a second (--fps)"]
        holes = [(a + 1, b - 1) for a, b in pairwise(self.numbers) if b > a + 1]
        if holes:
            named = _some([f"{a}" if a == b else f"{a} to {b}" for a, b in holes], "stretches")
            lines.append(f"missing in {self.pattern}: {named}; the picture before stays")
        if self.left:
            named = _some(self.left, "pictures")
            lines.append(f"not among {self.pattern}, and left out: {named}")
        return lines


def _some(names: Sequence[str], what: str) -> str:
    """The first names, and how many more there are."""
    more = [f"{len(names) - _NAMED} more {what}"] if len(names) > _NAMED else []
    return ", ".join([*names[:_NAMED], *more])


def numbered(path: str | Path) -> ImageSequence | None:
    """The pictures that a folder or a pattern stands for; None where ``path`` is neither.

    Raises :class:`MediaError` for a folder without numbered pictures or with several runs of them.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return _in_folder(path, path.stat().st_mtime_ns)
        if _PATTERN.fullmatch(path.name) and not path.exists() and path.parent.is_dir():
            return _in_folder(path.parent, path.parent.stat().st_mtime_ns, path.name)
    except (OSError, ValueError):
        pass
    return None


# Pictures by what stands before and after their numbers.
Runs: TypeAlias = "dict[tuple[str, str], list[tuple[int, Path]]]"


@lru_cache(maxsize=4)
def _in_folder(folder: Path, changed: int, pattern: str | None = None) -> ImageSequence | None:
    pictures = [
        file
        for file in folder.iterdir()
        if file.suffix.lower() in DECODERS and not file.name.startswith(".") and file.is_file()
    ]
    name = repr(str(folder))
    if pattern is not None:
        runs = _matching(pictures, pattern)
        if not runs:
            raise MediaError(
                f"{name} holds no picture named {pattern}; the pictures of a film are "
                f"{_suffixes()}, numbered as in scan_00001.png"
            )
    else:  # one picture alone, such as a poster, makes no film
        runs = {key: run for key, run in _found(pictures).items() if len(run) > 1}
    if not runs:
        raise MediaError(
            f"{name} is a folder without numbered pictures ({_suffixes()}); give a film, or "
            "pictures named as in scan_00001.png"
        )
    if len(runs) > 1:
        told = sorted(f"{_told(key, run)} ({len(run)})" for key, run in runs.items())
        raise MediaError(
            f"{name} is a folder with {len(runs)} runs of pictures: {', '.join(told[:_NAMED])}; "
            f"give one, as {str(folder / told[0].rsplit(' ', 1)[0])!r}"
        )
    ((key, run),) = runs.items()
    run.sort()
    for (number, before), (same, after) in pairwise(run):
        if number == same:
            raise MediaError(
                f"{name} holds two pictures with number {number}, {before.name!r} and "
                f"{after.name!r}; leave one"
            )
    numbers, files = zip(*run, strict=True)
    left = sorted(file.name for file in set(pictures).difference(files)) if pattern is None else []
    return ImageSequence(_told(key, run), numbers, files, tuple(left))


def _matching(files: Iterable[Path], pattern: str) -> Runs:
    """The run that a pattern names."""
    before, after = _PATTERN.fullmatch(pattern).groups()  # type: ignore[union-attr]
    name = re.compile(f"{re.escape(before)}(\\d+){re.escape(after)}")
    runs: Runs = defaultdict(list)
    for file in files:
        if match := name.fullmatch(file.name):
            runs[before, after].append((int(match[1]), file))
    return runs


def _found(files: Iterable[Path]) -> Runs:
    """All runs among files whose names are alike but for digits: those that vary most are the number."""
    alike: dict[tuple[str, ...], list[tuple[list[str], Path]]] = defaultdict(list)
    for file in files:
        pieces = _DIGITS.split(file.stem)
        alike[(*pieces[::2], file.suffix)].append((pieces, file))
    runs: Runs = defaultdict(list)
    for (*words, suffix), members in alike.items():
        places = range(1, 2 * len(words) - 1, 2)
        if not places:
            continue
        values = {place: {pieces[place] for pieces, _ in members} for place in places}
        number = max(places, key=lambda place: (len(values[place]), place))
        for pieces, file in members:
            key = "".join(pieces[:number]), "".join(pieces[number + 1 :]) + suffix
            runs[key].append((int(pieces[number]), file))
    return runs


def _told(key: tuple[str, str], run: list[tuple[int, Path]]) -> str:
    """The pattern of a run, as a user gives it."""
    widths = {len(file.name) - len("".join(key)) for _, file in run}
    digits = f"%0{min(widths)}d" if len(widths) == 1 else "%d"
    return digits.join(key)


def _suffixes() -> str:
    return ", ".join(suffix[1:] for suffix in DECODERS)


def files_of(path: str | Path) -> tuple[Path, ...]:
    """The files a source is made of: the film itself, or its numbered pictures in order."""
    run = numbered(path)
    return (Path(path),) if run is None else run.files


def base_path(path: Path) -> Path:
    """The path that a source would have as a film in one file, without a suffix."""
    if path.is_dir():
        return path.resolve()
    pattern = _PATTERN.fullmatch(path.name)
    if pattern is None or path.exists():
        return path.with_suffix("")
    return path.resolve().with_name(pattern[1].rstrip("_-. ") or path.resolve().parent.name)


def _decoded(file: Path) -> tuple[VideoFrame, Any]:
    context: Any = av.CodecContext.create(DECODERS[file.suffix.lower()], "r")
    context.options = {"max_pixels": str(MAX_SAMPLES)}
    context.thread_count = 1
    packet: Any = av.Packet(file.read_bytes())
    pictures = context.decode(packet) if packet.size else []
    if not pictures:
        raise av.error.InvalidDataError(0, "no picture", str(file))
    return pictures[0], context
