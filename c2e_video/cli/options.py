"""Options that several commands share."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click

from ..utils.choices import (
    DROPPABLE,
    AudioChoice,
    Codec,
    Deinterlace,
    Device,
    Precision,
    ProfileName,
    Quality,
)
from .param_types import FILE, INTERVAL, PATH, RATE, TIME
from .streams import QUIET

if TYPE_CHECKING:
    from ..cluster.settings import ClusterSettings
    from ..pipeline.options import Options

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
        help="A colour picture, a folder of them, a colour film, or a table (.csv, .xlsx). May be repeated.",
    )


def encode_options(command: Command) -> Command:
    """How a film is encoded."""
    return _all_of(
        command,
        _choice("--profile", ProfileName, "Codec, container and depth in one."),
        _choice(
            "--codec", Codec, "By default that of the output's suffix (pictures, mxf), else h264."
        ),
        click.option("--crf", type=float, help="Quality of the codec, smaller is better."),
        click.option("--preset", help="Speed preset of the codec."),
    )


def run_options(command: Command) -> Command:
    """How a film is worked on, and what of it is kept."""
    return _all_of(
        command,
        click.option(
            "--batch",
            type=click.IntRange(1, 1024),
            default=8,
            help="Frames that a GPU colorizes at once.",
        ),
        _choice(
            "--deinterlace",
            Deinterlace,
            "Make progressive frames: auto of those flagged as interlaced, on of all.",
            default="off",
        ),
        click.option(
            "--drop",
            metavar="WHAT",
            multiple=True,
            help=f"Leave out {', '.join(DROPPABLE)}, or one stream, as audio:2; may be repeated.",
        ),
        _choice(
            "--audio",
            AudioChoice,
            "How sound that the container cannot hold is encoded; copy refuses it.",
            default="copy",
        ),
        click.option(
            "--restart", is_flag=True, help="Forget an interrupted run instead of taking it up."
        ),
        click.option("-y", "--overwrite", is_flag=True, help="Overwrite the output."),
    )


def cluster_options(command: Command) -> Command:
    """Which Ray cluster renders, and what one task takes of it."""
    return _all_of(
        command,
        click.option(
            "--ray",
            metavar="auto|HOST:PORT",
            help="Render on the workers of a Ray cluster; auto finds one, or starts it on this machine.",
        ),
        click.option(
            "--ray-gpus",
            type=click.FloatRange(0, 16),
            help="GPUs of a segment's task, also a fraction; 1 where there are GPUs.",
        ),
        click.option(
            "--ray-cpus",
            type=click.IntRange(1, 1024),
            help="Processors of a segment's task; 1, with a GPU its share of the machine's.",
        ),
    )


def options_of(settings: dict[str, Any], output: Path | None = None) -> Options:
    """The options of a run, of what :func:`encode_options` and the others gave. These are removed.

    Pictures and MXF as ``output`` have codecs of their own (:func:`settings_for`).
    """
    from ..pipeline.options import Options
    from ..video.encode import settings_for

    wanted = {name: settings.pop(name) for name in ("profile", "codec", "crf", "preset")}
    encode = settings_for(**wanted, output=output)
    names = {field.name for field in fields(Options)}
    return Options(encode, **{name: settings.pop(name) for name in names & settings.keys()})


def cluster_of(settings: dict[str, Any]) -> ClusterSettings | None:
    """The cluster that :func:`cluster_options` gave, which are removed; None without one.

    Raises:
        click.UsageError: What a task takes is given without a cluster.
    """
    address, gpus, cpus = (settings.pop(name) for name in ("ray", "ray_gpus", "ray_cpus"))
    if address is None:
        if gpus is not None or cpus is not None:
            raise click.UsageError("--ray-gpus and --ray-cpus go with --ray")
        return None
    from ..cluster.settings import ClusterSettings

    return ClusterSettings(address, gpus, cpus)


def network_options(command: Command) -> Command:
    """Options of every command that colorizes."""
    return _all_of(
        command,
        click.option(
            "--weights", type=FILE, help="Weights (.safetensors); the shipped ones by default."
        ),
        click.option(
            "--saturation", type=click.FloatRange(0, 4), default=1.0, help="Colour strength."
        ),
        click.option(
            "--prior",
            type=click.FloatRange(0, 1),
            default=1.0,
            help="Weight of what things usually look like, where no reference shows them.",
        ),
        _choice(
            "--quality",
            Quality,
            "A network size and an anchor interval in one: speed against colour.",
            default="standard",
        ),
        click.option(
            "--size",
            type=click.IntRange(16, 4096),
            help="Short side of what the network sees, in pixels; that of --quality by default.",
        ),
        click.option(
            "--anchor-interval",
            type=INTERVAL,
            default="auto",
            help="The network runs on every Nth frame, those between are interpolated along motion; "
            "auto is 1 on a GPU, and that of --quality on a CPU.",
        ),
        _choice(
            "--precision",
            Precision,
            "The network's numbers; auto is the fastest here.",
            default="auto",
        ),
        _choice(
            "--device", Device, "Where the network runs; auto is the best there is.", default="auto"
        ),
    )


def stretch_options(command: Command) -> Command:
    """Which part of a film, and how fast numbered pictures are shown."""
    return _all_of(
        command,
        click.option(
            "--start", type=TIME, metavar="HH:MM:SS.mmm", help="From this time of the film on."
        ),
        click.option(
            "--end", type=TIME, metavar="HH:MM:SS.mmm", help="Up to this time of the film."
        ),
        click.option(
            "--fps", type=RATE, help="Of numbered pictures: how many a second; 24 if not given."
        ),
    )


def verbosity_options(command: Command) -> Command:
    """``-q`` and ``-v``."""
    return _all_of(
        command,
        click.option(
            *("-q", "--quiet"),
            is_flag=True,
            expose_value=False,
            callback=_set_quiet,
            help="Show nothing but errors.",
        ),
        click.option(
            *("-v", "--verbose"),
            is_flag=True,
            expose_value=False,
            callback=_set_verbose,
            help="Show what the libraries say, too.",
        ),
    )


def _set_quiet(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[QUIET] = True
        logging.disable(logging.WARNING)


def _set_verbose(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        import av.logging

        logging.basicConfig(level=logging.INFO, format="c2e-video: %(name)s: %(message)s")
        av.logging.set_level(av.logging.INFO)


def _choice(
    flag: str, kinds: Any, help: str, default: str | None = None
) -> Callable[[Command], Command]:
    """An option that takes one of the strings of a ``Literal``."""
    return click.option(flag, type=click.Choice(get_args(kinds)), default=default, help=help)


def _all_of(command: Command, *options: Callable[[Command], Command]) -> Command:
    """The command with the options, which its help shows in this order."""
    for option in reversed(options):
        command = option(command)
    return command
