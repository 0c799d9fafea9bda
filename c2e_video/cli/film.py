"""Commands on a film: paint it, or plan it first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import C2EError
from ..timecode import parse_rate, parse_timecode
from .options import PATH, network_options, references_option

CODECS = ("h264", "h265", "ffv1", "prores", "av1")
PROFILES = ("web", "master", "archive")
LISTS = (".csv", ".edl", ".otio")
DROPS = ("audio", "subtitles", "attachments", "data", "chapters")


@click.command(short_help="Paint a film (the default command).")
@click.argument("film", type=PATH)
@references_option(required=True)
@click.option("-o", "--output", type=PATH, help="Where to write; FILM.color.mp4 by default.")
@click.option("--profile", type=click.Choice(PROFILES), help="Codec, container and depth in one.")
@click.option("--codec", type=click.Choice(CODECS), help="h264 by default.")
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
    "--deinterlace", type=click.Choice(["auto", "on", "off"]), default="off", show_default=True
)
@click.option("--drop", type=click.Choice(DROPS), multiple=True, help="Leave out; may be repeated.")
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
    from ..encode import settings_for
    from ..options import Options
    from ..pipeline import check_places, colorize_video
    from ..spool import spooled
    from ..terminal import Bar

    overwrite, restart = settings.pop("overwrite"), settings.pop("restart")
    names = ("profile", "codec", "crf", "preset")
    encode = settings_for(*(settings.pop(name) for name in names))
    drop = frozenset(settings.pop("drop"))
    if output is not None:
        check_places(film, output, overwrite)
    with Bar() as bar, spooled(film, output, bar.note) as source:
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


@click.command(short_help="Find the shots of a film and their references, and write them down.")
@click.argument("film", type=PATH)
@references_option(required=False)
@click.option(
    "--shots", type=PATH, help="A list of shots to take: PySceneDetect's .csv, .edl, .otio."
)
@click.option(
    "-o", "--output", type=PATH, help="The list to write; FILM.csv by default. Also .edl, .otio."
)
@click.option("--sheet", type=PATH, help="Write a contact sheet there (.html).")
@click.option(
    "--stills", type=PATH, help="Write the frames worth painting into that folder (.png)."
)
@network_options
@click.option(
    "--start", type=parse_timecode, metavar="TIME", help="Look from here on (HH:MM:SS.mmm)."
)
@click.option("--end", type=parse_timecode, metavar="TIME", help="Look up to here.")
@click.option(
    "--fps",
    type=parse_rate,
    metavar="RATE",
    help="Of numbered pictures: how many a second; 24 if not told.",
)
@click.option("-y", "--overwrite", is_flag=True, help="Overwrite the table and the sheet.")
def plan(
    film: Path,
    references: tuple[Path, ...],
    shots: Path | None,
    output: Path | None,
    sheet: Path | None,
    stills: Path | None,
    overwrite: bool,
    **settings: Any,
) -> None:
    """Find the shots of FILM, give each its reference, and write a table to look at and to edit.

    `c2e-video FILM --refs FILM.csv` then paints FILM as the table says.
    """
    from ..decode import film_name, probe
    from ..options import Options, check_output, colorizer_for, load_given, window_of
    from ..painter import Painter
    from ..plan import first_pts, make_plan
    from ..references import ReferenceMap
    from ..sheet import make_folder, write_sheet, write_stills
    from ..shot_lists import check_shot_list, read_shot_list
    from ..terminal import Bar

    options = Options(**settings)
    info = probe(film, options.fps)
    given = load_given(references, info)
    if output is None and not isinstance(given, ReferenceMap):  # a map is not written over
        name = film_name(film)
        output = name.with_name(f"{name.name}.csv")
    if output is not None and output.suffix.lower() not in LISTS:
        raise C2EError(f"shots are written to {', '.join(LISTS)}, got {str(output)!r}")
    if output is not None:
        check_shot_list(output, info)
    if sheet and sheet == output:
        raise C2EError(f"the list and the sheet would both be {str(sheet)!r}; give two names")
    for path in filter(None, (output, sheet)):
        check_output(film, path, overwrite)
    if stills:
        make_folder(stills)
    listed = read_shot_list(shots, info, start=first_pts(film, info)) if shots else ()
    window = window_of(info, options)
    painter = Painter(colorizer_for(options), info)
    with Bar() as bar:
        planned = make_plan(film, info, given, painter, bar, shots=listed, window=window)
        if output:
            planned.write(output)
        if sheet:
            write_sheet(planned, painter, sheet, bar, window=window)
        count = write_stills(planned, stills, bar, window=window) if stills else 0
    for line in (planned.summary(), *planned.remarks()):
        click.echo(line)
    for path in filter(None, (output, sheet)):
        click.echo(f"written: {path}")
    if stills:
        click.echo(f"stills: {count} in {stills}")
