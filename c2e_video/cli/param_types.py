"""The kinds of values that options and arguments take."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from ..errors import C2EError
from ..utils.choices import LONGEST_INTERVAL
from ..utils.files import local_path
from ..utils.timecode import parse_rate, parse_timecode

PATH = click.Path(path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class FilmType(click.ParamType[Path]):
    """A film: a file, a folder or a pattern of numbered pictures, or ``-``."""

    name = "film"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path; :class:`C2EError` for an address on the network."""
        return local_path(value)


class ParsedType(click.ParamType[Fraction]):
    """What a function makes of the text; where that raises :class:`C2EError`, the command was misused."""

    def __init__(self, name: str, parse: Callable[[str], Fraction]) -> None:
        self.name, self._parse = name, parse

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Fraction:
        """The parsed value."""
        if isinstance(value, Fraction):
            return value
        try:
            return self._parse(value)
        except C2EError as error:
            self.fail(str(error), param, ctx)


class IntervalType(click.ParamType["int | None"]):
    """``auto``, which is None, or a number of frames."""

    name = f"auto|1..{LONGEST_INTERVAL}"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        """The number of frames."""
        if value == "auto":
            return None
        frames: int = click.IntRange(1, LONGEST_INTERVAL).convert(value, param, ctx)
        return frames


FILM = FilmType()
INTERVAL = IntervalType()
TIME = ParsedType("HH:MM:SS.mmm", parse_timecode)
RATE = ParsedType("rate", parse_rate)
