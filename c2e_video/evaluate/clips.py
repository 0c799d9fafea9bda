"""Colour clips and pictures for measuring, read lazily as R'G'B' uint8 ``[H, W, 3]``."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import cv2
from av.video.reformatter import Colorspace, Interpolation

from ..errors import C2EError, MediaError
from ..utils.arrays import Picture
from ..video.decode.decoder import probe
from ..video.decode.demuxer import Demuxer

SMALLEST_SIDE = 32  # the least that SSIM's window, the optical flow and LPIPS can all work on

_IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
# Full chroma interpolation and accurate rounding; swscale's defaults are less exact.
_CAREFUL = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND
_MATRICES = {
    "bt601": Colorspace.ITU601,
    "bt709": Colorspace.ITU709,
    "bt2020": Colorspace.BT2020,
}


def read_clip(path: Path, size: int | None = None) -> Iterator[Picture]:
    """The frames of a film or of a folder of numbered pictures, R'G'B' uint8 ``[H, W, 3]``.

    A film is converted by swscale at its stored size (no rotation, no sample aspect ratio), chroma
    interpolated bicubically, by the film's matrix and range
    (:func:`~c2e_video.video.decode.decoder.probe`). ``size`` then
    shrinks (area mean) to that short side; smaller frames stay. Raises ``MediaError``.
    """
    first = ""
    for number, frame in enumerate(_folder(path) if path.is_dir() else _film(path)):
        first = first or _by(frame)
        if _by(frame) != first:
            raise MediaError(
                f"{path}: frame {number} is {_by(frame)}, those before it are {first}; "
                "cut the clip where its size changes"
            )
        yield _fitted(frame, size, path)
    if not first:
        raise MediaError(f"{path}: holds no frame; give a film with pictures in it")


def _film(path: Path) -> Iterator[Picture]:
    matrix = _MATRICES[probe(path).matrix]
    try:
        with Demuxer(path, threads=0) as film:
            for frame in film.container.decode(film.stream):
                # With more threads swscale sometimes gives wrong samples in small pictures.
                rgb = frame.reformat(
                    format="rgb24", src_colorspace=matrix, interpolation=_CAREFUL, threads=1
                )
                yield rgb.to_ndarray().astype("uint8", copy=False)
    except av.FFmpegError as error:
        raise MediaError(f"{path}: cannot be read to its end ({error})") from error


def _folder(path: Path) -> Iterator[Picture]:
    # Names with a leading dot belong to the system, such as macOS's "._" beside each file.
    pictures = [
        file
        for file in path.iterdir()
        if file.suffix.lower() in _IMAGES and not file.name.startswith(".")
    ]
    for file in sorted(pictures, key=_number):
        yield _picture(file)


def _number(file: Path) -> tuple[int, str]:
    digits = re.findall(r"\d+", file.stem)
    if not digits:
        raise MediaError(f"{file}: its name has no number; number the frames, as in 00017.png")
    return int(digits[-1]), file.name


def read_picture(path: Path, size: int | None = None) -> Picture:
    """A picture file, shrunk like a clip's frames. Raises ``MediaError``."""
    return _fitted(_picture(path), size, path)


def _picture(path: Path) -> Picture:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
    if picture is None:
        raise MediaError(f"{path}: cannot be read as a picture; give a PNG or JPEG that exists")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).astype("uint8", copy=False)


def _fitted(picture: Picture, size: int | None, source: Path) -> Picture:
    if min(picture.shape[:2]) < SMALLEST_SIDE:
        raise MediaError(
            f"{source}: pictures of {_by(picture)} are too small to measure; "
            f"give both sides at least {SMALLEST_SIDE}"
        )
    return picture if size is None else shrunk(picture, size / min(picture.shape[:2]))


def shrunk(picture: Picture, scale: float) -> Picture:
    """The picture at ``scale`` of its size by area means; itself from a scale of 1 on."""
    if scale >= 1:
        return picture
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return small.astype("uint8", copy=False)


def _by(picture: Picture) -> str:
    return f"{picture.shape[1]}x{picture.shape[0]}"


def read_pairs(file: Path) -> list[tuple[Path, Path]]:
    """The (reference, target) paths in a CSV of two columns; at least one pair."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as text:
            rows = [(number, row) for number, row in enumerate(csv.reader(text), 1) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise C2EError(f"{file}: cannot be read as CSV ({error})") from error
    if rows and [cell.strip().lower() for cell in rows[0][1]] == ["reference", "target"]:
        del rows[0]
    if not rows:
        raise C2EError(f"{file}: holds no pair; write a line 'reference,target' for each")
    for number, row in rows:
        if len(row) != 2:
            raise C2EError(f"{file}, line {number}: {len(row)} columns; write reference,target")
    return [(file.parent / row[0].strip(), file.parent / row[1].strip()) for _, row in rows]


def require(paths: Iterable[Path]) -> None:
    """Raise ``MediaError`` if a path does not exist, before the work begins."""
    for path in paths:
        if not path.exists():
            raise MediaError(f"{path}: there is no such file or folder; check the name")
