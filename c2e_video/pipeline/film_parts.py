"""The parts of one film: those found in its job folder, and those that are made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from ..inference.video_colorizer import VideoColorizer
from ..utils.progress import Progress
from ..video.decode import DecodeReport
from ..video.encode import Part, part_suffix
from .job import Job
from .render_plan import RenderPlan
from .segment_renderer import SegmentRenderer
from .segments import Segment


class FilmParts:
    """What is done of a film and what is missing, whoever makes it.

    Args:
        plan: The film.
        segments: All its segments, in order.
        job: The open job, whose finished parts are taken over.
        progress: Is told of the frames that are done, and of what is amiss in the film.
    """

    def __init__(
        self, plan: RenderPlan, segments: Sequence[Segment], job: Job, progress: Progress
    ) -> None:
        self.plan, self.job, self.progress = plan, job, progress
        self.suffix = part_suffix(plan.options.encode)
        self._problems: list[str] = []
        self._parts = {segment: job.part(segment) for segment in segments}
        for segment, part in self._parts.items():
            if part is not None:
                progress.advance(plan.frames_in(segment))

    @property
    def missing(self) -> list[Segment]:
        """The segments without a part, in order."""
        return [segment for segment, part in self._parts.items() if part is None]

    def add(self, segment: Segment, part: Part) -> None:
        """Take a closed part file into the job folder (see :meth:`Job.finish`)."""
        self._parts[segment] = self.job.finish(segment, part)

    def add_problems(self, lines: Iterable[str]) -> None:
        """Keep what was amiss in the film. A kind of fault that was told before is not told again.

        The planning pass counts faults over the whole film; a run of segments counts its own.
        """
        for line in lines:
            if _kind(line) not in map(_kind, (*self.plan.analysis.problems, *self._problems)):
                self._problems.append(line)

    def complete(self) -> tuple[list[Part], list[str]]:
        """All parts in order, and what was amiss.

        Raises:
            MediaError: A segment that has frames has no part.
        """
        for segment in self.missing:
            self.plan.check_count(segment, 0)
        for line in self._problems:
            self.progress.note(line)
        return [part for part in self._parts.values() if part is not None], self._problems


def _kind(line: str) -> str:
    return line.partition(":")[0]


def render_missing(parts: FilmParts, video_colorizer: VideoColorizer) -> None:
    """Render in this process what is missing; segments that follow one another are decoded in one go."""
    plan, missing = parts.plan, parts.missing
    renderer = SegmentRenderer(plan, video_colorizer, parts.progress.advance)
    for _, numbered in groupby(enumerate(missing), key=lambda item: item[1].index - item[0]):
        run = [segment for _, segment in numbered]
        report = DecodeReport()
        frames = plan.decode(run[0].start, run[-1].stop, report)
        for segment, part in renderer.render(
            run, frames, lambda segment: parts.job.partial_path(segment, parts.suffix)
        ):
            parts.add(segment, part)
        parts.add_problems(report.problems())
