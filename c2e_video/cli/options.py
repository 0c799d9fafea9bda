"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from ..utils.choices import Device, Precision

PATH = click.Path(path_type=Path)

Command = TypeVar("Command", bound=Callable[..., Any])


def references_option(*, required: bool) -> Callable[[Command], Command]:
    """``--ref``, under both its names."""
    return click.option(
        "--ref",
        "--refs",
        "references",
        type=PATH,
        multiple=True,
        required=required,
        help="A colour picture, a folder of them, or a map in a .csv file. May be repeated.",
    )


def network_options(command: Command) -> Command:
    """Options of every command that paints."""
    for option in (
        click.option(
            "--weights", type=PATH, help="Weights (.safetensors) instead of the shipped ones."
        ),
        click.option(
            "--saturation", default=1.0, show_default=True, help="Colour strength, 0 to 4."
        ),
        click.option("--size", default=256, show_default=True, help="Short side the network sees."),
        click.option(
            "--precision",
            type=click.Choice(get_args(Precision)),
            default="auto",
            show_default=True,
        ),
        click.option(
            "--device",
            type=click.Choice(get_args(Device)),
            default="auto",
            show_default=True,
        ),
    ):
        command = option(command)
    return command
