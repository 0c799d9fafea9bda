"""Where the film is written, and whether it can be."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import C2EError
from ..utils.files import check_folder
from ..video.decode import base_path
from ..video.encode import EncodeSettings, output_suffix
from .manifest import check_manifest, manifest_path

# Bytes of the output's name, for file systems take 255: beside it stands its record, at first a partial one.
MAX_NAME_BYTES = 255 - len(".json.partial")


def check_places(source: Path, output: Path, overwrite: bool) -> None:
    """Raise a :class:`C2EError` if the film, or its record, could not be written to its place in the end."""
    over = len(os.fsencode(output.name)) - MAX_NAME_BYTES
    if over > 0:
        raise C2EError(
            f"the name {output.name!r} is {over} bytes too long for what is written beside it; "
            f"names of up to {MAX_NAME_BYTES} bytes are accepted: give a shorter one with -o"
        )
    for path in (output, manifest_path(output)):
        check_output(source, path, overwrite)
    check_manifest(output)


def default_output(source: Path, settings: EncodeSettings) -> Path:
    """``film.color.mp4`` beside ``film.avi`` or the folder ``film``; mkv and mov stay what they are.

    FFV1, ProRes and the profiles have a container of their own.
    """
    suffix = source.suffix.lower() if source.suffix.lower() in (".mkv", ".mov") else ".mp4"
    name = base_path(source)
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
