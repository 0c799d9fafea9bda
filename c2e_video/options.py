"""What is asked for: the options of a run, its output and its references, checked before any work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from pathlib import Path

from .colorizer import Colorizer
from .decode import Deinterlace, film_name
from .devices import Device, Precision
from .encode import EncodeSettings, output_suffix
from .errors import C2EError
from .frames import VideoInfo
from .reference_pictures import Reference, load_references
from .references import ReferenceMap
from .text_files import check_folder

_HALF_A_MILLISECOND = Fraction(1, 2000)


@dataclass(frozen=True)
class Options:
    """How a film is painted and written.

    All but ``device``, ``batch`` and ``drop`` is part of a job's identity; of ``weights``, their digest, and
    of ``precision``, what it came to.

    ``start`` and ``end`` are exact seconds on the film's own clock; only what lies between is painted and
    written. ``fps`` is how many numbered pictures are shown a second (24 if not told); films know it.
    ``drop`` names kinds of streams to leave out: audio, subtitles, attachments, data, chapters.
    """

    encode: EncodeSettings = field(default_factory=EncodeSettings)
    device: Device = "auto"
    precision: Precision = "auto"
    size: int = 256
    batch: int = 8
    saturation: float = 1.0
    weights: Path | None = None
    start: Fraction | None = None
    end: Fraction | None = None
    fps: Fraction | None = None
    deinterlace: Deinterlace = "off"
    drop: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= 1024:
            raise C2EError(f"batch is 1 to 1024 frames, got {self.batch}")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise C2EError(
                f"start {float(self.start):.3f} s is not before end {float(self.end):.3f} s"
            )


def colorizer_for(options: Options) -> Colorizer:
    """The network as ``options`` ask for it."""
    return Colorizer(
        options.weights,
        device=options.device,
        precision=options.precision,
        size=options.size,
        saturation=options.saturation,
    )


def default_output(source: Path, settings: EncodeSettings) -> Path:
    """``film.color.mp4`` beside ``film.avi`` or the folder ``film``; mkv and mov stay what they are.

    FFV1, ProRes and the profiles have a container of their own.
    """
    suffix = source.suffix.lower() if source.suffix.lower() in (".mkv", ".mov") else ".mp4"
    name = film_name(source)
    return name.with_name(f"{name.name}.color{output_suffix(settings) or suffix}")


def check_output(source: Path, output: Path, overwrite: bool) -> None:
    """Raise a :class:`C2EError` if the film could not be written to ``output`` in the end."""
    if str(output) == "-":
        raise C2EError(
            "a film is written whole or not at all, which standard output cannot promise; "
            "give a file name with -o"
        )
    check_folder(output)
    if output.is_dir():
        raise C2EError(f"the output {str(output)!r} is a folder; give a file name such as film.mp4")
    if output.exists() and source.exists() and output.samefile(source):
        raise C2EError(f"the output {str(output)!r} is the film itself; give another name with -o")
    if output.exists() and not overwrite:
        raise C2EError(f"{str(output)!r} exists; -y overwrites it, -o writes elsewhere")


def load_given(
    references: str | Path | Sequence[str | Path] | ReferenceMap, info: VideoInfo
) -> ReferenceMap | list[Reference]:
    """The map, or the pictures, that a user gave."""
    if isinstance(references, ReferenceMap):
        return references
    if isinstance(references, (str, Path)):
        references = [references]
    paths = [Path(reference) for reference in references]
    maps = [path for path in paths if path.suffix.lower() == ".csv"]
    if maps and len(paths) > 1:
        raise C2EError(f"a map {str(maps[0])!r} names its references itself; give it alone")
    return ReferenceMap.from_csv(maps[0], info) if maps else load_references(paths)


def window_of(info: VideoInfo, options: Options) -> tuple[int | None, int | None]:
    """The pts between which the film is painted; None where it is not cut short."""

    def first_from(seconds: Fraction | None) -> int | None:
        """The first pts whose time, in milliseconds as people write it, is not before ``seconds``."""
        return None if seconds is None else ceil((seconds - _HALF_A_MILLISECOND) / info.time_base)

    return first_from(options.start), first_from(options.end)
