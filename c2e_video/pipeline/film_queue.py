"""A list of films that is worked off: which are done, which failed and why, which are left."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import C2EError, MediaError
from ..inference.network import default_weights
from ..utils.progress import Progress
from ..video.decode import base_path, numbered
from .colorize import colorize_video
from .digests import file_digest, film_digest
from .manifest import manifest_path, options_record, read_manifest
from .options import Options
from .output import outputs_for
from .planned_film import Result

# What a folder is searched for. A file that is named is taken whatever its suffix.
VIDEO_SUFFIXES = (
    *(
        ".3gp",
        ".asf",
        ".avi",
        ".dv",
        ".flv",
        ".m2t",
        ".m2ts",
        ".m2v",
        ".m4v",
        ".mkv",
        ".mov",
        ".mp4",
    ),
    *(
        ".mpeg",
        ".mpg",
        ".mts",
        ".mxf",
        ".nut",
        ".ogv",
        ".rm",
        ".ts",
        ".vob",
        ".webm",
        ".wmv",
        ".y4m",
    ),
)


@dataclass(eq=False)
class QueuedFilm:
    """A film of a queue.

    Args:
        source: The film.
        output: Where it is written.
        references: Its own table, or those given for all; none if there are neither.
        state: "left", "done" or "failed".
        line: What there is to say of it: why it failed, or what was made.
    """

    source: Path
    output: Path
    references: tuple[Path, ...]
    state: Literal["left", "done", "failed"] = "left"
    line: str = ""

    def finish(self, result: Result) -> None:
        """The film is made."""
        shots = len(result.references.shots)
        self.state = "done"
        self.line = f"{result.output}: {result.frames} frames, {shots} shot{'s' * (shots != 1)}"

    def fail(self, error: BaseException) -> None:
        """The film cannot be made. An error that is no user's is shown with its traceback."""
        self.state = "failed"
        self.line = str(error)
        if not isinstance(error, C2EError):
            traceback.print_exception(error)
            self.line = f"a fault of c2e-video ({type(error).__name__}: {error}); please report it"

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Take an error in the block for this film's: the others go on."""
        try:
            yield
        except Exception as error:
            self.fail(error)


def make_queue(
    paths: Sequence[Path],
    references: Sequence[Path],
    options: Options,
    *,
    output: Path | None = None,
    restart: bool = False,
) -> list[QueuedFilm]:
    """The films to be worked off, and which of them are done.

    A film is done if its output has a manifest that names the same source, weights and options, and no
    picture or table of its references was changed since.

    Args:
        paths: Films; of a folder all films in it, by name, without those that this program made.
        references: For all films that have no table ``NAME.csv`` beside them.
        options: How the films are colorized and written.
        output: The folder that they are written to; beside each film by default.
        restart: Whether films that are done are made again.

    Raises:
        C2EError: There is no film, or two would be written to one place.
    """
    sources = [film for path in paths for film in _films_of(path)]
    sources = list(dict.fromkeys(sources))
    if output is not None and not output.is_dir():
        raise C2EError(f"no folder {str(output)!r}; a queue's output=… is a folder: make it first")
    places = outputs_for(sources, output, options.encode)
    films = [
        QueuedFilm(source, place, _references_of(source, references))
        for source, place in zip(sources, places, strict=True)
    ]
    weights = file_digest(options.weights or default_weights()) if films else ""
    for film in films:
        if not film.references:
            table = _table_of(film.source)
            film.fail(
                C2EError(f"no table {table.name} beside it, and no references=… for all films")
            )
        elif not restart and _is_done(film, options, weights):
            film.state, film.line = "done", f"{film.output}: made before"
    return films


def run_queue(
    films: Sequence[QueuedFilm],
    options: Options,
    progress: Progress,
    *,
    overwrite: bool = False,
    restart: bool = False,
) -> None:
    """Make what is left of a queue, one film after the other, in this process.

    Args:
        films: The queue; each film's state is set when it is made, or has failed.
        options: How the films are colorized and written.
        progress: Is told of each film's stages.
        overwrite: Whether outputs that exist may be replaced.
        restart: Whether interrupted runs are forgotten instead of taken up.
    """
    for number, film in enumerate(films, 1):
        if film.state != "left":
            continue
        progress.note(f"film {number} of {len(films)}: {film.source}")
        with film.failing():
            film.finish(
                colorize_video(
                    film.source,
                    film.output,
                    references=film.references,
                    options=options,
                    overwrite=overwrite,
                    restart=restart,
                    progress=progress,
                )
            )


def table(
    films: Sequence[QueuedFilm], words: Callable[[str], str] = lambda line: line
) -> list[str]:
    """The queue as lines: each film with its state and what there is to say, and the sum.

    Args:
        films: The queue.
        words: What is made of a film's line.
    """
    width = max(len(str(film.source)) for film in films)
    lines = [
        f"{film.state:6}  {film.source!s:{width}}  {words(film.line)}".rstrip() for film in films
    ]
    states = [film.state for film in films]
    counts = {state: states.count(state) for state in ("done", "failed", "left")}
    return [*lines, ", ".join(f"{number} {state}" for state, number in counts.items())]


def _films_of(path: Path) -> Iterable[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(
        file
        for file in path.iterdir()
        if file.suffix.lower() in VIDEO_SUFFIXES
        and not file.name.startswith(".")
        and file.is_file()
        and not manifest_path(file).exists()
    )
    if found:
        return found
    try:
        numbered(path)
    except MediaError:
        raise C2EError(
            f"the folder {str(path)!r} holds no film, and no numbered pictures; give films, or a folder of "
            "them"
        ) from None
    return [path]


def _table_of(source: Path) -> Path:
    base = base_path(source)
    return base.with_name(f"{base.name}.csv")


def _references_of(source: Path, given: Sequence[Path]) -> tuple[Path, ...]:
    own = _table_of(source)
    return (own,) if own.is_file() else tuple(given)


def _is_done(film: QueuedFilm, options: Options, weights: str) -> bool:
    manifest = read_manifest(film.output)
    if manifest is None or not film.output.is_file():
        return False
    asked = _named(options_record(options))
    try:
        made = _named(manifest["options"])
        if asked["anchor_interval"] is None:  # what that comes to depends on the device
            asked["anchor_interval"] = made["anchor_interval"]
        same = (
            manifest["source"]["sha256 of samples"] == film_digest(film.source)
            and manifest["weights"]["sha256"] == weights
            and made == asked
        )
        return same and not _is_newer(film, manifest)
    except (OSError, KeyError, TypeError, C2EError):
        return False


def _named(options: dict[str, Any]) -> dict[str, Any]:
    """The options that decide the film; weights are compared by digest, a quality by what it sets."""
    return {
        name: value
        for name, value in options.items()
        if name not in ("weights", "device", "precision", "quality", "batch")
    }


def _is_newer(film: QueuedFilm, manifest: dict[str, Any]) -> bool:
    """Whether a table or a picture was changed after the film was made."""
    made = manifest_path(film.output).stat().st_mtime
    named = [r["path"] for shot in manifest["shots"] for r in shot["references"]]
    paths = [*film.references, *(Path(path) for path in named if path)]
    return any(path.stat().st_mtime > made for path in dict.fromkeys(paths))
