"""References by the names that a table has for them: pictures, and frames of colour films.

A frame of a film is named as W3C's Media Fragments have it: ``episode.mp4#t=62.500`` is the frame shown
at 62.5 seconds on the film's own clock.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from ..errors import BadReference, C2EError
from ..utils.timecode import parse_timecode
from ..video.decode.color_frames import color_frame_at
from ..video.decode.decoder import probe
from .image import Reference, load_reference, reference_in_memory

_MARK = "#t="


def frame_name(film: Path, seconds: Fraction) -> Path:
    """The name of a film's frame at a time."""
    return film.with_name(f"{film.name}{_MARK}{float(seconds):.3f}")


def split_frame_name(path: Path) -> tuple[Path, Fraction] | None:
    """The film and the time that a name means; None where it names a file.

    Raises:
        BadReference: What stands behind ``#t=`` is no time.
    """
    film, mark, text = path.name.rpartition(_MARK)
    if not mark or path.exists():
        return None
    try:
        return path.with_name(film), parse_timecode(text)
    except C2EError:
        raise BadReference(
            f"{path.name!r} names no frame of a film; accepted: film.mp4#t=62.5, with seconds"
        ) from None


def load_named(path: Path) -> Reference:
    """Load the picture that a table names.

    Args:
        path: A picture file, or a film's frame (:func:`frame_name`).

    Returns:
        The picture, as :func:`~.image.load_reference` has it.

    Raises:
        BadReference: There is no such picture, or it cannot serve as a reference.
    """
    named = split_frame_name(path)
    if named is None:
        return load_reference(path)
    film, seconds = named
    if not film.exists():
        raise BadReference(f"no film at {str(film)!r} to take the reference {path.name!r} from")
    info = probe(film)
    picture = color_frame_at(film, info, round(seconds / info.time_base))
    if picture is None:
        raise BadReference(f"the film {str(film)!r} has no frame at {float(seconds):.3f} s")
    return replace(reference_in_memory(picture, repr(str(path))), path=path, in_memory=False)
