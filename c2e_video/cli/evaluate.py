"""The command that measures colour."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ..errors import C2EError
from .options import network_options, verbosity_options
from .param_types import FILE, PATH
from .streams import echo


@click.command(short_help="Measure colour against the truth.")
@click.argument("clips", type=PATH, nargs=-1)
@click.option(
    "--pairs", type=FILE, help="A .csv file of reference,target pictures instead of clips."
)
@click.option("--reference", default=0, help="The frame that is the reference, counted from 0.")
@click.option("--reference-interval", type=int, help="A new reference every so many frames.")
@click.option("--max-frames", type=int, help="Only so many frames of each clip.")
@click.option("--lpips", type=FILE, help="LPIPS weights, AlexNet heads (.safetensors).")
@click.option("--json", "json_file", type=PATH, help="Write the figures there.")
@click.option(
    "--sheet", type=PATH, help="Write a picture there: truth | gray | colorized, a row a clip."
)
@click.option(
    "--without-memory", is_flag=True, help="A row more: colorized without the colour memory."
)
@click.option(
    "--compare",
    type=FILE,
    multiple=True,
    help="Other weights: a row more for each, by its file's name.",
)
@network_options
@verbosity_options
def evaluate(
    clips: tuple[Path, ...],
    pairs: Path | None,
    lpips: Path | None,
    json_file: Path | None,
    sheet: Path | None,
    reference: int,
    reference_interval: int | None,
    max_frames: int | None,
    without_memory: bool,
    compare: tuple[Path, ...],
    **network: Any,
) -> None:
    """Make colour CLIPS gray, colorize them from their own frames, and compare with the truth.

    CLIPS are colour films or folders of numbered frames.
    """
    if bool(clips) == bool(pairs):
        raise C2EError("give colour clips to measure, or --pairs FILE, one of the two")
    if pairs and (reference or reference_interval is not None or max_frames is not None):
        raise C2EError(
            "--reference, --reference-interval and --max-frames choose among a clip's frames; "
            "--pairs names its own pictures"
        )
    from ..evaluate.baselines import ColorizationMethod, WithoutMemory
    from ..evaluate.evaluator import evaluate_clips, evaluate_pairs
    from ..evaluate.lpips import Lpips
    from ..evaluate.metrics import ciede2000_formula
    from ..evaluate.report import check_sheet, table, write_json, write_sheet
    from ..evaluate.scores import GRAY, MEAN_COLOR, PREDICTION, VECTOR_ALONE
    from ..pipeline.digests import file_digest
    from ..pipeline.options import Options, colorizer_for
    from ..utils.devices import configure_process
    from ..utils.files import check_folder
    from .progress_bar import ProgressBar

    configure_process(single_threaded=False)  # LPIPS is computed by this thread
    # An error now, not after hours of work.
    ciede2000_formula()
    if json_file:
        check_folder(json_file)
    if sheet:
        check_sheet(sheet)
    options = Options(**network)
    colorizer = colorizer_for(options)
    methods: dict[str, ColorizationMethod] = {PREDICTION: colorizer}
    if without_memory:
        methods[VECTOR_ALONE] = WithoutMemory(colorizer)
    for weights in compare:
        # A run of training leaves "weights.safetensors" in a folder of its own.
        name = weights.parent.name if weights.stem == "weights" else weights.stem
        if name in (GRAY, MEAN_COLOR, *methods):
            raise C2EError(f"two rows would be named {name!r}: rename one --compare file")
        methods[name] = colorizer_for(replace(options, weights=weights))
    distance = Lpips.load(lpips) if lpips else None
    with ProgressBar() as bar:
        bar.stage("measuring", None)
        watch: dict[str, Any] = {"lpips": distance, "on_frame": lambda *_: bar.advance(1)}
        if pairs:
            results = evaluate_pairs(methods, pairs, **watch)
        else:
            watch |= {
                "reference": reference,
                "reference_interval": reference_interval,
                "max_frames": max_frames,
            }
            results = evaluate_clips(methods, clips, **watch)
    results.conditions.update(
        weights=file_digest(colorizer.weights),
        compare=[file_digest(weights) for weights in compare],
        network_size=colorizer.size,
        anchor_interval=colorizer.anchor_interval,
        network_precision=str(colorizer.dtype),
        saturation=colorizer.saturation,
    )
    if json_file:
        write_json(results, json_file)
    if sheet:
        write_sheet(results, sheet)
    echo(table(results))
