"""The sentence the project is: decode, shots, references, embed once, colorize, encode, mux."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import BadReference
from ..inference.video_colorizer import VideoColorizer
from ..planning.plan import make_plan
from ..references.reference_map import ReferenceMap, load_references_or_map
from ..utils.files import disk_errors
from ..utils.progress import Progress, Silent
from ..version import __version__
from ..video.decode.decoder import probe
from ..video.encode import picture_format
from ..video.frames import VideoInfo
from ..video.mux import mux, plan_mux
from .digests import file_digest, film_digest
from .job import Job
from .manifest import comment, manifest_of, write_manifest
from .options import Options, colorizer_for, window_of
from .output import check_places, default_output
from .segment_renderer import SegmentRenderer
from .segments import SEGMENT_SECONDS, cut_segments

MAX_LISTED = 5  # shots named one by one
# Options that do not change what is in a part: it is found by its digest, or only joined later.
# (Of "auto", the precision depends on the machine; what it came to is told beside the weights.)
_NOT_IN_PARTS = ("weights", "device", "precision", "batch", "drop")


@dataclass(frozen=True)
class Result:
    """A finished film: where it is, its frames, its shots with their references, what to know of it."""

    output: Path
    frames: int
    references: ReferenceMap
    notes: tuple[str, ...]


def colorize_video(
    source: str | Path,
    output: str | Path | None = None,
    *,
    references: str | Path | Sequence[str | Path] | ReferenceMap,
    options: Options | None = None,
    overwrite: bool = False,
    restart: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Paint a black-and-white film and write it with everything else it had.

    ``references`` is one colour picture, several (or folders of them), a map in a ``.csv`` file, or
    a :class:`ReferenceMap`. ``output`` is ``<name>.color.mp4`` beside the source by default (mkv
    stays mkv). The work is done in segments beside the output; a run that was stopped is taken up by
    the same call, unless ``restart``. Nothing ever stands half-written under the output's name. A
    ``.json`` beside it tells how the film was made (``manifest.py``).

    Raises a :class:`C2EError` for anything a user can mend.
    """
    source = Path(source)
    options, progress = options or Options(), progress or Silent()
    info = probe(source, options.fps)
    output = Path(output) if output is not None else default_output(source, options.encode)
    check_places(source, output, overwrite)
    window = window_of(info, options)
    muxing = plan_mux(source, output, info, options.encode, options.drop, window=window)
    picture = picture_format(info, options.encode)
    notes = (*muxing.notes, *_interlaced(info, options))
    for line in notes:
        progress.note(line)
    video_colorizer = VideoColorizer(colorizer_for(options), info)
    given = load_references_or_map(references, info)
    planned = make_plan(source, info, given, video_colorizer, progress, window=window)
    reference_map, analysis = planned.reference_map, planned.analysis
    if window[0] is not None:  # to the millisecond; the first frame it holds comes at zero
        muxing = replace(muxing, window=(analysis.pts[0], window[1]), origin=analysis.pts[0])
    if reference_map is None:
        raise BadReference("a film needs at least one reference; give a colour picture")
    for line in planned.remarks(MAX_LISTED):
        progress.note(line)
    segments = cut_segments(reference_map.shots, max(1, int(SEGMENT_SECONDS / info.time_base)))
    folder = output.with_name(output.name + ".c2e")
    identity = _identity(source, reference_map, video_colorizer, options)
    with Job.open(folder, identity, restart=restart) as job:
        if job.resumed:
            progress.note(f"taking up the interrupted run in {folder.name}")
        progress.stage("colorizing", len(analysis.pts))
        renderer = SegmentRenderer(
            source, info, options, picture, reference_map, analysis, video_colorizer, job, progress
        )
        parts, problems = renderer.render(segments)
        partial = folder / f"film.partial{output.suffix}"
        try:
            amiss = mux(muxing, parts, partial, comment(identity["weights"]))
            with disk_errors(output):
                os.replace(partial, output)
        finally:
            partial.unlink(missing_ok=True)
        for line in amiss:
            progress.note(line)
        job.remove()
    notes = (*notes, *analysis.problems, *problems, *amiss)
    manifest = manifest_of(source, info, reference_map, options, identity, notes)
    for line in (unwritten := write_manifest(output, manifest)):
        progress.note(line)
    notes = (*notes, *unwritten)
    return Result(output, len(analysis.pts), reference_map, notes)


def _interlaced(info: VideoInfo, options: Options) -> list[str]:
    if not info.interlaced or options.deinterlace != "off":
        return []
    return [
        "the film is interlaced: both fields of a frame stay in one; --deinterlace auto parts them"
    ]


def _identity(
    source: Path, reference_map: ReferenceMap, video_colorizer: VideoColorizer, options: Options
) -> dict[str, Any]:
    return {
        "version": __version__,
        "source": film_digest(source),
        "shots": [
            {"start": shot.start, "stop": shot.stop, "dissolve": shot.dissolve}
            | {"references": [{"picture": r.digest, "at": r.at} for r in row]}
            for shot, row in zip(reference_map.shots, reference_map.references, strict=True)
        ],
        "weights": file_digest(video_colorizer.colorizer.weights),
        "precision": video_colorizer.colorizer.precision,
        "options": {
            **{k: v for k, v in asdict(options).items() if k not in _NOT_IN_PARTS},
            "start": str(options.start),
            "end": str(options.end),
            "fps": str(options.fps),
        },
    }
