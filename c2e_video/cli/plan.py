"""``c2e-video plan``: find the shots of a film and their references."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import C2EError
from .options import (
    FILE,
    FILM,
    PATH,
    network_options,
    references_option,
    stretch_options,
    verbosity_options,
)
from .streams import echo

LISTS = (".csv", ".edl", ".otio")


@click.command(short_help="Find the shots of a film and their references, and write them down.")
@click.argument("film", type=FILM)
@references_option(required=False)
@click.option(
    "--shots", type=FILE, help="A list of shots to take: PySceneDetect's .csv, .edl, .otio."
)
@click.option(
    "-o", "--output", type=PATH, help="The list to write; FILM.csv by default. Also .edl, .otio."
)
@click.option("--sheet", type=PATH, help="Write a contact sheet there (.html).")
@click.option(
    "--stills", type=click.IntRange(1, 1000), metavar="N", help="Write the best N frames to paint."
)
@click.option("--stills-folder", type=PATH, help="Where stills go; FILM.stills by default.")
@network_options
@stretch_options
@click.option("-y", "--overwrite", is_flag=True, help="Overwrite the table and the sheet.")
@verbosity_options
def plan(
    film: Path,
    references: tuple[Path, ...],
    shots: Path | None,
    output: Path | None,
    sheet: Path | None,
    stills: int | None,
    stills_folder: Path | None,
    overwrite: bool,
    **settings: Any,
) -> None:
    """Find the shots of FILM, give each its reference, and write a table to look at and to edit.

    `c2e-video FILM --refs FILM.csv` then paints FILM as the table says.
    """
    from ..inference.video_colorizer import VideoColorizer
    from ..pipeline.options import Options, colorizer_for, window_of
    from ..pipeline.output import check_output
    from ..planning.analysis import first_pts
    from ..planning.contact_sheet import write_sheet
    from ..planning.plan import make_plan
    from ..planning.proposals import MAX_PROPOSALS, summary
    from ..planning.shot_lists import check_shot_list, read_shot_list
    from ..planning.stills import make_folder, write_stills
    from ..references.reference_map import ReferenceMap, load_references_or_map
    from ..utils.devices import configure_process
    from ..video.decode import base_path
    from ..video.decode.decoder import probe
    from ..video.frames import Shot
    from .progress_bar import ProgressBar

    configure_process()
    options = Options(**settings)
    info = probe(film, options.fps)
    left_out: list[str] = []
    given = load_references_or_map(references, info, left_out.append)
    if output is None and not isinstance(given, ReferenceMap):  # a map is not written over
        name = base_path(film)
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
        named = base_path(film)
        stills_folder = stills_folder or named.with_name(f"{named.name}.stills")
        make_folder(stills_folder)
    listed: tuple[Shot, ...] = ()
    if shots:
        listed = read_shot_list(shots, info, start=first_pts(film, info), note=left_out.append)
    window = window_of(info, options)
    video_colorizer = VideoColorizer(colorizer_for(options), info)
    with ProgressBar() as bar:
        planned = make_plan(film, info, given, video_colorizer, bar, shots=listed, window=window)
        if output:
            planned.write(output)
        proposals = planned.proposals(video_colorizer, bar, stills or MAX_PROPOSALS)
        if sheet:
            write_sheet(planned, proposals, video_colorizer, sheet, bar)
        if stills and stills_folder:
            write_stills(planned, proposals, stills_folder, bar)
    for line in (planned.summary(), *left_out, *planned.remarks()):
        echo(line)
    for path in filter(None, (output, sheet)):
        echo(f"written: {path}")
    if proposals:
        echo(f"worth painting: {summary(proposals)}")
        for proposal in proposals:
            echo(f"  {proposal.line(info)}")
    if stills:
        echo(f"stills: {len(proposals)} in {stills_folder}")
