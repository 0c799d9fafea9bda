"""Numbered pictures as output: their folder is replaced as a whole, and nothing else ever stands in it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ..errors import C2EError
from ..utils.files import check_folder
from ..video.decode import check_not_among
from ..video.encode.numbered_path import is_picture_of
from ..video.mux.sequence import PICTURES

_LISTED = 4  # files that are in the way are named up to this number


def check_picture_folder(source: Path, output: Path, overwrite: bool) -> None:
    """Check that numbered pictures could be written in the end.

    Args:
        source: The film.
        output: The pattern, such as ``out/%06d.png``.
        overwrite: Whether pictures of that pattern may be replaced.

    Raises:
        C2EError: The folder is the current one, holds other files or the film's own pictures, or cannot be
            written; or its pictures are not to be replaced.
    """
    folder = output.parent
    if folder.resolve() == Path.cwd().resolve():
        raise C2EError(
            f"the pictures {output.name!r} would be among other files; give them a folder of their own, "
            f"such as {str(Path('out') / output.name)!r}"
        )
    check_folder(folder)
    if folder.exists() and not folder.is_dir():
        raise C2EError(f"{str(folder)!r} is a file; give the pictures another folder")
    if not folder.is_dir():
        return
    check_not_among(source, folder)
    # Hidden files are a system's own, as macOS puts them into folders that were looked at.
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    others = [name for name in names if not is_picture_of(output.name, name)]
    if others:
        more = f" and {len(others) - _LISTED} more" if len(others) > _LISTED else ""
        raise C2EError(
            f"the folder {str(folder)!r} holds other files ({', '.join(others[:_LISTED])}{more}), and it is "
            "replaced as a whole; give the pictures a new folder"
        )
    if names and not overwrite:
        raise C2EError(
            f"the folder {str(folder)!r} holds {len(names)} pictures; overwrite=True replaces them, "
            "output=… writes elsewhere"
        )


def sound_path(folder: Path, number: int) -> Path:
    """``out.wav`` beside the folder ``out`` for the first track of sound, ``out.2.wav`` for the second."""
    return folder.with_name(f"{folder.name}.wav" if number == 1 else f"{folder.name}.{number}.wav")


def move_pictures(partial: Path, output: Path) -> None:
    """Put pictures and sound that are whole into their places, the pictures at last.

    Args:
        partial: What :func:`~c2e_video.video.mux.mux` has written, on the same file system.
        output: The pattern. Pictures of it that are there are replaced.

    Raises:
        OSError: They cannot be moved.
    """
    folder = output.parent.resolve()
    for wav in partial.glob("*.wav"):
        os.replace(wav, sound_path(folder, int(wav.stem)))
    before = partial / "before"
    if folder.is_dir():
        os.replace(folder, before)
    try:
        os.replace(partial / PICTURES, folder)
    except BaseException:
        if before.is_dir():
            os.replace(before, folder)
        raise
    shutil.rmtree(before, ignore_errors=True)
