"""The command line. Heavy modules are imported by the commands that need them: ``--help`` is quick."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from ..errors import C2EError
from ..utils.garbage import collect_rarely
from ..version import __version__
from .colorize import colorize
from .evaluate import evaluate
from .flags import with_flags
from .plan import plan
from .queue import queue
from .signals import Stop, Stopper
from .streams import accept_any_name, output_failed, say
from .studio import studio
from .train import train


class FilmFirst(click.Group):
    """``c2e-video film.mp4 …`` means ``c2e-video colorize film.mp4 …``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``colorize`` before a first word that is neither a command nor nearly one."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h", "--version"):
            self._refuse_mistyped(ctx, args[0])
            args = ["colorize", *args]
        return super().parse_args(ctx, args)

    def _refuse_mistyped(self, ctx: click.Context, word: str) -> None:
        """Films have a suffix or are folders: another word that looks like a command is meant as one."""
        from difflib import get_close_matches

        if Path(word).suffix or Path(word).name != word or os.path.lexists(word):
            return
        near = get_close_matches(word.lower(), self.commands)
        if near:
            raise click.UsageError(
                f"there is no command and no film {word!r}; did you mean {' or '.join(near)}?", ctx
            )


def main() -> NoReturn:
    """The console script: a :class:`C2EError` is one line and exit code 1, a stop is 130 or 143."""
    Stopper.listen()
    collect_rarely()
    accept_any_name()
    try:
        code = cli(standalone_mode=False)
    except C2EError as error:
        say(_with_notes(with_flags(str(error), cli), error))
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Stop as stop:
        say(_with_notes("stopped", stop))
        _leave(stop.code)
    except OSError as error:
        sys.exit(output_failed(error))
    sys.exit(code if isinstance(code, int) else 0)


def _leave(code: int) -> NoReturn:
    """End a stopped run, whatever threads of the libraries still do."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def _with_notes(line: str, error: BaseException) -> str:
    """A line, and what the exception's notes say of going on."""
    return "; ".join([line, *getattr(error, "__notes__", ())])


@click.group(
    cls=FilmFirst,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "show_default": True,
    },
    epilog="Usually: c2e-video FILM --ref KEYFRAME. See: c2e-video colorize --help.",
)
@click.version_option(__version__, prog_name="c2e-video")
def cli() -> None:
    """Colour for black-and-white film, from one painted keyframe per shot.

    c2e-video FILM --ref KEYFRAME.png colorizes FILM and writes FILM.color.mp4: the luma, timing, sound,
    subtitles and chapters stay the original's.
    """


for command in (colorize, queue, plan, evaluate, train, studio):
    cli.add_command(command)
