"""A film that is open in the studio: what it is, its shots, its table on disk, its frames."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from threading import RLock
from typing import Any, Literal, TypeVar

from ..errors import BadReference, C2EError
from ..references.image import Reference
from ..references.reference_map import ReferenceMap
from ..video.decode import base_path
from ..video.decode.decoder import probe
from ..video.frames import Frame, VideoInfo
from . import table_file
from .analysis import FilmAnalysis, analyze_film
from .coverage import Coverage
from .engine import Engine, FilmEngine
from .errors import Conflict, Gone, NotFound, RequestError
from .events import EventHub
from .frames import FrameReader
from .table import History, ShotTable
from .workspace import Workspace

T = TypeVar("T")
State = Literal["waiting", "looking", "ready", "failed", "gone"]


class OpenFilm:
    """One film of the studio's list. Safe to use from several threads.

    Args:
        path: The film, inside the workspace.
        workspace: The studio's folder.
        engine: The warm network.
        hub: Where changes are told.
    """

    def __init__(self, path: Path, workspace: Workspace, engine: Engine, hub: EventHub) -> None:
        self.path, self.workspace, self.engine, self.hub = path, workspace, engine, hub
        self.name = workspace.name_of(path)
        self.id = hashlib.sha256(self.name.encode()).hexdigest()[:12]
        self.lock = RLock()
        self.state: State = "waiting"
        self.error = ""
        self.looked_at = 0
        self.closed = False
        self._info: VideoInfo | None = None
        self._analysis: FilmAnalysis | None = None
        self._history: History | None = None
        self._reader: FrameReader | None = None
        self._colors: FilmEngine | None = None
        self._saved: table_file.Signature | None = None
        settings = workspace.load(f"film-{self.id}.json")
        self.settings: dict[str, Any] = settings if isinstance(settings, dict) else {}
        self.coverage = Coverage(self)

    # -- parts that are there once the film is ready -------------------------------------------

    @property
    def info(self) -> VideoInfo:
        """The film as :func:`probe` describes it."""
        return self._ready(self._info)

    @property
    def analysis(self) -> FilmAnalysis:
        """The times of its frames, its shots as found."""
        return self._ready(self._analysis)

    @property
    def history(self) -> History:
        """The table, with what was done to it."""
        return self._ready(self._history)

    @property
    def table(self) -> ShotTable:
        """The table as it is now."""
        return self.history.table

    @property
    def reader(self) -> FrameReader:
        """Its gray frames."""
        return self._ready(self._reader)

    @property
    def colors(self) -> FilmEngine:
        """The network at work on it."""
        return self._ready(self._colors)

    def _ready(self, part: T | None) -> T:
        self.check_there()
        if part is None:
            raise RequestError(self.error or f"{self.name} is still being looked at")
        return part

    def check_there(self) -> None:
        """Raise :class:`Gone` if the film's file was removed."""
        if not self.path.exists():
            if self.state != "gone":
                self._tell(
                    "gone", f"{self.name} is no longer there; put it back, or remove it here"
                )
            raise Gone(self.error)
        if self.state == "gone":
            self._tell("ready" if self._history else "waiting", "")

    # -- preparing -----------------------------------------------------------------------------

    def prepare(self) -> None:
        """Look at the film and read its table, or write a first one. Errors become the film's state."""
        try:
            self._prepare()
        except C2EError as error:
            self._tell("failed", str(error))

    def _prepare(self) -> None:
        self.check_there()
        self._tell("looking", "")
        info = self._info or probe(self.path)
        self._info = info
        analysis = analyze_film(self.path, info, self.workspace, self._count)
        table = self._first_table(info, analysis)
        with self.lock:
            self._analysis = analysis
            self._reader = FrameReader(self.path, info, analysis.times.tolist())
            self._colors = self.engine.on(info, analysis.letterbox)
            self._history = History(table)
        self._tell("ready", "")

    def _first_table(self, info: VideoInfo, analysis: FilmAnalysis) -> ShotTable:
        path = self._table_path()
        if path.exists():
            table = self._read_table(info, analysis)
        else:
            table = ShotTable.of(analysis.shots, [()] * len(analysis.shots))
            table_file.write(table, path, info)
        self._saved = table_file.signature(path)
        return table

    def _read_table(self, info: VideoInfo, analysis: FilmAnalysis) -> ShotTable:
        """The table on disk. Raises :class:`Forbidden` if it names pictures outside the folder."""
        table = table_file.read(self._table_path(), info, analysis.times.tolist())
        for reference in table.pool():
            self.workspace.inside(reference.path)
        return table

    def _table_path(self) -> Path:
        """The table on disk. Raises :class:`Forbidden` if it is a link out of the folder."""
        path = table_file.table_path(self.path)
        self.workspace.inside(path)
        return path

    def _count(self) -> None:
        if self.closed:
            raise RequestError(f"{self.name} was taken off the list")
        self.looked_at += 1
        if self.looked_at % 250 == 0:
            total = self._info.frame_count if self._info else None
            self.hub.publish("looking", film=self.id, frames=self.looked_at, of=total)

    def _tell(self, state: State, error: str) -> None:
        self.state, self.error = state, error
        self.hub.publish("film", film=self.id, state=state, error=error)

    # -- editing -------------------------------------------------------------------------------

    def edit(self, version: int | None, change: Callable[[ShotTable], ShotTable]) -> None:
        """Change the table and save it.

        Args:
            version: The version the change was made for; None for one that fits any.
            change: From the table as it is to the table as it is to be.

        Raises:
            Conflict: The table has another version by now, from another tab or another program.
        """
        self._do(version, lambda history: history.change(change(history.table)))

    def undo(self, version: int | None) -> None:
        """Take the last edit back, and save."""
        self._do(version, History.undo)

    def redo(self, version: int | None) -> None:
        """Do the last edit again that was undone, and save."""
        self._do(version, History.redo)

    def _do(self, version: int | None, action: Callable[[History], None]) -> None:
        with self.lock:
            history = self.history
            self.refresh()
            if version is not None and version != history.version:
                raise Conflict(
                    "the shots were changed meanwhile, in another tab or program; they are shown as "
                    "they are now, try again"
                )
            action(history)
            self._save()
        self._changed()

    def _save(self) -> None:
        path = self._table_path()
        table_file.write(self.table, path, self.info)
        self._saved = table_file.signature(path)

    def refresh(self) -> bool:
        """Read the table again if another program changed it; that can be undone like any edit.

        Raises :class:`BadReference` if it cannot be read; the studio then keeps its own.
        """
        with self.lock:
            path = table_file.table_path(self.path)
            now = table_file.signature(path)
            if now is None or now == self._saved or self._history is None:
                return False
            self._saved = now  # complained about once
            self._history.change(self._read_table(self.info, self.analysis))
        self._changed()
        return True

    def _changed(self) -> None:
        self.coverage.wake()
        self.hub.publish("table", film=self.id, version=self.history.version)

    def keep_setting(self, name: str, value: Any) -> None:
        """Keep a setting of the film over restarts."""
        with self.lock:
            self.settings[name] = value
            self.workspace.save(f"film-{self.id}.json", self.settings)

    # -- colorizing ------------------------------------------------------------------------------

    @property
    def saturation(self) -> float:
        """The film's saturation; a shot's own is a factor of it."""
        value = self.settings.get("saturation", 1.0)
        return float(value) if isinstance(value, int | float) else 1.0

    def folder(self, kind: str) -> Path:
        """``FILM.references`` or ``FILM.stills`` beside the film."""
        name = base_path(self.path)
        return self.workspace.inside(name.with_name(f"{name.name}.{kind}"))

    def frame(self, pts: int) -> Frame:
        """The gray frame at ``pts``."""
        return self.reader.frame(pts)

    def map_at(self, pts: int, only: Reference | None = None) -> ReferenceMap | None:
        """The references that colour the frame at ``pts``, or ``only`` one; None where it stays gray."""
        table = self.table
        index = table.index_at(pts)
        wanted = {index, index - 1} if index else {index}
        chosen = None if only is None else (only.moved(None),)
        choices = [
            (chosen or self.coverage.choice(i)) if i in wanted else ()
            for i in range(len(table.rows))
        ]
        return table.map_at(pts, choices)

    def reference_map(self) -> ReferenceMap:
        """The references of the whole film, as it is colorized now.

        Raises:
            BadReference: A shot has none, and is not left gray.
        """
        rows = self.table.rows
        choices = [self.coverage.choice(index) for index in range(len(rows))]
        open_shots = [
            index + 1
            for index, (row, own) in enumerate(zip(rows, choices, strict=True))
            if not own and not row.gray
        ]
        if open_shots:
            raise BadReference(
                f"shot {open_shots[0]} of {self.name} has no picture; drop one on it first"
            )
        shots = tuple(row.shot(index) for index, row in enumerate(rows))
        return ReferenceMap(shots, tuple(choices), tuple(row.factor for row in rows))

    def reference(self, digest: str) -> Reference:
        """A picture that the table has or had. Raises :class:`NotFound`."""
        if digest not in self.history.known:
            raise NotFound("the film has no such reference")
        return self.history.known[digest]

    def close(self) -> None:
        """Let go of the film."""
        self.closed = True
        if self._reader is not None:
            self._reader.close()
