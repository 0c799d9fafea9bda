"""The manifest: a ``.json`` beside a film that says how it was made, and a comment in the film itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..errors import C2EError
from ..references.image import Reference
from ..references.reference_map import ReferenceMap
from ..utils.files import write_whole
from ..version import __version__
from ..video.encode.numbered_path import place_of
from ..video.frames import Shot, VideoInfo

MADE = "colorized by c2e-video"
_LIBRARIES = ("torch", "av", "numpy")


def manifest_path(output: Path) -> Path:
    """``film.color.mp4.json`` beside ``film.color.mp4``, and ``out.json`` beside the folder ``out``."""
    place = place_of(output)
    return place.with_name(f"{place.name}.json")


def check_manifest(output: Path) -> None:
    """Raise :class:`C2EError` if there is a file in the manifest's place that is no manifest."""
    path = manifest_path(output)
    if path.exists() and MADE.encode() not in path.read_bytes()[:200]:
        raise C2EError(
            f"{str(path)!r} is no manifest of c2e-video, and the film's manifest would overwrite it; "
            "move it, or give another output=…"
        )


def read_manifest(output: Path) -> dict[str, Any] | None:
    """The manifest beside a film; None if there is none that can be read."""
    try:
        manifest = json.loads(manifest_path(output).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and manifest.get("made") == MADE else None


def options_record(options: Any) -> Any:
    """A run's options as they are read from a manifest."""
    return json.loads(json.dumps(asdict(options), default=_plain))


def comment(weights_digest: str) -> dict[str, str]:
    """The metadata field that says in the film itself that it was colorized, and by what."""
    return {"comment": f"colorized by c2e-video {__version__} (weights {weights_digest[:16]})"}


def manifest_of(
    source: Path,
    info: VideoInfo,
    reference_map: ReferenceMap,
    options: Any,
    identity: Mapping[str, Any],
    notes: Sequence[str],
) -> dict[str, Any]:
    """The manifest of a run, in values that :func:`write_manifest` takes.

    Args:
        source: The film.
        info: The film's description.
        reference_map: Its shots with their references.
        options: The dataclass the run was given.
        identity: The job's identity, which has the digests of source and weights and the precision.
        notes: The lines that the user was shown.

    Returns:
        Times are timecodes on the film's own clock, as in a table of references. A reference's digest is
        the sha256 of its pixels, the source's that of samples (:func:`~.digests.film_digest`).
    """
    return {
        "made": MADE,
        "versions": {"c2e-video": __version__} | {name: _version(name) for name in _LIBRARIES},
        "source": {"path": _absolute(source), "sha256 of samples": identity["source"]},
        "weights": {"sha256": identity["weights"], "precision": identity["precision"]},
        "options": asdict(options),
        "shots": [
            _shot(shot, row, reference_map.saturation(index), info)
            for index, (shot, row) in enumerate(
                zip(reference_map.shots, reference_map.references, strict=True)
            )
        ],
        "notes": list(notes),
    }


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:  # installed by other means than pip's
        return "unknown"


def _absolute(path: Path) -> str:
    try:
        return str(path.resolve())
    except (OSError, RuntimeError):  # the current folder was removed; links in a circle
        return str(path)


def _shot(
    shot: Shot, row: Sequence[Reference], saturation: float, info: VideoInfo
) -> dict[str, Any]:
    def timecode(pts: int | None) -> str | None:
        return None if pts is None else info.timecode(pts)

    return {
        "start": timecode(shot.start),
        "end": timecode(shot.stop),
        "transition": f"dissolve {timecode(shot.dissolve)}" if shot.dissolve else "cut",
        "saturation": saturation,
        "references": [
            {
                "path": None if reference.in_memory else _absolute(reference.path),
                "sha256 of pixels": reference.digest,
                "at": timecode(reference.at),
            }
            for reference in row
        ],
    }


def write_manifest(output: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Write the manifest beside its film.

    Returns:
        A line if it could not be written; the film is complete all the same.
    """
    path = manifest_path(output)
    try:
        write_whole(path, json.dumps(manifest, indent=1, default=_plain))
    except OSError as error:
        return [f"the film is whole, but {path.name} could not be written: {error.strerror}"]
    return []


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return str(value)
    return sorted(value) if isinstance(value, frozenset) else str(value)
