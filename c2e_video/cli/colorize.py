"""Commands on a film: paint it, or plan it first."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click

from ..utils.choices import DROPPABLE, AudioChoice, Codec, Deinterlace, ProfileName
from ..utils.timecode import parse_rate, parse_timecode
from .options import PATH, network_options, references_option


@click.command(short_help="Paint a film (the default command).")
@click.argument("film", type=PATH)
@references_option(required=True)
@click.option("-o", "--output", type=PATH, help="Where to write; FILM.color.mp4 by default.")
@click.option(
    "--profile", type=click.Choice(get_args(ProfileName)), help="Codec, container and depth in one."
)
@click.option("--codec", type=click.Choice(get_args(Codec)), help="h264 by default.")
@click.option("--crf", type=float, help="Quality of the codec, smaller is better.")
@click.option("--preset", help="Speed preset of the codec.")
@network_options
@click.option(
    "--batch", default=8, show_default=True, help="Frames painted at once (CPU: one a core)."
)
@click.option(
    "--start", type=parse_timecode, metavar="TIME", help="Paint from here on (HH:MM:SS.mmm)."
)
@click.option("--end", type=parse_timecode, metavar="TIME", help="Paint up to here.")
@click.option(
    "--deinterlace", type=click.Choice(get_args(Deinterlace)), default="off", show_default=True
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
    show_default=True,
    help="How sound that the container cannot hold is encoded; copy refuses it.",
)
@click.option(
    "--fps",
    type=parse_rate,
    metavar="RATE",
    help="Of numbered pictures: how many a second; 24 if not told.",
)
@click.option("--restart", is_flag=True, help="Forget an interrupted run instead of taking it up.")
@click.option("-y", "--overwrite", is_flag=True, help="Overwrite the output.")
def colorize(
    film: Path, references: tuple[Path, ...], output: Path | None, **settings: Any
) -> None:
    """Paint FILM with the colours of one or more reference pictures.

    FILM may be a folder of numbered pictures or a pattern such as scan_%05d.dpx, or - for standard
    input.

    One picture colours the whole film. Of several, those that are frames of the film find their own
    shots, and every other shot takes the one it resembles most.
    """
    from ..pipeline.colorize import colorize_video
    from ..pipeline.options import Options
    from ..pipeline.output import check_places
    from ..video.encode import settings_for
    from .progress_bar import ProgressBar
    from .stdin import buffered_stdin

    overwrite, restart = settings.pop("overwrite"), settings.pop("restart")
    names = ("profile", "codec", "crf", "preset")
    encode = settings_for(*(settings.pop(name) for name in names))
    drop = frozenset(settings.pop("drop"))
    if output is not None:
        check_places(film, output, overwrite)
    with ProgressBar() as bar, buffered_stdin(film, output, bar.note) as source:
        result = colorize_video(
            source,
            output,
            references=references,
            options=Options(encode, drop=drop, **settings),
            overwrite=overwrite,
            restart=restart,
            progress=bar,
        )
    shots = len(result.references.shots)
    click.echo(
        f"{result.output}: {result.frames} frames, {shots} shot{'s' * (shots != 1)}, "
        f"{len(result.references.distinct())} reference(s)"
    )
