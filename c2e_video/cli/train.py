"""The command that trains weights."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import click

from ..errors import C2EError
from .options import verbosity_options
from .param_types import FILE, PATH
from .progress_bar import ProgressBar
from .signals import postponed_stop

COUNT = click.IntRange(min=1)


def sizes_of(text: str) -> tuple[tuple[int, int], ...]:
    """``128`` or ``96,128@2500,256@5000``: the side, and from which step on."""
    try:
        parts = [part.partition("@") for part in text.split(",")]
        return tuple((int(start or 0), int(side)) for side, _, start in parts)
    except ValueError:
        raise C2EError(f"--sizes is like 128 or 96,128@2500,256@5000, got {text!r}") from None


def names_in(path: Path | None) -> tuple[str, ...]:
    """The column ``photo`` of a CSV file."""
    if path is None:
        return ()
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return tuple(row["photo"] for row in csv.DictReader(file))
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise C2EError(f"--exclude is a CSV with a column photo; {str(path)!r}: {error}") from None


def weights_of(pairs: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    """``FOLDER=3`` words as folders with their weights."""
    try:
        split = [pair.split("=") for pair in pairs]
        return tuple((folder, float(weight)) for folder, weight in split)
    except ValueError:
        raise C2EError(f"--folder-weight is like faces=3, got {' '.join(pairs)!r}") from None


@click.command(short_help="Train weights on photographs.")
@click.option(
    "--photos", type=PATH, multiple=True, required=True, help="Folders or tars of pictures."
)
@click.option(
    "--film", type=PATH, multiple=True, help="Folders or tars of film frames: SHOT/NUMBER.webp."
)
@click.option(
    "--teacher",
    type=FILE,
    help="VGG weights (.safetensors): train the semantic encoder and the color prior of --init.",
)
@click.option("--prior-cells", type=COUNT, default=2048, help="Of the color prior.")
@click.option("--prior-only", is_flag=True, help="Learn the color prior of --init anew.")
@click.option("--exclude", type=FILE, help="CSV whose column photo names pictures not trained on.")
@click.option("--out", type=PATH, required=True, help="Folder for weights, state, losses, sheets.")
@click.option("--width", type=COUNT, default=64, help="Network width; 64 is the paper's.")
@click.option("--memory", default=0, help="Colour memory channels; 0 is the paper's form.")
@click.option("--steps", type=COUNT, default=100_000, help="Steps of the whole run.")
@click.option("--batch", type=COUNT, default=64, help="Pictures of a step.")
@click.option("--accumulate", type=COUNT, default=1, help="Micro-batches of a step.")
@click.option("--sizes", default="256", help="Side, or 96,128@2500,256@5000.")
@click.option("--lr", default=1e-4, help="Learning rate of Adam.")
@click.option(
    "--schedule",
    type=click.Choice(["constant", "cosine"]),
    default="constant",
    help="How the learning rate goes on after the warmup.",
)
@click.option("--warmup", default=0, help="Steps in which the rate rises.")
@click.option("--perceptual", "perceptual_weight", default=0.1, help="Weight; 0 is off.")
@click.option("--perceptual-every", type=COUNT, default=1, help="Only every so many steps.")
@click.option(
    "--matching",
    "matching_weight",
    default=0.0,
    help="Weight of the memory's own loss, such as 0.003; 0 is off.",
)
@click.option(
    "--consistency",
    "consistency_weight",
    default=0.0,
    help="Weight of painting a frame alike when old film gives it once more; 0 is off.",
)
@click.option(
    "--vgg",
    type=FILE,
    help="VGG-16 or VGG-19 weights (.safetensors, torchvision's names: such as model.safetensors of "
    "timm/vgg19.tv_in1k on the Hugging Face Hub); those that torchvision fetches by default.",
)
@click.option("--ema", default=0.999, help="Decay of the averaged weights.")
@click.option("--seed", default=0, help="Of weights, order and augmentation.")
@click.option(
    "--folder-weight",
    "folder_weights",
    multiple=True,
    help="FOLDER=3: draw its pictures more often.",
)
@click.option("--unsquash", multiple=True, help="A folder whose pictures were squeezed to squares.")
@click.option("--recolor", "recolor_share", default=0.0, help="Share in another palette.")
@click.option("--crop", "crop_share", default=0.0, help="Share with a reference zoomed in or out.")
@click.option("--old-film", "old_film_share", default=0.0, help="Share with old film's gray.")
@click.option(
    "--objects", "object_share", default=0.0, help="Share with something that moves by itself."
)
@click.option("--film-share", default=0.0, help="Share that are frames with another of their shot.")
@click.option("--memory-dropout", default=0.0, help="Share painted without the memory.")
@click.option("--mismatched-memory", default=0.0, help="Share with another picture's memory.")
@click.option(
    "--cache", type=PATH, help="Where decoded photographs are kept; OUT/cache by default."
)
@click.option("--init", type=FILE, help="Weights to start from.")
@click.option("--resume", is_flag=True, help="Go on with the run in OUT.")
@click.option("--sheet-every", type=COUNT, default=500, help="Steps between sheets.")
@click.option("--save-every", type=COUNT, default=200, help="Steps between checkpoints.")
@verbosity_options
def train(
    photos: tuple[Path, ...],
    film: tuple[Path, ...],
    teacher: Path | None,
    out: Path,
    **settings: Any,
) -> None:
    """Train a network by self-reference, as the paper does; the shares add what the paper has not.

    Several GPUs: torchrun --nproc-per-node=N -m c2e_video train ...
    """
    from ..model import ModelConfig
    from ..train.config import TrainConfig
    from ..train.distill import Distiller
    from ..train.loop import Trainer
    from ..train.prior import relearn_prior
    from ..utils.garbage import collect_as_usual

    collect_as_usual()
    try:
        model = ModelConfig(width=settings.pop("width"), memory=settings.pop("memory"))
    except ValueError as error:
        raise C2EError(str(error)) from None
    run = {name: settings.pop(name) for name in ("cache", "vgg", "init", "resume")}
    with ProgressBar() as bar:
        shown: dict[str, Any] = {"show": not bar.quiet, "note": bar.note}
    every = {name: settings.pop(name) for name in ("sheet_every", "save_every")}
    settings["sizes"] = sizes_of(settings["sizes"])
    settings["folder_weights"] = weights_of(settings["folder_weights"])
    cells = settings.pop("prior_cells")
    settings["exclude"] = names_in(settings["exclude"])
    prior_only = settings.pop("prior_only")
    config = TrainConfig(model=model, **settings)
    if prior_only:
        if run["init"] is None or teacher is not None:
            raise C2EError(
                "--prior-only learns the color prior of weights that have a semantic encoder; "
                "give those with --init, without --teacher"
            )
        relearn_prior(list(photos), out, config, init=run["init"], cells=cells, cache=run["cache"])
        return
    if teacher is not None:
        if run["init"] is None:
            raise C2EError("--teacher adds semantic features to weights; give those with --init")
        del run["vgg"]
        run |= {"teacher": teacher, "cells": cells, "film": list(film)}
        distiller = Distiller(list(photos), out, config, **run)
        with postponed_stop() as stop_asked:
            distiller.run(save_every=every["save_every"], should_stop=stop_asked, **shown)
        return
    trainer = Trainer(list(photos), out, config, film=list(film), **run)
    with postponed_stop() as stop_asked:
        trainer.run(should_stop=stop_asked, **every, **shown)
