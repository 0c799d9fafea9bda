"""References: colour pictures, and which of them colours which shot, and when.

Pictures are read with Pillow, which tells a picture's size before it decodes it and knows CMYK,
16-bit, palettes, alpha and orientation. It opens no format that could run anything (PostScript).
"""

from __future__ import annotations

import hashlib
import warnings
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from .errors import BadReference
from .frames import Shot

Picture = npt.NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM")
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".ppm"}
MOST_PIXELS = 100_000_000
SMALLEST_SIDE = 16
KEPT_SIDE = 1024  # the network looks at some 256 pixels; more than this is weight
GREY = 1.5  # mean distance of channels from their mean, of 255, below which a picture has no colour


@dataclass(frozen=True, eq=False)
class Reference:
    """A colour picture: RGB uint8 ``[H, W, 3]``.

    ``at`` is the pts of the film's frame that it is, if it is one. ``digest`` is the sha256 of its
    pixels: equal pictures are embedded once, whatever their names.
    """

    image: Picture
    path: Path
    at: int | None = None
    digest: str = ""

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise ValueError(f"a reference is RGB uint8 [H, W, 3], got {self.image.shape}")
        if not self.digest:
            content = repr(self.image.shape).encode() + self.image.tobytes()
            object.__setattr__(self, "digest", hashlib.sha256(content).hexdigest())

    def moved(self, at: int | None) -> Reference:
        """The same picture at another time."""
        return replace(self, at=at)


def load_reference(path: Path, at: int | None = None) -> Reference:
    """Read a reference picture. Raises :class:`BadReference` if it cannot serve as one.

    Alpha is laid over mid grey, the orientation that a camera noted is applied, and a picture with a
    short side of more than ``KEPT_SIDE`` pixels is reduced to it.
    """
    name = repr(str(path))
    if not path.exists():
        raise BadReference(f"no reference at {name}; give a colour picture such as keyframe.png")
    if not path.is_file():
        raise BadReference(f"the reference {name} is no file; give a colour picture")
    image = np.ascontiguousarray(_read(path, name))
    height, width = image.shape[:2]
    if min(height, width) < SMALLEST_SIDE:
        raise BadReference(
            f"the reference {name} is tiny ({width}x{height}); "
            f"it needs {SMALLEST_SIDE} pixels on each side, better 256"
        )
    channels = image.reshape(-1, 3).astype(np.float32)
    if np.abs(channels - channels.mean(1, keepdims=True)).mean() < GREY:
        raise BadReference(f"the reference {name} is grey; give a picture with colours")
    return Reference(image, path, at)


def _read(path: Path, name: str) -> Picture:
    try:
        with warnings.catch_warnings(), Image.open(path, formats=FORMATS) as picture:
            warnings.simplefilter("ignore")  # its size is looked at here
            width, height = picture.size
            if width * height > MOST_PIXELS:
                raise BadReference(_enormous(name, f"{width}x{height} pixels"))
            scale = KEPT_SIDE / min(width, height)
            if scale < 1:
                picture.draft("RGB", (round(width * scale), round(height * scale)))
            upright = ImageOps.exif_transpose(picture)
            return np.asarray(_reduced(_opaque(upright)))
    except Image.DecompressionBombError as error:
        raise BadReference(_enormous(name, str(error).split(", could")[0])) from None
    except UnidentifiedImageError:
        raise BadReference(
            f"the reference {name} is not a picture that can be read; accepted: {', '.join(FORMATS)}"
        ) from None
    except BadReference:
        raise
    except Exception as error:  # a damaged picture makes decoders raise nearly anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BadReference(
            f"the reference {name} is damaged ({reason}); save it anew, as PNG for example"
        ) from None


def _enormous(name: str, size: str) -> str:
    return (
        f"the reference {name} is enormous ({size}); at most {MOST_PIXELS // 1_000_000} million "
        "pixels are read, and 1024 on the short side are enough"
    )


def _opaque(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    over = picture.convert("RGBA")
    ground = Image.new("RGBA", over.size, (128, 128, 128, 255))
    return Image.alpha_composite(ground, over).convert("RGB")


def _reduced(picture: Image.Image) -> Image.Image:
    scale = KEPT_SIDE / min(picture.size)
    if scale >= 1:
        return picture
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.BOX)


def load_references(paths: Iterable[Path]) -> list[Reference]:
    """The references at ``paths``; a folder stands for all its pictures, by name."""
    return [load_reference(file) for path in paths for file in _files(path)]


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    pictures = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
    if not pictures:
        raise BadReference(
            f"the folder {str(path)!r} holds no picture; accepted: {', '.join(sorted(SUFFIXES))}"
        )
    yield from pictures


