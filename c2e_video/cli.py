"""The command line. Heavy modules are imported by the commands that need them: ``--help`` is quick."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TypeVar

import click

from .errors import C2EError
from .timecode import parse_timecode
from .version import __version__

CODECS = ("h264", "h265", "ffv1", "prores", "av1")
DROPS = ("audio", "subtitles", "attachments", "data", "chapters")
PATH = click.Path(path_type=Path)

Command = TypeVar("Command", bound=Callable[..., Any])


class FilmFirst(click.Group):
    """``c2e-video film.mp4 …`` means ``c2e-video colorize film.mp4 …``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {"--help", "-h", "--version"}
        if args and args[0] not in self.commands and args[0] not in own:
            args = ["colorize", *args]
        return super().parse_args(ctx, args)


def main() -> NoReturn:
    """The console script: a :class:`C2EError` is one line and exit code 1, a stop is 130 or 143."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = cli(standalone_mode=False)
    except C2EError as error:
        _fail(str(error), 1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _fail("stopped; the same command goes on where it was", 130)
    except BrokenPipeError:
        sys.exit(141)
    sys.exit(code if isinstance(code, int) else 0)


def _terminate(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    click.echo("c2e-video: terminated; the same command goes on where it was", err=True)
    sys.exit(128 + number)


def _fail(line: str, code: int) -> NoReturn:
    click.echo(f"c2e-video: {' '.join(line.split())}", err=True)
    sys.exit(code)


@click.group(
    cls=FilmFirst,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Usually: c2e-video FILM --ref KEYFRAME. See: c2e-video colorize --help.",
)
@click.version_option(__version__, prog_name="c2e-video")
def cli() -> None:
    """Colour for black-and-white film, from one painted keyframe per shot.

    c2e-video FILM --ref KEYFRAME.png paints FILM and writes FILM.color.mp4: the luma, timing, sound,
    subtitles and chapters stay the original's.
    """


def _network_options(command: Command) -> Command:
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
            type=click.Choice(["auto", "fp32", "bf16", "fp16"]),
            default="auto",
            show_default=True,
        ),
        click.option(
            "--device",
            type=click.Choice(["auto", "cpu", "cuda", "mps"]),
            default="auto",
            show_default=True,
        ),
    ):
        command = option(command)
    return command


@cli.command(short_help="Paint a film (the default command).")
@click.argument("film", type=PATH)
@click.option(
    "--ref",
    "--refs",
    "references",
    type=PATH,
    multiple=True,
    required=True,
    help="A colour picture, a folder of them, or a map in a .csv file. May be repeated.",
)
@click.option("-o", "--output", type=PATH, help="Where to write; FILM.color.mp4 by default.")
@click.option("--codec", type=click.Choice(CODECS), default="h264", show_default=True)
@click.option("--crf", type=float, help="Quality of the codec, smaller is better.")
@click.option("--preset", help="Speed preset of the codec.")
@_network_options
@click.option("--batch", default=8, show_default=True, help="Frames painted at once.")
@click.option("--start", type=parse_timecode, help="Paint from here on (HH:MM:SS.mmm).")
@click.option("--end", type=parse_timecode, help="Paint up to here.")
@click.option(
    "--deinterlace", type=click.Choice(["auto", "on", "off"]), default="off", show_default=True
)
@click.option("--drop", type=click.Choice(DROPS), multiple=True, help="Leave out; may be repeated.")
@click.option("--restart", is_flag=True, help="Forget an interrupted run instead of taking it up.")
@click.option("-y", "--overwrite", is_flag=True, help="Overwrite the output.")
def colorize(
    film: Path, references: tuple[Path, ...], output: Path | None, **settings: Any
) -> None:
    """Paint FILM with the colours of one or more reference pictures.

    One picture colours the whole film. Of several, those that are frames of the film find their own
    shots, and every other shot takes the one it resembles most.
    """
    from .encode import EncodeSettings
    from .pipeline import Options, colorize_video
    from .terminal import Bar

    overwrite, restart = settings.pop("overwrite"), settings.pop("restart")
    encode = EncodeSettings(*(settings.pop(name) for name in ("codec", "crf", "preset")))
    drop = frozenset(settings.pop("drop"))
    with Bar() as bar:
        result = colorize_video(
            film,
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


@cli.command(short_help="Measure colour against the truth.")
@click.argument("clips", type=PATH, nargs=-1)
@click.option(
    "--pairs", type=PATH, help="A .csv file of reference,target pictures instead of clips."
)
@click.option("--reference", default=0, show_default=True, help="The frame that is the reference.")
@click.option("--every", type=int, help="A new reference every so many frames.")
@click.option("--limit", "limit_frames", type=int, help="Only so many frames of each clip.")
@click.option("--lpips", type=PATH, help="LPIPS weights, AlexNet heads (.safetensors).")
@click.option("--json", "json_file", type=PATH, help="Write the figures there.")
@click.option(
    "--sheet", type=PATH, help="Write a picture there: truth | grey | painted, a row a clip."
)
@_network_options
def evaluate(
    clips: tuple[Path, ...],
    pairs: Path | None,
    lpips: Path | None,
    json_file: Path | None,
    sheet: Path | None,
    reference: int,
    every: int | None,
    limit_frames: int | None,
    **network: Any,
) -> None:
    """Make colour CLIPS grey, paint them from their own frames, and compare with the truth.

    CLIPS are colour films or folders of numbered frames.
    """
    if bool(clips) == bool(pairs):
        raise C2EError("give colour clips to measure, or --pairs FILE, one of the two")
    from .colorizer import Colorizer
    from .evaluate.lpips import Lpips
    from .evaluate.report import table, write_json, write_sheet
    from .evaluate.video import evaluate_clips, evaluate_pairs
    from .terminal import Bar

    painter = Colorizer(network.pop("weights"), **network)
    distance = Lpips.load(lpips) if lpips else None
    with Bar() as bar:
        bar.stage("measuring", None)
        watch: dict[str, Any] = {"lpips": distance, "on_frame": lambda *_: bar.advance(1)}
        if pairs:
            results = evaluate_pairs(painter, pairs, **watch)
        else:
            watch |= {"reference": reference, "every": every, "limit_frames": limit_frames}
            results = evaluate_clips(painter, clips, **watch)
    click.echo(table(results))
    if json_file:
        write_json(results, json_file)
    if sheet:
        write_sheet(results, sheet)


def _sizes(text: str) -> tuple[tuple[int, int], ...]:
    """``128`` or ``96,128@2500,256@5000``: the side, and from which step on."""
    try:
        parts = [part.partition("@") for part in text.split(",")]
        return tuple((int(start or 0), int(side)) for side, _, start in parts)
    except ValueError:
        raise C2EError(f"--sizes is like 128 or 96,128@2500,256@5000, got {text!r}") from None


def _weights_of(pairs: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    try:
        split = [pair.split("=") for pair in pairs]
        return tuple((folder, float(weight)) for folder, weight in split)
    except ValueError:
        raise C2EError(f"--favour is like faces=3, got {' '.join(pairs)!r}") from None


@cli.command(short_help="Train weights on photographs.")
@click.option(
    "--photos", type=PATH, multiple=True, required=True, help="Folders or tars of pictures."
)
@click.option("--out", type=PATH, required=True, help="Folder for weights, state, losses, sheets.")
@click.option("--width", default=64, show_default=True, help="Network width; 64 is the paper's.")
@click.option(
    "--memory", default=0, show_default=True, help="Colour memory channels; 0 is the paper's form."
)
@click.option("--steps", default=100_000, show_default=True)
@click.option("--batch", default=64, show_default=True)
@click.option("--accumulate", default=1, show_default=True, help="Micro-batches of a step.")
@click.option("--sizes", default="256", show_default=True, help="Side, or 96,128@2500,256@5000.")
@click.option("--lr", default=1e-4, show_default=True)
@click.option(
    "--schedule", type=click.Choice(["constant", "cosine"]), default="constant", show_default=True
)
@click.option("--warmup", default=0, show_default=True, help="Steps in which the rate rises.")
@click.option(
    "--perceptual", "perceptual_weight", default=0.1, show_default=True, help="Weight; 0 is off."
)
@click.option("--perceptual-every", default=1, show_default=True, help="Only every so many steps.")
@click.option(
    "--vgg", type=PATH, help="VGG weights (.safetensors); torchvision's VGG-19 otherwise."
)
@click.option("--ema", default=0.999, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--favour", "folder_weights", multiple=True, help="FOLDER=3: draw its pictures more often."
)
@click.option("--squashed", multiple=True, help="A folder whose pictures were squeezed to squares.")
@click.option("--recolor", "recolor_share", default=0.0, help="Share in another palette.")
@click.option("--crop", "crop_share", default=0.0, help="Share with a reference of a part only.")
@click.option("--old-film", "old_film_share", default=0.0, help="Share with old film's grey.")
@click.option("--forget", "forget_share", default=0.0, help="Share painted without the memory.")
@click.option(
    "--stranger", "stranger_share", default=0.0, help="Share with another picture's memory."
)
@click.option(
    "--cache", type=PATH, help="Where decoded photographs are kept; OUT/cache by default."
)
@click.option("--init", type=PATH, help="Weights to start from.")
@click.option("--resume", is_flag=True, help="Go on with the run in OUT.")
@click.option("--sheet-every", default=500, show_default=True, help="Steps between sheets.")
@click.option("--save-every", default=200, show_default=True, help="Steps between checkpoints.")
def train(photos: tuple[Path, ...], out: Path, **settings: Any) -> None:
    """Train a network by self-reference, as the paper does; the shares add what the paper has not.

    Several GPUs: torchrun --nproc-per-node=N -m c2e_video train ...
    """
    from .model import ModelConfig
    from .train.config import TrainConfig
    from .train.loop import Trainer

    model = ModelConfig(width=settings.pop("width"), memory=settings.pop("memory"))
    run = {name: settings.pop(name) for name in ("cache", "vgg", "init", "resume")}
    every = {name: settings.pop(name) for name in ("sheet_every", "save_every")}
    settings["sizes"] = _sizes(settings["sizes"])
    settings["folder_weights"] = _weights_of(settings["folder_weights"])
    Trainer(list(photos), out, TrainConfig(model=model, **settings), **run).run(**every)
