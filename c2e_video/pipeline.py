"""The sentence the project is: decode, shots, references, embed once, colorize, encode, mux."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from .bars import black_kept
from .decode import DecodeReport, decode, probe
from .encode import Encoder, Part, part_suffix, picture_format
from .encode.part import disk_errors
from .errors import BadReference, C2EError, MediaError
from .frames import ColorBatch, PictureFormat, VideoInfo, batched
from .job import SEGMENT_SECONDS, Job, Segment, cut_segments, file_digest, film_digest
from .mux import mux, plan_mux
from .options import (
    Options,
    check_output,
    colorizer_for,
    default_output,
    load_given,
    window_of,
)
from .painter import Painter
from .plan import Survey, make_plan
from .prefetch import Sink, prefetch
from .progress import Progress, Silent
from .record import check_record, comment, record_of, record_path, write_record
from .references import ReferenceMap
from .steadying import REACH
from .version import __version__

# Frames between two stages: enough to even out their pace, little enough for any memory.
DECODED_AHEAD, PAINTED_AHEAD = 24, 3
# Bytes of the output's name, for file systems take 255: beside it stands its record, at first a partial one.
LONGEST = 255 - len(".json.partial")
MOST_TOLD = 5  # shots named one by one
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
    ``.json`` beside it tells how the film was made (``record.py``).

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
    painter = Painter(colorizer_for(options), info)
    given = load_given(references, info)
    planned = make_plan(source, info, given, painter, progress, window=window)
    chosen, looked = planned.chosen, planned.survey
    if window[0] is not None:  # to the millisecond; the first frame it holds comes at zero
        muxing = replace(muxing, window=(looked.pts[0], window[1]), origin=looked.pts[0])
    if chosen is None:
        raise BadReference("a film needs at least one reference; give a colour picture")
    for line in planned.remarks(MOST_TOLD):
        progress.note(line)
    segments = cut_segments(chosen.shots, max(1, int(SEGMENT_SECONDS / info.time_base)))
    folder = output.with_name(output.name + ".c2e")
    identity = _identity(source, chosen, painter, options)
    with Job.open(folder, identity, restart=restart) as job:
        if job.resumed:
            progress.note(f"taking up the interrupted run in {folder.name}")
        progress.stage("painting", len(looked.pts))
        work = Work(source, info, options, picture, chosen, looked, painter, job, progress)
        parts, problems = work.do(segments)
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
    notes = (*notes, *looked.problems, *problems, *amiss)
    record = record_of(source, info, chosen, options, identity, notes)
    for line in (unwritten := write_record(output, record)):
        progress.note(line)
    notes = (*notes, *unwritten)
    return Result(output, len(looked.pts), chosen, notes)


def check_places(source: Path, output: Path, overwrite: bool) -> None:
    """Raise a :class:`C2EError` if the film, or its record, could not be written to its place in the end."""
    over = len(os.fsencode(output.name)) - LONGEST
    if over > 0:
        raise C2EError(
            f"the name {output.name!r} is {over} bytes too long for what is written beside it; "
            f"names of up to {LONGEST} bytes are accepted: give a shorter one with -o"
        )
    for path in (output, record_path(output)):
        check_output(source, path, overwrite)
    check_record(output)


def _interlaced(info: VideoInfo, options: Options) -> list[str]:
    if not info.interlaced or options.deinterlace != "off":
        return []
    return [
        "the film is interlaced: both fields of a frame stay in one; --deinterlace auto parts them"
    ]


@dataclass(frozen=True, eq=False)
class Work:
    """The painting of a film's segments into parts."""

    source: Path
    info: VideoInfo
    options: Options
    picture: PictureFormat
    chosen: ReferenceMap
    looked: Survey
    painter: Painter
    job: Job
    progress: Progress

    def do(self, segments: Sequence[Segment]) -> tuple[list[Part], list[str]]:
        """The parts of all segments, those of an earlier run included; and what went wrong on the way."""
        done = {segment: self.job.part(segment) for segment in segments}
        problems: list[str] = []
        for segment, part in done.items():
            if part is not None:
                self.progress.advance(self._frames_in(segment))
        # Segments that follow one another are decoded in one go.
        for missing, run in groupby(segments, key=lambda segment: done[segment] is None):
            if missing:
                for segment, part in self._paint_run(list(run), problems):
                    done[segment] = part
        for segment, part in done.items():
            if part is None:
                self._check_count(segment, 0)  # a segment may be empty, but not become so
        problems = [line for line in problems if line not in self.looked.problems]  # told before
        for line in problems:
            self.progress.note(line)
        return [part for part in done.values() if part is not None], problems

    def _paint_run(self, run: list[Segment], problems: list[str]) -> Iterator[tuple[Segment, Part]]:
        report = DecodeReport()
        start, stop = self._with_those_around(run[0].start, run[-1].stop)
        frames = prefetch(
            decode(
                self.source,
                self.info,
                start=start,
                stop=stop,
                deinterlace=self.options.deinterlace,
                report=report,
            ),
            depth=DECODED_AHEAD,
        )
        borders = [run[0].start, *(segment.stop for segment in run)]
        try:
            batches = batched(frames, self.chosen.shots, self.options.batch)
            painted = self.painter.paint(batches, self.chosen, self.picture)
            pieces = chain.from_iterable(
                batch.runs(lambda pts: bisect_right(borders, pts) - 1) for batch in painted
            )
            for owner, own in groupby(pieces, key=itemgetter(0)):
                if 0 <= owner < len(run):
                    yield run[owner], self._encode(run[owner], map(itemgetter(1), own))
        finally:
            frames.close()
        problems += report.problems()

    def _with_those_around(self, start: int, stop: int) -> tuple[int, int]:
        """The times of these frames and of those of the same shots that steady them."""
        shots, moved = self.chosen.shots, self.looked.moved
        begun = max(shot.start for shot in shots if shot.start <= start)
        ended = min(shot.stop for shot in shots if shot.stop >= stop)
        return max(begun, moved(start, -REACH)), max(stop, min(ended, moved(stop, REACH)))

    def _encode(self, segment: Segment, painted: Iterator[ColorBatch]) -> Part:
        path = self.job.partial_path(segment, part_suffix(self.options.encode))
        encoder = Encoder(path, self.info, self.options.encode)
        with encoder:
            with Sink(encoder.write, depth=PAINTED_AHEAD) as sink:
                for batch in painted:
                    sink.put(black_kept(batch, self.looked.bars, self.info, self.picture))
                    self.progress.advance(len(batch.gray))
            part = encoder.close()
        self._check_count(segment, len(part.pts))
        return self.job.finish(segment, part)

    def _check_count(self, segment: Segment, count: int) -> None:
        expected = self._frames_in(segment)
        if count != expected:
            raise MediaError(
                f"the film gave {count} frames between {self.info.seconds(segment.start):.3f} s "
                f"and {self.info.seconds(segment.stop):.3f} s where it gave {expected} before; "
                "it was changed while it was being read, or its disk is failing: run again"
            )

    def _frames_in(self, segment: Segment) -> int:
        return self.looked.count(segment.start, segment.stop)


def _identity(
    source: Path, chosen: ReferenceMap, painter: Painter, options: Options
) -> dict[str, Any]:
    return {
        "version": __version__,
        "source": film_digest(source),
        "shots": [
            {"start": shot.start, "stop": shot.stop, "dissolve": shot.dissolve}
            | {"references": [{"picture": r.digest, "at": r.at} for r in row]}
            for shot, row in zip(chosen.shots, chosen.references, strict=True)
        ],
        "weights": file_digest(painter.colorizer.weights),
        "precision": painter.colorizer.precision,
        "options": {
            **{k: v for k, v in asdict(options).items() if k not in _NOT_IN_PARTS},
            "start": str(options.start),
            "end": str(options.end),
            "fps": str(options.fps),
        },
    }
