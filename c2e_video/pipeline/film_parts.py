"""The parts of one film: those that its job folder has, and those that are rendered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..inference.video_colorizer import VideoColorizer
from ..utils.progress import Progress
from ..video.decode import DecodeReport
from ..video.encode import Part, part_suffix
from ..video.frames import ColorBatch, batched
from .job import Job
from .journal import ChromaJournal
from .part_writer import PartWriter
from .render_plan import RenderPlan
from .segment_renderer import SegmentRenderer
from .segments import Segment


class FilmParts:
    """Which segments of a film have their part, and which are missing.

    Args:
        plan: The film.
        segments: All its segments, in order.
        job: The open job, whose finished parts are taken over.
        progress: Is told of the frames that are done, and of problems of the film.
    """

    def __init__(
        self, plan: RenderPlan, segments: Sequence[Segment], job: Job, progress: Progress
    ) -> None:
        self.plan, self.job, self.progress = plan, job, progress
        self._problems: list[str] = []
        self._parts = {segment: job.part(segment) for segment in segments}
        if job.resumed:
            at = plan.info.timecode(self.next_pts())
            progress.note(f"taking up the interrupted run in {job.folder.name} at {at}")
        for segment, part in self._parts.items():
            if part is not None:
                progress.advance(plan.frames_in(segment))

    @property
    def missing(self) -> list[Segment]:
        """The segments without a part, in order."""
        return [segment for segment, part in self._parts.items() if part is None]

    def kept(self, segment: Segment) -> int:
        """How many of a segment's first frames its journal holds."""
        return self.journal(segment).kept(self.plan.pts_in(segment))

    def journal(self, segment: Segment) -> ChromaJournal:
        """The journal of a segment whose part is missing."""
        return ChromaJournal(self.job.journal_path(segment), self.plan.info, self.plan.picture)

    def partial_path(self, segment: Segment) -> Path:
        """Where the part of a segment is written before it is finished."""
        return self.job.partial_path(segment, part_suffix(self.plan.options.encode))

    def add(self, segment: Segment, part: Part) -> None:
        """Take a closed part file into the job folder (see :meth:`Job.finish`)."""
        self._parts[segment] = self.job.finish(segment, part)

    def add_problems(self, lines: Iterable[str]) -> None:
        """Keep problems of the film, but for kinds that were reported before.

        The planning pass counts problems over the whole film, rendering those of some segments.
        """
        for line in lines:
            if _kind(line) not in map(_kind, (*self.plan.analysis.problems, *self._problems)):
                self._problems.append(line)

    def complete(self) -> tuple[list[Part], list[str]]:
        """All parts in order, and the problems.

        Raises:
            MediaError: A segment that has frames has no part.
        """
        for segment in self.missing:
            self.plan.check_count(segment, 0)
        for line in self._problems:
            self.progress.note(line)
        return [part for part in self._parts.values() if part is not None], self._problems

    def next_pts(self) -> int:
        """The pts of the first frame that neither a part nor a journal holds; else the film's end."""
        for segment in self.missing:
            pts, kept = self.plan.pts_in(segment), self.kept(segment)
            if kept < len(pts):
                return pts[kept]
        return list(self._parts)[-1].stop

    @contextmanager
    def resumable(self) -> Iterator[None]:
        """Add a note to an exception that leaves the block: where the next run goes on."""
        try:
            yield
        except BaseException as error:
            error.add_note(self._resumption())
            raise

    def _resumption(self) -> str:
        plan, pts = self.plan, self.next_pts()
        kept = sum(
            plan.frames_in(segment) if part is not None else self.kept(segment)
            for segment, part in self._parts.items()
        )
        if not kept:
            return "no frame was finished yet"
        if kept == plan.analysis.count(plan.analysis.pts[0], pts):
            at = plan.info.timecode(pts)
            return f"finished frames are kept; the next run goes on at {at}"
        rest = len(plan.analysis.pts) - kept  # workers do not finish them in order
        return f"{kept} finished frames are kept; the next run goes on with the other {rest}"


def _kind(line: str) -> str:
    return line.partition(":")[0]


def render_missing(parts: FilmParts, video_colorizer: VideoColorizer) -> None:
    """Render the missing segments in this process.

    Segments that follow one another are decoded in one go. Frames that a journal holds are not colorized
    again: they are decoded, joined with their chroma, and encoded.

    Args:
        parts: The film's parts; it is given the new ones.
        video_colorizer: The network, with the film's embeddings.

    Raises:
        MediaError: The source gives other frames than before, or the disk does not take a part.
    """
    plan = parts.plan
    renderer = SegmentRenderer(plan, video_colorizer, parts.progress.advance)
    for run in _runs(parts):
        first, last = run[0], run[-1]
        kept, report = parts.kept(first), DecodeReport()
        start = plan.pts_after(first, kept)
        with PartWriter(plan, parts.partial_path, parts.add, parts.journal) as writer:
            if kept:
                parts.progress.advance(kept)
                writer.replay(first, _replayed(parts, first, kept, report))
            for segment in run:
                parts.journal(segment).truncate(kept if segment == first else 0)
            if kept and start == first.stop:
                writer.end(first)
            if start < last.stop:
                renderer.render(run, plan.decode(start, last.stop, report), writer, start)
        parts.add_problems(report.problems())


def _runs(parts: FilmParts) -> Iterator[list[Segment]]:
    """The missing segments that follow one another. One of which frames are kept begins a run."""
    run: list[Segment] = []
    for segment in parts.missing:
        if run and (segment.index > run[-1].index + 1 or parts.kept(segment)):
            yield run
            run = []
        run.append(segment)
    if run:
        yield run


def _replayed(
    parts: FilmParts, segment: Segment, count: int, report: DecodeReport
) -> Iterator[ColorBatch]:
    """The first ``count`` frames of a segment, with the chroma that an earlier run made."""
    plan = parts.plan
    stop = plan.pts_after(segment, count)
    frames = plan.decode_alone(segment.start, stop, report)
    batches = batched(frames, plan.reference_map.shots, plan.options.batch)
    return parts.journal(segment).replay(batches)
