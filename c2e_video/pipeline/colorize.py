"""``colorize_video``: plan a film, render the segments that are missing, join the parts."""

from __future__ import annotations

from pathlib import Path

from ..utils.files import local_path
from ..utils.progress import Progress, Silent
from .film_parts import FilmParts, render_missing
from .options import Options, colorizer_for
from .planned_film import References, Result, plan_film

__all__ = ["Result", "colorize_video"]


def colorize_video(
    source: str | Path,
    output: str | Path | None = None,
    *,
    references: References | None = None,
    options: Options | None = None,
    overwrite: bool = False,
    restart: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Colorize a black-and-white film and write it with everything else it had.

    The work is done in segments in a folder beside the output. A run that was stopped is taken up by
    the same call. Nothing ever stands half-written under the output's name. A ``.json`` beside it
    tells how the film was made (``manifest.py``).

    Args:
        source: The film, or a folder or pattern of numbered pictures.
        output: Where to write; by default ``<name>.color.mp4`` beside the source (mkv stays mkv).
        references: One colour picture, several (or folders of them), a map in a ``.csv`` file, or a
            :class:`ReferenceMap`. Pictures may also be in memory: RGB arrays uint8 ``[H, W, 3]``, Pillow
            images, :class:`Reference`. None or an empty list: the colours are guesses, what such things
            usually look like.
        options: How the film is colorized and written.
        overwrite: Whether an output that exists may be replaced.
        restart: Whether an interrupted run is forgotten instead of taken up.
        progress: Is told of the stages, of the frames done, and of what a user should know.

    Returns:
        Where the film is, its frames, its references, and what to know of it.

    Raises:
        C2EError: For anything that a user can mend. An exception of any kind that ends the run while frames
            are colorized has a note (``__notes__``): what is kept, and where the next run goes on.
    """
    options, progress = options or Options(), progress or Silent()
    film, video_colorizer = plan_film(
        local_path(source),
        Path(output) if output is not None else None,
        references,
        options,
        colorizer_for(options),
        progress,
        overwrite=overwrite,
    )
    with film.open_job(restart=restart) as job:
        progress.stage("colorizing", len(film.plan.analysis.pts))
        parts = FilmParts(film.plan, film.segments(), job, progress)
        with parts.resumable():
            render_missing(parts, video_colorizer)
            made, problems = parts.complete()
        return film.join(job, made, problems, progress)
