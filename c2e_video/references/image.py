"""Reference pictures, of every kind that people keep.

They are read with Pillow, which tells a picture's size before it decodes it and knows CMYK, 16-bit,
palettes, alpha and orientation. It opens no format that could run anything (PostScript).
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import BadReference

Picture = npt.NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM")
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".ppm"}
MOST_PIXELS = 100_000_000
SMALLEST_SIDE = 16
KEPT_SIDE = 512  # the network looks at some 256 pixels, and there may be hundreds of references
GRAY = 1.5  # mean distance of channels from their mean, of 255, below which a picture has no colour


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

    Alpha is laid over mid gray, the orientation that a camera noted is applied, and a picture with a
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
    if np.abs(channels - channels.mean(1, keepdims=True)).mean() < GRAY:
        raise BadReference(f"the reference {name} is gray; give a picture with colours")
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
        f"pixels are read, and {KEPT_SIDE} on the short side are enough"
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
    # Names that begin with a dot are a system's own, such as macOS's "._" beside each file.
    named = (p for p in path.iterdir() if not p.name.startswith("."))
    pictures = sorted(p for p in named if p.suffix.lower() in SUFFIXES)
    if not pictures:
        raise BadReference(
            f"the folder {str(path)!r} holds no picture; accepted: {', '.join(sorted(SUFFIXES))}"
        )
    yield from pictures
