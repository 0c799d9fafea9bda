"""``c2e-video studio``: the page in the browser."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from ..errors import C2EError
from .options import network_options, verbosity_options
from .param_types import PATH
from .streams import echo


@click.command(short_help="See the shots, drop a picture, watch it colorized: in the browser.")
@click.argument("films", type=PATH, nargs=-1)
@click.option(
    "--folder",
    type=PATH,
    help="The folder that is read and written; that of the films by default, or this one.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Any free one by default.")
@click.option("--no-browser", is_flag=True, help="Print the address and open nothing.")
@network_options
@verbosity_options
def studio(
    films: tuple[Path, ...], folder: Path | None, port: int, no_browser: bool, **network: Any
) -> None:
    """Serve the studio for FILMS on this machine, and open it in the browser.

    It works on the same files as the other commands: FILM.csv, the painted film, its job folder.
    """
    try:
        from ..studio.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("starlette", "uvicorn", "scipy", "anyio"):
            raise
        raise C2EError(
            f"the studio needs {error.name}, which is not installed; pip install 'c2e-video[studio]'"
        ) from None
    from ..pipeline.options import Options
    from ..utils.devices import configure_process

    configure_process()
    for film in films:
        if not film.exists():
            raise C2EError(f"no film at {str(film)!r}")
    parents = [str(film.resolve().parent) for film in films]
    folder = folder or (Path(os.path.commonpath(parents)) if parents else Path.cwd())
    serve(
        folder,
        films,
        port=port,
        options=Options(**network),
        open_browser=not no_browser,
        say=echo,
    )
