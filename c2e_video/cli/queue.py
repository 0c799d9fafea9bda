"""``c2e-video queue``: a list of films, worked off on this machine or on a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .colorize import commands
from .flags import with_flags
from .options import (
    cluster_of,
    cluster_options,
    encode_options,
    network_options,
    options_of,
    references_option,
    run_options,
    verbosity_options,
)
from .param_types import FILM, PATH
from .signals import Stop
from .streams import echo_done, say


@click.command(short_help="Work off a list of films; a second start goes on.")
@click.argument("paths", metavar="FOLDER|FILM...", type=FILM, nargs=-1, required=True)
@references_option(required=False)
@click.option(
    *("-o", "--output"), type=PATH, help="A folder to write to; beside each film by default."
)
@encode_options
@network_options
@run_options
@cluster_options
@verbosity_options
def queue(
    paths: tuple[Path, ...], references: tuple[Path, ...], output: Path | None, **settings: Any
) -> int:
    """Colorize all films of a FOLDER, or each FILM, and say what became of them.

    A film takes the table NAME.csv beside it, which `c2e-video plan` writes; those without one take --ref.

    A film that fails does not stop the others. The same command goes on where it was: films that are made are
    left alone, failed ones are tried again. The exit code is 0 if all films are made, else 1.
    """
    from ..pipeline.film_queue import make_queue, run_queue, table
    from ..utils.devices import configure_process
    from .progress_bar import ProgressBar

    configure_process()
    run = {name: settings.pop(name) for name in ("overwrite", "restart")}
    cluster, options = cluster_of(settings), options_of(settings)
    films = make_queue(paths, references, options, output=output, restart=run["restart"])
    with ProgressBar() as bar:
        try:
            if cluster is None:
                run_queue(films, options, bar, **run)
            else:
                from ..cluster.queue import run_queue_on_cluster

                run_queue_on_cluster(films, cluster, options, bar, **run)
        except Stop as stop:
            stop.add_note("the same command goes on where it was")
            raise
        finally:
            quiet = bar.quiet
            for line in table(films, lambda line: with_flags(line, commands())):
                if not quiet:
                    echo_done(line)
                elif line.startswith("failed"):
                    say(line)
    return int(any(film.state != "done" for film in films))