Weights = tuple[tuple[Reference, float], ...]


@dataclass(frozen=True, eq=False)
class ReferenceMap:
    """Which references colour which shot: ``references[i]`` are those of ``shots[i]``, by time.

    Shots are in order and without holes. A shot has one reference, or several with different ``at``.
    """

    shots: tuple[Shot, ...]
    references: tuple[tuple[Reference, ...], ...]

    def __post_init__(self) -> None:
        if not self.shots or len(self.shots) != len(self.references):
            raise ValueError(f"{len(self.shots)} shots have {len(self.references)} references")
        for before, after in pairwise(self.shots):
            if before.stop != after.start:
                raise ValueError(f"shot {after.index} starts at {after.start}, not {before.stop}")
        if not all(self.references):
            raise ValueError("every shot has a reference")
        for row in self.references:
            times = [reference.at for reference in row if reference.at is not None]
            if len(row) > 1 and (len(times) < len(row) or times != sorted(set(times))):
                raise ValueError("several references of a shot have each their own time, in order")

    @classmethod
    def single(cls, reference: Reference, shots: Sequence[Shot]) -> ReferenceMap:
        """One reference for the whole film."""
        return cls(tuple(shots), ((reference,),) * len(shots))

    def distinct(self) -> tuple[Reference, ...]:
        """Every different picture once, in the order of its first use."""
        found: dict[str, Reference] = {}
        for row in self.references:
            for reference in row:
                found.setdefault(reference.digest, reference)
        return tuple(found.values())

    def weights_at(self, pts: int) -> Weights:
        """The references that colour the frame at ``pts``, with weights that sum to 1.

        Between two keyframes of a shot the weight moves linearly from one to the next. In a dissolve
        the outgoing shot's last look fades into the incoming's. A cut is a change from one frame to
        the next.
        """
        index = max(0, bisect_left(self.shots, pts + 1, key=lambda shot: shot.start) - 1)
        shot, own = self.shots[index], self._in_shot(index, pts)
        if not index or not shot.start <= pts < shot.start + shot.dissolve:
            return own
        # The first frame of a dissolve shows a little of the new shot, the last nearly all of it.
        share = (pts - shot.start + 0.5) / shot.dissolve
        return _mixed(self._in_shot(index - 1, shot.start), own, share)

    def _in_shot(self, index: int, pts: int) -> Weights:
        row = self.references[index]
        times = [reference.at for reference in row if reference.at is not None]
        if len(times) < 2:
            return ((row[0], 1.0),)
        later = bisect_left(times, pts)
        if later in (0, len(times)):
            return ((row[min(later, len(times) - 1)], 1.0),)
        share = (pts - times[later - 1]) / (times[later] - times[later - 1])
        return _mixed(((row[later - 1], 1.0),), ((row[later], 1.0),), share)

    def snapped(self, pts: Sequence[int]) -> ReferenceMap:
        """The same map with its borders on frames.

        ``pts`` are those of the film's frames in order. A border written to the millisecond may lie
        half a millisecond beside its frame; the nearest frame is taken. The first shot begins with
        the film and the last ends with it. Shots in which no frame is left are dropped.
        """
        starts = [pts[0], *(_nearest(pts, shot.start) for shot in self.shots[1:])]
        stops = [*starts[1:], max(pts[-1] + 1, self.shots[-1].stop)]
        shots: list[Shot] = []
        rows = []
        for shot, start, stop, row in zip(self.shots, starts, stops, self.references, strict=True):
            if stop > start:
                dissolve = min(shot.dissolve, stop - start) if shots else 0
                shots.append(Shot.after(dissolve, len(shots), start, stop))
                rows.append(
                    tuple(r.moved(r.at if r.at is None else _nearest(pts, r.at)) for r in row)
                )
        return ReferenceMap(tuple(shots), tuple(rows))


def _nearest(pts: Sequence[int], wanted: int) -> int:
    after = bisect_left(pts, wanted)
    near = pts[max(0, after - 1) : after + 1]
    return min(near, key=lambda t: abs(t - wanted))


def _mixed(first: Weights, second: Weights, share: float) -> Weights:
    """Both looks, the second with ``share``; equal pictures are counted together."""
    total: dict[str, tuple[Reference, float]] = {}
    for weights, part in ((first, 1 - share), (second, share)):
        for reference, weight in weights:
            _, before = total.get(reference.digest, (reference, 0.0))
            total[reference.digest] = (reference, before + weight * part)
    return tuple((reference, weight) for reference, weight in total.values() if weight > 0)
