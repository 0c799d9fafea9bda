"""Where a film is written: its default name, and checks before the work that it can be written there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import C2EError
from ..utils.files import check_folder
from ..video.decode import base_path
from ..video.encode import EncodeSettings, output_suffix
from ..video.encode.numbered_path import PICTURE_CODECS, is_pattern, place_of
from ..video.mux import MuxPlan
from .manifest import check_manifest, manifest_path
from .picture_folder import check_picture_folder, move_pictures, sound_path

# Bytes of the output's name: file systems take 255, and the manifest's name is longer by this suffix.
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
        outputs = [output / _default_name(source, settings) for source in sources]
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


def _default_name(source: Path, settings: EncodeSettings) -> Path:
    """:func:`default_output` without the folder the source is in."""
    return default_output(source, settings).relative_to(base_path(source).parent)


def check_places(source: Path, output: Path, overwrite: bool) -> None:
    """Raise a :class:`C2EError` if the film or its manifest could not be written in the end."""
    output = written_to(output)
    place = place_of(output)
    over = len(os.fsencode(place.name)) - MAX_NAME_BYTES
    if over > 0:
        raise C2EError(
            f"the name {place.name!r} is {over} bytes too long for what is written beside it; "
            f"names of up to {MAX_NAME_BYTES} bytes are accepted: give a shorter one with output=…"
        )
    if is_pattern(output):
        check_picture_folder(source, output, overwrite)
    else:
        check_output(source, output, overwrite)
    check_output(source, manifest_path(output), overwrite)
    check_manifest(output)
    if output.exists() and not output.is_file():
        raise C2EError(
            f"the output {str(output)!r} is a device or a pipe, and a film is written whole or not at "
            "all; give a file name with output=…"
        )


def default_output(source: Path, settings: EncodeSettings) -> Path:
    """``film.color.mp4`` beside ``film.avi`` or the folder ``film``; mkv and mov stay what they are.

    FFV1, ProRes, DNxHR and the profiles have a container of their own. Pictures are numbered in a folder
    ``film.color``.
    """
    name = base_path(source)
    if settings.codec in PICTURE_CODECS.values():
        kinds = (suffix for suffix, codec in PICTURE_CODECS.items() if codec == settings.codec)
        return name.with_name(f"{name.name}.color") / f"%06d{next(kinds)}"
    suffix = source.suffix.lower() if source.suffix.lower() in (".mkv", ".mov") else ".mp4"
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


def check_sound(source: Path, output: Path, muxing: MuxPlan, overwrite: bool) -> None:
    """Raise a :class:`C2EError` if the sound beside numbered pictures could not be written in the end."""
    if is_pattern(output):
        for number in range(1, len(muxing.tracks) + 1):
            check_output(source, sound_path(output.parent, number), overwrite)


def publish(partial: Path, output: Path) -> None:
    """Put a film that is whole into its place. OSError if it cannot be."""
    if is_pattern(output):
        move_pictures(partial, output)
    else:
        os.replace(partial, output)
