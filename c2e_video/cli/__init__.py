"""The command line. Heavy modules are imported by the commands that need them: ``--help`` is quick."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from ..errors import C2EError
from ..version import __version__
from .colorize import colorize
from .evaluate import evaluate
from .plan import plan
from .signals import Stop, Stopper
from .studio import studio
from .train import train


class FilmFirst(click.Group):
    """``c2e-video film.mp4 …`` means ``c2e-video colorize film.mp4 …``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {"--help", "-h", "--version"}
        if args and args[0] not in self.commands and args[0] not in own:
            args = ["colorize", *args]
        return super().parse_args(ctx, args)


def main() -> NoReturn:
    """The console script: a :class:`C2EError` is one line and exit code 1, a stop is 130 or 143."""
    Stopper.listen()
    try:
        code = cli(standalone_mode=False)
    except C2EError as error:
        _fail(_with_notes(str(error), error), 1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Stop as stop:
        _say(_with_notes("stopped", stop))
        _leave(stop.code)
    except BrokenPipeError:
        sys.exit(141)
    sys.exit(code if isinstance(code, int) else 0)


def _leave(code: int) -> NoReturn:
    """End a stopped run, whatever threads of the libraries are still at."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _with_notes(line: str, error: BaseException) -> str:
    """A line, and what the exception's notes say of going on."""
    return "; ".join([line, *getattr(error, "__notes__", ())])


def _fail(line: str, code: int) -> NoReturn:
    _say(line)
    sys.exit(code)


def _say(line: str) -> None:
    click.echo(f"c2e-video: {' '.join(line.split())}", err=True)


@click.group(
    cls=FilmFirst,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Usually: c2e-video FILM --ref KEYFRAME. See: c2e-video colorize --help.",
)
@click.version_option(__version__, prog_name="c2e-video")
def cli() -> None:
    """Colour for black-and-white film, from one painted keyframe per shot.

    c2e-video FILM --ref KEYFRAME.png paints FILM and writes FILM.color.mp4: the luma, timing, sound,
    subtitles and chapters stay the original's.
    """


for command in (colorize, plan, evaluate, train, studio):
    cli.add_command(command)
