"""Where a segment's colorized batches go: into the journal at once, and into the part in a thread behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from ..utils.prefetch import Sink
from ..video.encode import Encoder, Part
from ..video.frames import ColorBatch
from .journal import ChromaJournal
from .render_plan import RenderPlan
from .segments import Segment

COLORIZED_AHEAD = 3  # batches that wait for the encoder: enough to even out its pace


class PartWriter:
    """Encodes segments, one after the other, into parts.

    A context manager. At its end all is encoded; left by an error, it removes the part that is open.

    Args:
        plan: The film.
        path_of: The file that a segment's part is written to.
        finish: Takes a segment and its closed part; called in the thread that encodes.
        journal_of: A segment's journal, which keeps batches that are not in a finished part yet.
    """

    def __init__(
        self,
        plan: RenderPlan,
        path_of: Callable[[Segment], Path],
        finish: Callable[[Segment, Part], object],
        journal_of: Callable[[Segment], ChromaJournal] | None = None,
    ) -> None:
        self.plan = plan
        self._path_of, self._finish, self._journal_of = path_of, finish, journal_of
        self._journal: ChromaJournal | None = None
        self._encoder: Encoder | None = None
        self._opened = ExitStack()
        self._opened.push(self._leave_encoder)
        self._opened.callback(self._close_journal)
        self._sink: Sink[tuple[Segment, ColorBatch | None]] = Sink(self._encode, COLORIZED_AHEAD)

    def replay(self, segment: Segment, batches: Iterator[ColorBatch]) -> None:
        """Take a segment's first batches, which are in its journal already."""
        for batch in batches:
            self._sink.put((segment, batch))

    def write(self, segment: Segment, batch: ColorBatch) -> None:
        """Take a segment's next batch.

        Raises:
            MediaError: The codec refuses the pictures, or the disk does not take the file.
        """
        if self._journal_of is not None:
            if self._journal is None:
                self._journal = self._journal_of(segment)
            self._journal.append(batch)
        self._sink.put((segment, batch))

    def end(self, segment: Segment) -> None:
        """Finish a segment that was written."""
        self._close_journal()
        self._sink.put((segment, None))

    def _close_journal(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _encode(self, piece: tuple[Segment, ColorBatch | None]) -> None:
        segment, batch = piece
        if self._encoder is None:
            path, options = self._path_of(segment), self.plan.options
            self._encoder = Encoder(path, options.encoded(self.plan.info), options.encoding)
        if batch is not None:
            self._encoder.write(batch)
            return
        part, self._encoder = self._encoder.close(), None
        self.plan.check_count(segment, len(part.pts))
        self._finish(segment, part)

    def _leave_encoder(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._encoder is not None:
            self._encoder.__exit__(kind, error, trace)

    def __enter__(self) -> PartWriter:
        self._opened.enter_context(self._sink)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.__exit__(kind, error, trace)
