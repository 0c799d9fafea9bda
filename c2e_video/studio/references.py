"""Pictures that come in: dropped on the page, painted over an exported frame, or made by retouching."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadReference, C2EError
from ..references.image import Reference, load_reference
from ..references.picture_formats import suffixes
from ..utils.arrays import Picture
from .analysis import find_frame
from .display import gray_picture, png, square
from .errors import RequestError
from .workspace import free_path, safe_name

if TYPE_CHECKING:
    from .film import OpenFilm

LARGEST_UPLOAD = 64 << 20  # bytes of a picture


@dataclass(frozen=True)
class Placed:
    """Where a picture went: the shot's number from 0, the pts of the frame that it is, and a line."""

    shot: int
    at: int | None
    line: str


def take_upload(
    film: OpenFilm, name: str, content: bytes, shot: int | None, pts: int | None
) -> Placed:
    """Make a picture that was dropped on the page a reference.

    A picture that is a frame of the film goes to the shot of that frame, at its time. Another one becomes
    the picture of the shot it was dropped on.

    Args:
        film: The film.
        name: What the browser calls the file; only its last part is used, and only to name the copy.
        content: The file.
        shot: The number of the shot it was dropped on, from 0; None if it was dropped on none.
        pts: The frame on which it was dropped, if that is the viewer.

    Raises:
        BadReference: It cannot serve as a reference.
    """
    safe = safe_name(name)
    if Path(safe).suffix not in suffixes():
        raise BadReference(f"{safe!r} is no picture; accepted: {', '.join(sorted(suffixes()))}")
    folder = _made(film.folder("references"))
    with film.lock:
        path = free_path(folder, safe)
        _write(path, content)
    try:
        reference = load_reference(path)
    except BadReference as error:
        path.unlink(missing_ok=True)
        raise BadReference(str(error).replace(str(path), name)) from None
    return place(film, reference, shot, pts)


def place(film: OpenFilm, reference: Reference, shot: int | None, pts: int | None) -> Placed:
    """Give a picture to the shot it belongs to; see :func:`take_upload`."""
    table = film.table
    wanted = table.index_at(pts) if pts is not None else shot
    first = [(table.row(wanted).start, table.row(wanted).stop)] if wanted is not None else []
    found = find_frame(reference, film.path, film.info, film.analysis, first)
    if found is not None:
        at, similarity = found
        film.edit(None, lambda table: table.add(table.index_at(at), reference.moved(at)))
        index = film.table.index_at(at)
        moved = "" if wanted in (None, index) else f", not to shot {(wanted or 0) + 1}"
        line = (
            f"{reference.path.name} is the frame at {film.info.timecode(at)} ({similarity:.2f}): "
            f"it went to shot {index + 1}{moved}"
        )
        return Placed(index, at, line)
    if wanted is None:
        raise RequestError(
            f"{reference.path.name} is no frame of the film: drop it on the shot it is to colour"
        )
    film.edit(None, lambda table: table.add(wanted, reference))
    line = f"{reference.path.name} is no frame of the film: it colours shot {wanted + 1} as a whole"
    return Placed(wanted, None, line)


def export_still(film: OpenFilm, pts: int) -> tuple[Path, str]:
    """Write the gray frame at ``pts`` as PNG to the watched folder. Returns its path and a line.

    The name holds shot and time, like those of ``c2e-video plan --stills`` does. A picture of that name
    is left as it is: it may be painted by now.
    """
    frame = film.frame(pts)
    picture = square(gray_picture(frame, film.info, max(frame.luma.shape)), film.info)
    shot = film.table.index_at(pts) + 1
    time = film.info.timecode(pts).replace(":", "-")
    path = _made(film.folder("stills")) / f"shot-{shot:04d}_{time}.png"
    if path.exists():
        return path, f"{path.name} is there already and was left as it is"
    _write(path, png(picture))
    return (
        path,
        f"written: {film.workspace.name_of(path)}; paint it and save it under the same name",
    )


def keep_keyframe(film: OpenFilm, pts: int, picture: Picture) -> Reference:
    """A painted frame becomes a keyframe of its shot: written as PNG, and put into the table."""
    time = film.info.timecode(pts).replace(":", "-")
    with film.lock:
        path = free_path(_made(film.folder("references")), f"retouched_{time}.png")
        _write(path, png(square(picture, film.info)))
    try:
        reference = load_reference(path, pts)
    except BadReference:
        path.unlink(missing_ok=True)
        raise
    film.edit(None, lambda table: table.add(table.index_at(pts), reference))
    return reference


def take_painted(film: OpenFilm, still: Path, pts: int) -> Placed | None:
    """A painting that was saved over an exported frame becomes a keyframe; None while it is gray.

    It is copied, so that what an undo brings back is still there when it is painted once more.
    """
    try:
        load_reference(still)
    except BadReference as error:
        if "is gray" in str(error):
            return None
        raise
    with film.lock:
        path = free_path(_made(film.folder("references")), safe_name(still.name))
        try:
            shutil.copyfile(still, path)
        except OSError as error:
            raise C2EError(f"cannot copy {still.name!r}: {error.strerror}") from None
    reference = load_reference(path, pts)
    film.edit(None, lambda table: table.add(table.index_at(pts), reference))
    index = film.table.index_at(pts)
    return Placed(index, pts, f"{still.name} came back painted: a keyframe of shot {index + 1}")


def swatches(reference: Reference, count: int = 8) -> list[list[int]]:
    """The colours that a picture has most of: R, G, B, 0 to 255, the most frequent first."""
    from PIL import Image

    small = Image.fromarray(reference.image).resize((96, 96))
    reduced = small.quantize(count, Image.Quantize.MEDIANCUT)
    palette = reduced.getpalette() or []
    ordered = sorted(reduced.getcolors() or [], reverse=True)
    return [palette[3 * int(i) : 3 * int(i) + 3] for _, i in ordered if isinstance(i, int)]


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise C2EError(f"cannot make the folder {str(folder)!r}: {error.strerror}") from None
    return folder


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise C2EError(f"cannot write {str(path)!r}: {error.strerror}") from None
