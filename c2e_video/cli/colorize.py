"""``c2e-video colorize``: colorize one film or several. It is the default command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import C2EError
from .flags import with_flags
from .options import (
    cluster_of,
    cluster_options,
    encode_options,
    network_options,
    options_of,
    references_option,
    run_options,
    stretch_options,
    verbosity_options,
)
from .param_types import FILM, PATH
from .streams import echo_done, say

if TYPE_CHECKING:
    from ..cluster.settings import ClusterSettings


@click.command(short_help="Colorize films (the default command).")
@click.argument("films", metavar="FILM...", type=FILM, nargs=-1, required=True)
@references_option(required=False)
@click.option(
    *("-o", "--output"),
    type=PATH,
    help="Where to write: a file, a folder that exists, or pictures such as out/%06d.dpx; "
    "FILM.color.mp4 by default.",
)
@encode_options
@network_options
@stretch_options
@run_options
@cluster_options
@verbosity_options
def colorize(
    films: tuple[Path, ...], references: tuple[Path, ...], output: Path | None, **settings: Any
) -> None:
    """Colorize each FILM with the colours of one or more reference pictures.

    FILM may be a folder of numbered pictures or a pattern such as scan_%05d.dpx, or - for standard
    input.

    One picture colours the whole film. Of several, those that are frames of the film find their own
    shots, and every other shot takes the one it resembles most, or several where all show other
    scenes. Without a reference the colours are guesses.
    """
    from ..pipeline.output import check_places, outputs_for
    from ..utils.devices import configure_process

    configure_process()
    run = {name: settings.pop(name) for name in ("overwrite", "restart")}
    run["cluster"] = cluster_of(settings)
    options = options_of(settings, output)
    if len(films) == 1 and output is None:
        _colorize_one(films[0], None, references, options, **run)
        return
    _check_several(films, references)
    outputs = outputs_for(films, output, options.encode)
    for film, place in zip(films, outputs, strict=True):
        check_places(film, place, run["overwrite"])
    failed = []
    for film, place in zip(films, outputs, strict=True):
        try:
            _colorize_one(film, place, references, options, **run)
        except C2EError as error:
            if len(films) == 1:
                raise
            failed.append(film)
            say(f"{film}: {with_flags(str(error), commands())}")
    if failed:
        names = ", ".join(map(str, failed))
        raise C2EError(f"{len(failed)} of {len(films)} films failed: {names}")


def commands() -> click.Group:
    """All commands, whose options messages may name."""
    group = click.get_current_context().find_root().command
    assert isinstance(group, click.Group)
    return group


def _check_several(films: tuple[Path, ...], references: tuple[Path, ...]) -> None:
    """What one film alone can have."""
    if len(films) < 2:
        return
    if Path("-") in films:
        raise C2EError("standard input is one film; colorize it alone")
    for path in references:
        if path.suffix.lower() in (".csv", ".xlsx"):
            raise C2EError(
                f"the map {str(path)!r} has the shots of one film, and there are {len(films)}; "
                "give pictures, or colorize each film with its own map"
            )


def _colorize_one(
    film: Path,
    output: Path | None,
    references: tuple[Path, ...],
    options: Any,
    *,
    cluster: ClusterSettings | None,
    **run: bool,
) -> None:
    from .progress_bar import ProgressBar
    from .stdin import buffered_stdin

    with ProgressBar() as bar, buffered_stdin(film, output, bar.note) as source:
        how: Any = {"references": references, "options": options, "progress": bar, **run}
        if cluster is None:
            from ..pipeline.colorize import colorize_video

            result = colorize_video(source, output, **how)
        else:
            from ..cluster.colorize import colorize_on_cluster

            result = colorize_on_cluster(source, output, cluster=cluster, **how)
    if bar.quiet:
        return
    shots = len(result.references.shots)
    echo_done(
        f"{result.output}: {result.frames} frames, {shots} shot{'s' * (shots != 1)}, "
        f"{len(result.references.distinct())} reference(s)"
    )
    for line in result.warnings:
        echo_done(line)
