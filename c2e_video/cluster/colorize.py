"""One film on a cluster: planned and joined here, rendered by workers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from ..inference.colorizer import Colorizer
from ..pipeline.film_parts import FilmParts
from ..pipeline.options import Options, colorizer_for, interval_on
from ..pipeline.planned_film import PlannedFilm, References, Result, plan_film
from ..utils.choices import Device, Precision
from ..utils.devices import find_device, find_dtype, precision_name
from ..utils.progress import Progress, Silent
from .connection import Cluster
from .pool import SegmentPool
from .settings import ClusterSettings


def colorize_on_cluster(
    source: str | Path,
    output: str | Path | None = None,
    *,
    references: References,
    cluster: ClusterSettings | None = None,
    options: Options | None = None,
    overwrite: bool = False,
    restart: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Colorize a film as :func:`~..pipeline.colorize.colorize_video` does, on the workers of a Ray cluster.

    The job folder is the same: a run that was stopped is taken up with or without a cluster.

    Args:
        source: The film, or a folder or pattern of numbered pictures.
        output: Where to write; by default ``<name>.color.mp4`` beside the source.
        references: As :func:`~..pipeline.colorize.colorize_video` has them.
        cluster: Which cluster, and what a task takes of it.
        options: How the film is colorized and written. All workers use one kind of device and one number
            format; "auto" is decided here.
        overwrite: Whether an output that exists may be replaced.
        restart: Whether an interrupted run is forgotten instead of taken up.
        progress: Is told of the stages, of the frames all workers have done, and of what a user should know.

    Returns:
        Where the film is, its frames, its references, and notes for the user.

    Raises:
        C2EError: For anything that a user can mend; a segment's own error where it failed three times.
    """
    options, progress = options or Options(), progress or Silent()
    with Cluster(cluster or ClusterSettings(), progress) as connected:
        device = connected.device(options.device)
        options, precision = common_options(options, device), common_precision(options, device)
        colorizer = planning_colorizer(options, device, precision)
        film, _ = plan_film(
            Path(source),
            Path(output) if output is not None else None,
            references,
            options,
            colorizer,
            progress,
            overwrite=overwrite,
        )
        film = with_precision(film, precision)
        with film.open_job(restart=restart) as job:
            progress.stage("colorizing", len(film.plan.analysis.pts))
            parts = FilmParts(film.plan, film.segments(), job, progress)
            with (
                parts.resumable(),
                SegmentPool(connected, device, precision, progress) as pool,
            ):
                pooled = pool.add(film, parts, colorizer.weights)
                while not pooled.is_done:
                    pool.step()
                if pooled.error is not None:
                    raise pooled.error
                made, problems = parts.complete()
            return film.join(job, made, problems, progress, machines=pooled.machines())


def common_options(options: Options, device: Device) -> Options:
    """The options with what "auto" comes to on ``device``, whatever this machine has."""
    return replace(options, anchor_interval=interval_on(device, options))


def common_precision(options: Options, device: Device) -> Precision:
    """The number format of all workers: the one given, or the fastest on ``device``.

    Of processors, that of this machine counts.
    """
    return precision_name(find_dtype(options.precision, torch.device(device)))


def planning_colorizer(options: Options, device: Device, precision: Precision) -> Colorizer:
    """The network that plans on this machine: as on the workers, where it has such a device."""
    if device in ("cpu", find_device("auto").type):
        return colorizer_for(replace(options, device=device, precision=precision))
    return colorizer_for(replace(options, device="auto", precision="auto"))


def with_precision(film: PlannedFilm, precision: Precision) -> PlannedFilm:
    """The film with the workers' number format in its job's identity."""
    return replace(film, identity={**film.identity, "precision": precision})
