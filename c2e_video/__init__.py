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
    from .errors import BadReference, BadWeights, C2EError, JobMismatch, MediaError
    from .inference.colorizer import Colorizer
    from .pipeline.colorize import colorize_video
    from .pipeline.options import Options
    from .references.reference_map import ReferenceMap
    from .shots.detector import find_shots
    from .video.decode.decoder import probe
    from .video.frames import Shot, VideoInfo

_HOMES = {
    "BadReference": "errors",
    "BadWeights": "errors",
    "C2EError": "errors",
    "Colorizer": "inference.colorizer",
    "JobMismatch": "errors",
    "MediaError": "errors",
    "Options": "pipeline.options",
    "ReferenceMap": "references.reference_map",
    "Shot": "video.frames",
    "VideoInfo": "video.frames",
    "colorize_video": "pipeline.colorize",
    "find_shots": "shots.detector",
    "probe": "video.decode",
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
