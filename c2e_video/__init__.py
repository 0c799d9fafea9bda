"""Colour for black-and-white film, from one painted keyframe per shot.

    from c2e_video import colorize_video
    colorize_video("film.mp4", references="keyframe.png")

Names are imported when they are first used: ``import c2e_video`` alone does not load torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .colorizer import Colorizer
    from .decode import probe
    from .errors import BadReference, BadWeights, C2EError, JobMismatch, MediaError
    from .frames import Shot, VideoInfo
    from .options import Options
    from .pipeline import colorize_video
    from .references import ReferenceMap
    from .shots import find_shots

_HOMES = {
    "BadReference": "errors",
    "BadWeights": "errors",
    "C2EError": "errors",
    "Colorizer": "colorizer",
    "JobMismatch": "errors",
    "MediaError": "errors",
    "Options": "options",
    "ReferenceMap": "references",
    "Shot": "frames",
    "VideoInfo": "frames",
    "colorize_video": "pipeline",
    "find_shots": "shots",
    "probe": "decode",
}

__all__ = [
    "BadReference",
    "BadWeights",
    "C2EError",
    "Colorizer",
    "JobMismatch",
    "MediaError",
    "Options",
    "ReferenceMap",
    "Shot",
    "VideoInfo",
    "__version__",
    "colorize_video",
    "find_shots",
    "probe",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
