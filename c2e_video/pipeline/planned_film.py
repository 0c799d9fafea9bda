"""A film from its plan on: what is to be rendered, its job, and the joining of its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import BadReference
from ..inference.colorizer import Colorizer
from ..inference.video_colorizer import VideoColorizer
from ..planning.guesses import NOTE, guess_references
from ..planning.planner import make_plan
from ..references.given import ReferenceLike, sort_references
from ..references.reference_map import ReferenceMap
from ..utils.files import disk_errors, remove
from ..utils.progress import Progress
from ..version import __version__
from ..video.decode.decoder import probe
from ..video.encode import Part, picture_format
from ..video.encode.numbered_path import place_of
from ..video.mux import MuxPlan, check_times, mux, plan_mux
from .digests import file_digest, film_digest
from .job import Job
from .manifest import comment, manifest_of, write_manifest
from .options import Options, window_of
from .output import check_places, check_sound, default_output, publish, written_to
from .render_plan import RenderPlan
from .segments import SEGMENT_SECONDS, Segment, cut_segments

MAX_LISTED = 5  # shots named one by one
# Options that do not change what is in a part: it is found by its digest, or only joined later.
# (Of "auto", the precision depends on the machine; what it came to is told beside the weights.)
_NOT_IN_PARTS = ("weights", "device", "precision", "quality", "batch", "drop", "audio")

References = ReferenceLike | Sequence[ReferenceLike] | ReferenceMap


@dataclass(frozen=True)
class Result:
    """A finished film.

    Attributes:
        output: The file that was written; where the output was a link, the file it leads to.
        frames: How many frames it has.
        references: Its shots, each with its references.
        notes: The lines that a user should know: what was lost or changed, problems of the source, shots
            that no reference covers.
        warnings: Of these, what the references do not cover, and where they disagree.
    """

    output: Path
    frames: int
    references: ReferenceMap
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class PlannedFilm:
    """A film that is planned: nothing of it is rendered, or its job is interrupted.

    Args:
        output: Where the film is written in the end.
        muxing: What of the source goes into it.
        plan: What its segments are rendered by.
        identity: What its job is made of, by which an interrupted one is taken up.
        notes: What was told so far.
        warnings: Of these, what the references do not cover, and where they disagree.
    """

    output: Path
    muxing: MuxPlan
    plan: RenderPlan
    identity: Mapping[str, Any]
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """The job folder."""
        place = place_of(self.output)
        return place.with_name(place.name + ".c2e")

    def segments(self) -> list[Segment]:
        """The film cut into units of work."""
        length = max(1, int(SEGMENT_SECONDS / self.plan.info.time_base))
        return cut_segments(self.plan.reference_map.shots, length)

    def open_job(self, *, restart: bool = False) -> Job:
        """Begin or take up the film's job (see :meth:`Job.open`)."""
        return Job.open(self.folder, self.identity, restart=restart)

    def join(
        self,
        job: Job,
        parts: Sequence[Part],
        problems: Sequence[str],
        progress: Progress,
        *,
        machines: Sequence[Mapping[str, Any]] = (),
    ) -> Result:
        """Make the film of its parts, its manifest beside it, and remove the job.

        Args:
            job: The open job.
            parts: The parts of all segments, in order.
            problems: What was amiss in the source while they were rendered; they are told already.
            progress: Is told of what was amiss in the other tracks.
            machines: Which machines of a cluster made the parts, for the manifest.

        Raises:
            MediaError: A part is damaged, or the film cannot be written.
        """
        partial = self.folder / f"film.partial{self.output.suffix}"
        try:
            amiss = mux(self.muxing, parts, partial, comment(self.identity["weights"]))
            for line in amiss:
                progress.note(line)
            with disk_errors(self.output):
                publish(partial, self.output)
        except BaseException as error:
            error.add_note("all frames are finished and kept; the next run joins them")
            raise
        finally:
            remove(partial)
        job.remove()
        plan = self.plan
        notes = (*self.notes, *plan.analysis.problems, *problems, *amiss)
        manifest = manifest_of(
            plan.source, plan.info, plan.reference_map, plan.options, self.identity, notes
        )
        if machines:
            manifest["machines"] = list(machines)
        for line in (unwritten := write_manifest(self.output, manifest)):
            progress.note(line)
        return Result(
            *(self.output, len(plan.analysis.pts), plan.reference_map, (*notes, *unwritten)),
            warnings=self.warnings,
        )


