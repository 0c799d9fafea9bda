"""Where the film is written, and whether it can be."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import C2EError
from ..utils.files import check_folder
from ..video.decode import base_path
from ..video.encode import EncodeSettings, output_suffix
from .manifest import check_manifest, manifest_path

# Bytes of the output's name, for file systems take 255: beside it stands its record, at first a partial one.
MAX_NAME_BYTES = 255 - len(".json.partial")


def written_to(output: Path) -> Path:
    """The file that an output's name stands for: what a link leads to, else itself."""
    if not output.is_symlink():
        return output
    try:
        return output.resolve()
    except (OSError, RuntimeError):  # of links in a circle
        raise C2EError(
            f"the output {str(output)!r} is a link that leads nowhere; choose another output=…"
        ) from None


def outputs_for(
    sources: Sequence[Path], output: Path | None, settings: EncodeSettings
) -> list[Path]:
    """Where each of several films is written.

    Args:
        sources: The films.
        output: A folder, for one film also a file; None for beside each film.
        settings: How the films are encoded, which decides their default names.

    Raises:
        C2EError: Two films would be written to one file, or one over another.
    """
    if output is None:
        outputs = [default_output(source, settings) for source in sources]
    elif output.is_dir():
        outputs = [output / default_output(source, settings).name for source in sources]
    elif len(sources) == 1:
        outputs = [output]
    else:
        raise C2EError(
            f"the output {str(output)!r} is one file, and there are {len(sources)} films; make a folder "
            "of that name first, or leave output=… out"
        )
    taken = {os.path.realpath(source): number for number, source in enumerate(sources)}
    for number, place in enumerate(outputs):
        other = taken.setdefault(os.path.realpath(written_to(place)), number)
        if other != number:
            raise C2EError(
                f"{str(sources[number])!r} would be written to {str(place)!r}, which is the place of "
                f"{str(sources[other])!r}; colorize them apart, each with its own output=…"
            )
    return outputs


def check_places(source: Path, output: Path, overwrite: bool) -> None:
    """Raise a :class:`C2EError` if the film or its manifest could not be written in the end."""
    output = written_to(output)
    over = len(os.fsencode(output.name)) - MAX_NAME_BYTES
    if over > 0:
        raise C2EError(
            f"the name {output.name!r} is {over} bytes too long for what is written beside it; "
            f"names of up to {MAX_NAME_BYTES} bytes are accepted: give a shorter one with output=…"
        )
    for path in (output, manifest_path(output)):
        check_output(source, path, overwrite)
    check_manifest(output)
    if output.exists() and not output.is_file():
        raise C2EError(
            f"the output {str(output)!r} is a device or a pipe, and a film is written whole or not at "
            "all; give a file name with output=…"
        )


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
            "give a file name with output=…"
        )
    check_folder(output)
    if output.is_dir():
        raise C2EError(f"the output {str(output)!r} is a folder; give a file name such as film.mp4")
    if output.exists() and source.exists() and output.samefile(source):
        raise C2EError(
            f"the output {str(output)!r} is the film itself; give another name with output=…"
        )
    if output.exists() and not overwrite:
        raise C2EError(
            f"{str(output)!r} exists; overwrite=True overwrites it, output=… writes elsewhere"
        )
