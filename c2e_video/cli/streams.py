"""Standard output and standard error: any name can be written, and a full or closed one ends no work."""

from __future__ import annotations

import contextlib
import os
import sys

import click

from ..errors import C2EError

QUIET = "c2e_video.quiet"  # where a command's context keeps whether -q was given


def accept_any_name() -> None:
    """Have both streams write what their encoding lacks as an escape, ``\\u0141`` for example."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def echo(line: str) -> None:
    """Write a line that the command was run for to standard output.

    Raises:
        BrokenPipeError: Nobody reads it any more. Click ends the command then, with exit code 1.
        C2EError: It cannot be written, for its disk is full for example.
    """
    try:
        click.echo(line)
    except BrokenPipeError:
        raise
    except OSError as error:
        _drop_output()
        raise C2EError(_full(error)) from None


def echo_done(line: str) -> None:
    """Write a line about work that is done: where it cannot be written, that is no failure."""
    try:
        echo(line)
    except BrokenPipeError:
        _drop_output()
    except C2EError as error:
        say(f"all is done, but {error}")


def say(line: str) -> None:
    """Write a line of the program's own to standard error, if that can be written."""
    with contextlib.suppress(OSError):
        click.echo(f"c2e-video: {' '.join(line.split())}", err=True)


def output_failed(error: OSError) -> int:
    """The exit code of a command that ended by an error of standard output, which is said in a line.

    Raises:
        OSError: It is of something else, and a bug.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or trace.tb_frame.f_globals.get("__name__") != "click.utils":  # --help, too
        raise error
    _drop_output()
    say(_full(error))
    return 1


def _full(error: OSError) -> str:
    return f"standard output cannot be written: {error.strerror}"


def _drop_output() -> None:
    """Have what is still buffered go nowhere: Python would fail on it once more at its end."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
