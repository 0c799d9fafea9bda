"""Numbered pictures as a film: a folder of them, or a pattern such as ``scan_%05d.dpx``.

The number of a picture is its time. The suffixes of a run may differ in case.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

from av.error import FFmpegError
from av.video.frame import VideoFrame

from ...errors import MediaError
from ..frames import VideoInfo
from .image_file import DECODERS, decode_image, is_image
from .metadata import depth_of, is_full, matrix_of, tag_of
from .report import DecodeReport

USUAL_RATE = Fraction(24)
_PATTERN = re.compile(r"(.*?)%0?\d*d(.*)", re.DOTALL)
_DIGITS = re.compile(r"(\d+)")
_NAMED = 8  # so many stretches of missing numbers are listed


@dataclass(frozen=True)
class ImageSequence:
    """A run of numbered pictures.

    A number that is missing leaves a hole in time, over which the picture before it stays.

    Args:
        pattern: The name of its files, as a user gives it: ``scan_%05d.dpx``.
        numbers: The numbers there are, in growing order.
        files: The picture of each number.
        left: The names of the folder's other pictures.
    """

    pattern: str
    numbers: tuple[int, ...]
    files: tuple[Path, ...]
    left: tuple[str, ...] = ()

    def describe(self, path: str | Path, rate: Fraction) -> VideoInfo:
        """The film these pictures make, as the first that decodes describes it.

        Args:
            path: What the user gave; for messages.
            rate: Pictures a second. The time base is one over its numerator.

        Raises:
            MediaError: None of the pictures decodes.
        """
        rate = rate.limit_denominator(1001)
        for file in self.files:
            try:
                picture, context = decode_image(file)
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
        """Decode the pictures from a time on.

        Args:
            info: The film, as :meth:`describe` gave it.
            start: The first pts in ``info.time_base``; None for all.
            lead: So many pictures before that are given too.
            report: Counts the pictures that do not decode; they are left out.

        Yields:
            The pictures, each with its pts.
        """
        assert info.frame_rate is not None
        step = info.frame_rate.denominator
        times = [(number - self.numbers[0]) * step for number in self.numbers]
        first = next((i for i, time in enumerate(times) if start is None or time >= start), None)
        if first is None:
            return
        first = max(0, first - lead)
        for file, time in zip(self.files[first:], times[first:], strict=True):
            try:
                picture, _ = decode_image(file)
            except (FFmpegError, OSError):
                report.corrupt_packets += 1
                continue
            picture.pts, picture.duration = time, 0
            yield picture

    def notes(self, rate: Fraction | None) -> list[str]:
        """Lines on the rate they are shown at, on missing numbers, and on pictures that are left out."""
        shown = f"{float(rate or USUAL_RATE):.5g}"
        lines = [f"{len(self.files)} pictures {self.pattern} are taken as {shown} a second (fps=…)"]
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

    Raises:
        MediaError: The folder holds no numbered pictures, or several runs of them.
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
    pictures = _images_in(folder)
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


def _images_in(folder: Path) -> list[Path]:
    return [
        file
        for file in folder.iterdir()
        if is_image(file) and not file.name.startswith(".") and file.is_file()
    ]


def check_alone(path: Path) -> None:
    """Raise a :class:`MediaError` if a picture given as a film is one of a run; it names the run."""
    if not is_image(path) or not path.is_file():
        return
    try:
        runs = _found(_images_in(path.parent))
    except OSError:
        return
    for key, run in runs.items():
        if len(run) > 1 and path.name in {file.name for _, file in run}:
            raise MediaError(
                f"{str(path)!r} is one of {len(run)} numbered pictures; for all of them give "
                f"{str(path.with_name(_told(key, run)))!r}, for this one alone copy it into a folder "
                "of its own"
            )


def _matching(files: Iterable[Path], pattern: str) -> Runs:
    """The run that a pattern names; its suffix in any case, unless numbers would be there twice."""
    before, after = _PATTERN.fullmatch(pattern).groups()  # type: ignore[union-attr]
    suffix = Path(pattern).suffix
    stem = after.removesuffix(suffix)
    name = re.compile(f"{re.escape(before)}(\\d+){re.escape(stem)}(?i:{re.escape(suffix)})")
    run = [(int(m[1]), file) for file in files if (m := name.fullmatch(file.name))]
    if len({number for number, _ in run}) < len(run):
        run = [(number, file) for number, file in run if file.name.endswith(after)]
    return {(before, after): run} if run else {}


def _found(files: Iterable[Path]) -> Runs:
    """All runs among files whose names are alike but for digits: those that vary most are the number."""
    alike: dict[tuple[str, ...], list[tuple[list[str], Path]]] = defaultdict(list)
    for file in files:
        pieces = _DIGITS.split(file.stem)
        alike[(*pieces[::2], file.suffix.lower())].append((pieces, file))
    runs: Runs = defaultdict(list)
    for (*words, _), members in alike.items():
        places = range(1, 2 * len(words) - 1, 2)
        if not places:
            continue
        values = {place: {pieces[place] for pieces, _ in members} for place in places}
        number = max(places, key=lambda place: (len(values[place]), place))
        suffix = Counter(file.suffix for _, file in members).most_common(1)[0][0]
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


def check_not_among(source: str | Path, folder: Path) -> None:
    """Raise :class:`MediaError` if a folder to be written to is the one that a source's pictures are in."""
    run = numbered(source)
    if run is not None and run.files[0].parent.resolve() == folder.resolve():
        raise MediaError(
            f"the folder {str(folder)!r} holds the pictures of the film {str(source)!r}; write to another"
        )


def base_path(path: Path) -> Path:
    """The path that a source would have as a film in one file, without a suffix."""
    if path.is_dir():
        return path.resolve()
    pattern = _PATTERN.fullmatch(path.name)
    if pattern is None or path.exists():
        return path.with_suffix("")
    return path.resolve().with_name(pattern[1].rstrip("_-. ") or path.resolve().parent.name)
