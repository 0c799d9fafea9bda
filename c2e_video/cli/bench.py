"""The command that tells what this machine will do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import PATH, network_options


@click.command(short_help="Measure this machine.")
@network_options
@click.option(
    "--batch", default=8, show_default=True, help="Frames painted at once (CPU: one a core)."
)
@click.option("--quick", is_flag=True, help="Small sizes and short films only.")
@click.option(
    "--growth", is_flag=True, help="Also films of 1, 4 and 16 thousand frames, and of many shots."
)
@click.option("--json", "json_file", type=PATH, help="Write the figures there.")
def bench(quick: bool, growth: bool, json_file: Path | None, **settings: Any) -> None:
    """Measure the network against this machine's convolution peak and against the plain way of
    writing it, and drawn films through the whole pipeline against each of its stages alone."""
    from ..bench.report import measure
    from ..options import Options
    from ..text_files import check_folder, write_text

    if json_file:
        check_folder(json_file)
    figures = measure(Options(**settings), quick=quick, growth=growth, say=click.echo)
    if json_file:
        write_text(json_file, figures.to_json())
