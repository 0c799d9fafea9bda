"""The settings of a run: what is colorized, how well, into which file; and what that file would lose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from ..pipeline.options import Options
from ..utils.choices import ProfileName, Quality
from ..utils.timecode import parse_timecode
from ..video.decode import base_path
from ..video.encode import settings_for
from ..video.mux import plan_mux
from .errors import RequestError
from .film import OpenFilm


@dataclass(frozen=True)
class RenderOptions:
    """What a person chose for a run. Times are as written, ``HH:MM:SS.mmm``; empty is the whole film."""

    profile: str = "web"
    quality: str = "standard"
    start: str = ""
    end: str = ""

    def __post_init__(self) -> None:
        if self.profile not in get_args(ProfileName):
            raise RequestError(
                f"a profile is one of {', '.join(get_args(ProfileName))}; got {self.profile!r}"
            )
        if self.quality not in get_args(Quality):
            raise RequestError(
                f"quality is one of {', '.join(get_args(Quality))}; got {self.quality!r}"
            )

    @classmethod
    def of(cls, sent: Any) -> RenderOptions:
        """The options that a page sent. Raises :class:`C2EError` for what is none."""
        if not isinstance(sent, dict) or not all(isinstance(v, str) for v in sent.values()):
            raise RequestError("options are texts: profile, quality, start, end")
        known = cls.__dataclass_fields__
        if unknown := sorted(set(sent) - set(known)):
            raise RequestError(f"unknown option {unknown[0]!r}; accepted: {', '.join(known)}")
        return cls(**sent)

    def run_options(self, base: Options, saturation: float) -> Options:
        """The options of the run. Raises :class:`C2EError` for times that are none."""
        return replace(
            base.at_quality(self.quality_name),
            encode=settings_for(self.encode_profile),
            saturation=saturation,
            start=parse_timecode(self.start) if self.start else None,
            end=parse_timecode(self.end) if self.end else None,
        )

    @property
    def quality_name(self) -> Quality:
        """The quality, of the type that options take."""
        return next(name for name in get_args(Quality) if name == self.quality)

    @property
    def encode_profile(self) -> ProfileName:
        """The profile, of the type that settings take."""
        return next(name for name in get_args(ProfileName) if name == self.profile)

    def output(self, film: Path) -> Path:
        """Where the colorized film is written: beside the film, named after it and the stretch."""
        suffix = {"web": ".mp4", "master": ".mov", "archive": ".mkv"}[self.profile]
        stretch = "".join(
            f".{name}-{time.replace(':', '-')}"
            for name, time in (("from", self.start), ("to", self.end))
            if time
        )
        base = base_path(film)
        return base.with_name(f"{base.name}.color{stretch}{suffix}")


def losses(film: OpenFilm, options: RenderOptions) -> list[str]:
    """A line for everything of the film that the chosen profile would change or lose.

    Raises :class:`MediaError` where the profile cannot hold the film at all.
    """
    encode = settings_for(options.encode_profile)
    return list(plan_mux(film.path, options.output(film.path), film.info, encode).notes)


def job_folder(output: Path) -> Path:
    """Where the work on ``output`` is kept while it is not finished."""
    return output.with_name(f"{output.name}.c2e")