def plan_film(
    source: Path,
    output: Path | None,
    references: References | None,
    options: Options,
    colorizer: Colorizer,
    progress: Progress,
    *,
    overwrite: bool = False,
) -> tuple[PlannedFilm, VideoColorizer]:
    """Check that a film can be made, read it once, and give every shot its references.

    Args:
        source: The film.
        output: Where it is to be written; None for :func:`default_output`.
        references: As :func:`~.colorize.colorize_video` has them.
        options: What is asked for.
        colorizer: The network, made for these options (:func:`~.options.colorizer_for`).
        progress: Is told of the stages, and of what a user should know.
        overwrite: Whether an output that exists may be replaced.

    Returns:
        The planned film, and the colorizer with the embeddings that planning made.

    Raises:
        C2EError: For anything that a user can mend.
    """
    info = probe(source, options.fps)
    output = output if output is not None else default_output(source, options.encode)
    check_places(source, output, overwrite)
    output = written_to(output)
    window = window_of(info, options)
    muxing = plan_mux(
        *(source, output, options.encoded(info), options.encode, options.drop),
        audio=options.audio,
        window=window,
    )
    check_sound(source, output, muxing, overwrite)
    picture = picture_format(info, options.encode)
    notes = [*muxing.notes]
    for line in notes:
        progress.note(line)
    video_colorizer = VideoColorizer(colorizer, info)
    left_out: list[str] = []
    given = sort_references(() if references is None else references, info, left_out.append)
    for line in left_out:
        progress.note(line)
    if given.is_empty and not (colorizer.has_prior and options.prior):
        why = "the prior is off" if colorizer.has_prior else "these weights have no color prior"
        raise BadReference(f"{why}: a film needs at least one reference; give a colour picture")
    planned = make_plan(source, info, given, video_colorizer, progress, window=window)
    reference_map, analysis = (
        planned.reference_map,
        replace(planned.analysis, matches=(), samples=()),
    )
    if window[0] is not None:  # to the millisecond; the first frame it holds comes at zero
        muxing = replace(muxing, window=(analysis.pts[0], window[1]), origin=analysis.pts[0])
    if planned.open_shots and planned.table is not None:
        planned.table.check_complete()
    remarks = check_times(muxing, analysis.pts)
    if reference_map is None:
        reference_map = guess_references(planned, colorizer, progress)
        remarks = [*remarks, NOTE]
    else:
        remarks = [*remarks, *planned.remarks(MAX_LISTED)]
    for line in remarks:
        progress.note(line)
    # What was left to the device counts from here on, on whichever machine a segment is rendered.
    options = replace(options, anchor_interval=colorizer.anchor_interval)
    plan = RenderPlan(source, info, options, picture, reference_map, analysis)
    film = PlannedFilm(
        *(output, muxing, plan, _identity(plan, colorizer), (*notes, *left_out, *remarks)),
        warnings=tuple(planned.warnings(MAX_LISTED)),
    )
    return film, video_colorizer


def _identity(plan: RenderPlan, colorizer: Colorizer) -> dict[str, Any]:
    reference_map, options = plan.reference_map, plan.options
    return {
        "version": __version__,
        "source": film_digest(plan.source),
        "shots": [
            {"start": shot.start, "stop": shot.stop, "dissolve": shot.dissolve}
            | {"references": [{"picture": r.digest, "at": r.at} for r in row]}
            | {"saturation": reference_map.saturation(index)}
            for index, (shot, row) in enumerate(
                zip(reference_map.shots, reference_map.references, strict=True)
            )
        ],
        "weights": file_digest(colorizer.weights),
        "precision": colorizer.precision,
        "options": {
            **{k: v for k, v in asdict(options).items() if k not in _NOT_IN_PARTS},
            "encode": asdict(options.encoding),  # parts of two presets cannot be joined
            "start": str(options.start),
            "end": str(options.end),
            "fps": str(options.fps),
        },
    }
