"""``c2e-video plan``: find the shots of a film and their references."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import C2EError
from .options import network_options, references_option, stretch_options, verbosity_options
from .param_types import FILE, FILM, PATH
from .streams import echo_done


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
@click.option(
    "--propose",
    type=PATH,
    metavar="DIR",
    help="Write a still of each shot there, its colours guessed, and name them in the list.",
)
@click.option("--stills-folder", type=PATH, help="Where stills go; FILM.stills by default.")
@network_options
@stretch_options
@click.option(
    "-y",
    "--overwrite",
    is_flag=True,
    help="Plan anew, and write over the list; a table is kept as FILM.1.csv.",
)
@verbosity_options
def plan(
    film: Path,
    references: tuple[Path, ...],
    shots: Path | None,
    output: Path | None,
    sheet: Path | None,
    stills: int | None,
    propose: Path | None,
    stills_folder: Path | None,
    overwrite: bool,
    **settings: Any,
) -> None:
    """Find the shots of FILM, give each its reference, and write a table to look at and to edit.

    A table that is there already is updated: what a person wrote in it stays, and pictures are found
    for what is still open. `c2e-video FILM --refs FILM.csv` then colorizes FILM as the table says.
    """
    from ..inference.matching import PictureMatcher
    from ..inference.video_colorizer import VideoColorizer
    from ..pipeline.options import Options, colorizer_for, window_of
    from ..pipeline.time_estimate import estimate_seconds, in_words
    from ..planning.analysis import first_pts
    from ..planning.contact_sheet import write_sheet
    from ..planning.coverage import FilmMatcher
    from ..planning.guesses import guess_references, write_guesses
    from ..planning.planner import make_plan
    from ..planning.proposals import MAX_PROPOSALS, summary
    from ..planning.shot_lists import read_shot_list
    from ..planning.stills import make_folder, write_stills
    from ..references.given import sort_references
    from ..utils.devices import configure_process
    from ..video.decode import base_path, check_not_among
    from ..video.decode.decoder import probe
    from ..video.frames import Shot
    from .plan_outputs import PlanOutputs
    from .progress_bar import ProgressBar

    configure_process()
    options = Options(**settings)
    info = probe(film, options.fps)
    said: list[str] = []
    given = sort_references(references, info, said.append)
    outputs = PlanOutputs.choose(film, info, given, output, sheet, overwrite, bool(shots))
    if propose and references:
        raise C2EError("--propose guesses colours where there are no references; leave --ref out")
    if stills:
        named = base_path(film)
        stills_folder = stills_folder or named.with_name(f"{named.name}.stills")
        check_not_among(film, stills_folder)
        make_folder(stills_folder)
    listed: tuple[Shot, ...] = ()
    if shots:
        listed = read_shot_list(shots, info, start=first_pts(film, info), note=said.append)
    window = window_of(info, options)
    video_colorizer = VideoColorizer(colorizer_for(options), info)
    film_matcher = FilmMatcher(PictureMatcher(video_colorizer.colorizer))
    with ProgressBar() as bar:
        planned = make_plan(
            film,
            info,
            outputs.given,
            video_colorizer,
            bar,
            shots=listed,
            window=window,
            film_matcher=film_matcher,
        )
        written = planned
        if propose:
            guessed = guess_references(planned, video_colorizer.colorizer, bar)
            written = planned.with_guesses(write_guesses(guessed, propose, bar))
        said += outputs.write_list(written)
        proposals = planned.proposals(film_matcher, bar, stills or MAX_PROPOSALS)
        if sheet:
            write_sheet(planned, proposals, video_colorizer, sheet, bar)
            said.append(f"written: {sheet}")
        if stills and stills_folder:
            write_stills(planned, proposals, stills_folder, bar)
            said.append(f"stills: {len(proposals)} in {stills_folder}")
        bar.stage("measuring time", None)
        estimate = estimate_seconds(planned, options)
    for line in (planned.summary(), *planned.changes(), *planned.remarks(), *said):
        echo_done(line)
    if proposals:
        echo_done(f"worth painting: {summary(proposals)}")
        for proposal in proposals:
            echo_done(f"  {proposal.line(info)}")
    if estimate:
        echo_done(f"colorizing takes {in_words(estimate)} on this machine")
