"""``c2e-video colorize``: colorize one film or several. It is the default command."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click

from ..errors import C2EError
from ..utils.choices import DROPPABLE, AudioChoice, Codec, Deinterlace, ProfileName
from .flags import with_flags
from .options import (
    FILM,
    PATH,
    network_options,
    references_option,
    stretch_options,
    verbosity_options,
)
from .streams import echo_done, say


@click.command(short_help="Colorize films (the default command).")
@click.argument("films", metavar="FILM...", type=FILM, nargs=-1, required=True)
@references_option(required=True)
@click.option(
    *("-o", "--output"),
    type=PATH,
    help="Where to write, a file or a folder that exists; FILM.color.mp4 by default.",
)
@click.option(
    "--profile", type=click.Choice(get_args(ProfileName)), help="Codec, container and depth in one."
)
@click.option("--codec", type=click.Choice(get_args(Codec)), help="h264 by default.")
@click.option("--crf", type=float, help="Quality of the codec, smaller is better.")
@click.option("--preset", help="Speed preset of the codec.")
@network_options
@click.option(
    "--batch",
    type=click.IntRange(1, 1024),
    default=8,
    help="Frames that a GPU colorizes at once.",
)
@stretch_options
@click.option(
    "--deinterlace",
    type=click.Choice(get_args(Deinterlace)),
    default="off",
    help="Make progressive frames: auto of those flagged as interlaced, on of all.",
)
@click.option(
    "--drop",
    metavar="WHAT",
    multiple=True,
    help=f"Leave out {', '.join(DROPPABLE)}, or one stream, as audio:2; may be repeated.",
)
@click.option(
    "--audio",
    type=click.Choice(get_args(AudioChoice)),
    default="copy",
    help="How sound that the container cannot hold is encoded; copy refuses it.",
)
@click.option("--restart", is_flag=True, help="Forget an interrupted run instead of taking it up.")
@click.option("-y", "--overwrite", is_flag=True, help="Overwrite the output.")
@verbosity_options
def colorize(
    films: tuple[Path, ...], references: tuple[Path, ...], output: Path | None, **settings: Any
) -> None:
    """Colorize each FILM with the colours of one or more reference pictures.

    FILM may be a folder of numbered pictures or a pattern such as scan_%05d.dpx, or - for standard
    input.

    One picture colours the whole film. Of several, those that are frames of the film find their own
    shots, and every other shot takes the one it resembles most.
    """
    from ..pipeline.options import Options
    from ..pipeline.output import check_places, outputs_for
    from ..utils.devices import configure_process
    from ..video.encode import settings_for

    configure_process()
    run = {name: settings.pop(name) for name in ("overwrite", "restart")}
    encode = settings_for(*(settings.pop(name) for name in ("profile", "codec", "crf", "preset")))
    options = Options(encode, **settings)
    if len(films) == 1 and output is None:
        _colorize_one(films[0], None, references, options, **run)
        return
    _check_several(films, references)
    outputs = outputs_for(films, output, encode)
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
            say(f"{film}: {with_flags(str(error), _commands())}")
    if failed:
        names = ", ".join(map(str, failed))
        raise C2EError(f"{len(failed)} of {len(films)} films failed: {names}")


def _commands() -> click.Group:
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
        if path.suffix.lower() == ".csv":
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
    overwrite: bool,
    restart: bool,
) -> None:
    from ..pipeline.colorize import colorize_video
    from .progress_bar import ProgressBar
    from .stdin import buffered_stdin

    with ProgressBar() as bar, buffered_stdin(film, output, bar.note) as source:
        result = colorize_video(
            source,
            output,
            references=references,
            options=options,
            overwrite=overwrite,
            restart=restart,
            progress=bar,
        )
    if bar.quiet:
        return
    shots = len(result.references.shots)
    echo_done(
        f"{result.output}: {result.frames} frames, {shots} shot{'s' * (shots != 1)}, "
        f"{len(result.references.distinct())} reference(s)"
    )
