"""Reference pictures: files that Pillow reads become sRGB arrays.

Pillow tells a picture's size before it decodes it, and knows CMYK, Lab, 16 bits, palettes, alpha and
orientation. Formats that could run a program (PostScript) are not opened (``picture_formats.py``).
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import BadReference
from ..utils.arrays import Picture
from .color_management import says_adobe_rgb, to_srgb
from .picture_formats import formats, is_readable, missing_plugin, suffixes

MOST_PIXELS = 100_000_000
SMALLEST_SIDE = 16
KEPT_SIDE = 512  # pixels; the network is given some 256, and there may be hundreds of references
GRAY = 1.5  # mean distance of channels from their mean, of 255, below which a picture has no colour
_SYSTEM_FILES = ("thumbs.db", "desktop.ini")  # which Windows puts into folders of pictures
_NAMED = 8  # so many left-out files are listed


@dataclass(frozen=True, eq=False)
class Reference:
    """A colour picture.

    Args:
        image: sRGB uint8 ``[H, W, 3]``.
        path: Its file; a name for messages where there is none.
        at: The pts of the film's frame that it shows, if it is one.
        digest: sha256 of its pixels, by which equal pictures are embedded once; computed by default.
        in_memory: Whether there is no file.

    Raises:
        ValueError: The picture is of another shape or dtype.
    """

    image: Picture
    path: Path
    at: int | None = None
    digest: str = ""
    in_memory: bool = False

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise ValueError(f"a reference is RGB uint8 [H, W, 3], got {self.image.shape}")
        if not self.digest:
            content = repr(self.image.shape).encode() + self.image.tobytes()
            object.__setattr__(self, "digest", hashlib.sha256(content).hexdigest())

    def moved(self, at: int | None) -> Reference:
        """The same picture as a frame of the film at another time.

        Args:
            at: The frame's pts, or None if the picture is no frame of the film.

        Returns:
            The reference.
        """
        return replace(self, at=at)


def load_reference(path: Path, at: int | None = None) -> Reference:
    """Read a reference picture.

    Its colours are converted to sRGB from the colour space that the file names. Alpha is laid over mid
    gray, the orientation that a camera noted is applied, and a picture with a short side of more than
    ``KEPT_SIDE`` pixels is reduced to it.

    Args:
        path: A picture file of a format in ``picture_formats.formats()``.
        at: The pts of the film's frame that it shows, if it is one.

    Returns:
        The picture as sRGB uint8 ``[H, W, 3]``.

    Raises:
        BadReference: There is no such file, it is damaged, too large, too small, gray, or of a format
            that is not read.
    """
    name = repr(str(path))
    if not path.exists():
        raise BadReference(f"no reference at {name}; give a colour picture such as keyframe.png")
    if not path.is_file():
        raise BadReference(f"the reference {name} is no file; give a colour picture")
    return Reference(_checked(_read(path, name), name), path, at)


def reference_in_memory(picture: Picture | Image.Image, name: str) -> Reference:
    """Make a reference of a picture that is in memory, as :func:`load_reference` does of a file.

    Args:
        picture: RGB uint8 ``[H, W, 3]`` in sRGB, or a Pillow image of any mode.
        name: What it is called in messages and in the manifest.

    Raises:
        BadReference: It is of another shape or dtype, too small, or gray.
    """
    if isinstance(picture, np.ndarray):
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise BadReference(
                f"{name} is an array of {picture.dtype} {list(picture.shape)}; accepted: RGB uint8 "
                "[H, W, 3], or a Pillow image"
            )
        picture = Image.fromarray(picture)
    image = _checked(_upright_srgb(picture, BytesIO()), name)
    return Reference(image, Path(name), in_memory=True)


def _checked(image: Picture, name: str) -> Picture:
    """The picture, if it is large enough and has colours."""
    height, width = image.shape[:2]
    if min(height, width) < SMALLEST_SIDE:
        raise BadReference(
            f"the reference {name} is tiny ({width}x{height}); "
            f"it needs {SMALLEST_SIDE} pixels on each side, better 256"
        )
    channels = image.reshape(-1, 3).astype(np.float32)
    if np.abs(channels - channels.mean(1, keepdims=True)).mean() < GRAY:
        raise BadReference(
            f"the reference {name} is gray; give a picture with colours, or write the "
            "word gray in the table for a shot that is to be left uncoloured"
        )
    return np.ascontiguousarray(image)


def _upright_srgb(picture: Image.Image, file: BinaryIO) -> Picture:
    """An open picture as sRGB ``[H, W, 3]``: turned upright, and reduced where it is large."""
    adobe_rgb = says_adobe_rgb(picture)
    upright = ImageOps.exif_transpose(picture)
    upright.format = picture.format
    small = _reduced(_with_channels(upright))
    small.format = picture.format
    return np.asarray(_opaque(to_srgb(small, file, adobe_rgb)))


def _read(path: Path, name: str) -> Picture:
    if package := missing_plugin(path):
        raise BadReference(
            f"the reference {name} needs the package {package} to be read; "
            f"pip install {package}, or save it as PNG"
        )
    try:
        with (
            warnings.catch_warnings(action="ignore"),  # of its size, which is looked at here
            open(path, "rb") as file,
            Image.open(file, formats=formats()) as picture,
        ):
            width, height = picture.size
            if width * height > MOST_PIXELS:
                raise BadReference(_enormous(name, f"{width}x{height} pixels"))
            scale = KEPT_SIDE / min(width, height)
            if scale < 1:
                picture.draft("RGB", (round(width * scale), round(height * scale)))
            return _upright_srgb(picture, file)
    except Image.DecompressionBombError as error:
        raise BadReference(_enormous(name, str(error).split(", could")[0])) from None
    except UnidentifiedImageError:
        if _is_tiff(path):
            raise BadReference(
                f"the reference {name} is a kind of TIFF that is not read, as is Lab of 16 bits; "
                "save it with 8 bits, or as PNG"
            ) from None
        raise BadReference(
            f"the reference {name} is not a picture that can be read; accepted: {', '.join(formats())}"
        ) from None
    except BadReference:
        raise
    except Exception as error:  # a damaged picture makes decoders raise nearly anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BadReference(
            f"the reference {name} is damaged ({reason}); save it anew, as PNG for example"
        ) from None


def _is_tiff(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(4) in (b"II*\0", b"MM\0*")


def _enormous(name: str, size: str) -> str:
    return (
        f"the reference {name} is enormous ({size}); at most {MOST_PIXELS // 1_000_000} million "
        f"pixels are read, and {KEPT_SIDE} on the short side are enough"
    )


def _with_channels(picture: Image.Image) -> Image.Image:
    """The picture in a mode whose samples are colours, not places in a palette: L, RGB(A), CMYK or LAB."""
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    if picture.mode in ("L", "RGB", "CMYK", "LAB"):
        return picture
    return picture.convert("RGB")


def _opaque(picture: Image.Image) -> Image.Image:
    """RGB, with alpha laid over mid gray."""
    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGBA", picture.size, (128, 128, 128, 255))
    return Image.alpha_composite(ground, picture).convert("RGB")


def _reduced(picture: Image.Image) -> Image.Image:
    scale = KEPT_SIDE / min(picture.size)
    if scale >= 1:
        return picture
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.BOX)


def load_references(
    paths: Iterable[Path], note: Callable[[str], object] = lambda line: None
) -> list[Reference]:
    """Read several references.

    Args:
        paths: Picture files, and folders; a folder stands for all its pictures, by name.
        note: Is called with a line for each folder in which something is left out.

    Returns:
        The references in the order of ``paths``.

    Raises:
        BadReference: A picture cannot be used, or a folder holds none.
    """
    return [
        load_reference(file)
        for path in paths
        for file in (pictures_in(path, note) if path.is_dir() else [path])
    ]


def pictures_in(path: Path, note: Callable[[str], object]) -> list[Path]:
    """The picture files of a folder, by name.

    Args:
        path: The folder.
        note: Is called with a line where something in it is left out.

    Raises:
        BadReference: It holds no picture.
    """
    # Names that begin with a dot are a system's own, such as macOS's "._" beside each file.
    named = sorted(
        file
        for file in path.iterdir()
        if not file.name.startswith(".") and file.name.lower() not in _SYSTEM_FILES
    )
    pictures = [file for file in named if file.is_file() and is_readable(file)]
    left = [_left_out(file) for file in named if file not in pictures]
    if not pictures:
        kinds = f"; it holds {', '.join(left[:_NAMED])}" if left else ""
        raise BadReference(
            f"the folder {str(path)!r} holds no picture{kinds}; accepted: "
            f"{', '.join(sorted(suffixes()))}"
        )
    if left:
        more = [f"and {len(left) - _NAMED} more"] if len(left) > _NAMED else []
        note(f"of {str(path)!r}, {len(left)} left out: {', '.join([*left[:_NAMED], *more])}")
    return pictures


def _left_out(file: Path) -> str:
    """The name of what is no reference, and the package that would make it one."""
    if file.is_dir():
        return f"{file.name} (a folder)"
    package = missing_plugin(file)
    return f"{file.name} (needs {package})" if package else file.name
