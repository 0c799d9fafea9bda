"""What is done and what remains: a job on disk that a killed run takes up again.

The folder ``<output>.c2e`` holds ``job.json`` (what the job is made of) and, for every finished
segment, a part file with its times and digest. A part is written under a ``.partial`` name, synced
and renamed, so whatever bears a part's name is whole.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import C2EError, JobMismatch
from ..utils.file_lock import DELETES_OPEN_FILES, try_lock
from ..utils.files import disk_errors, remove, sync, write_whole
from ..video.encode import Part
from .digests import file_digest
from .segments import Segment

MAX_LISTED = 5  # differences from an interrupted run


class Job:
    """An open job: the only writer of its folder until :meth:`close`.

    Use :meth:`open`. ``resumed`` tells whether parts of an earlier run were found.
    """

    def __init__(self, folder: Path, lock: int) -> None:
        self.folder = folder
        self._lock = lock
        self.resumed = self._holds_work()

    @classmethod
    def open(cls, folder: Path, identity: Mapping[str, Any], *, restart: bool = False) -> Job:
        """Begin the job in ``folder``, or take it up if it was begun with the same ``identity``.

        Raises :class:`JobMismatch` naming what differs, and :class:`C2EError` if another run holds it.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return cls(folder, _begin(folder, json.loads(json.dumps(identity)), restart))
        except OSError as error:
            raise C2EError(
                f"cannot write beside the output: {error.strerror} for {str(folder)!r}; "
                "free space there or choose another place with output=…"
            ) from None

    def part(self, segment: Segment) -> Part | None:
        """The finished part of ``segment``; None if it is missing or is not what was written."""
        try:
            known = json.loads(self._record(segment).read_text())
            path = self.folder / known["file"]
            if [segment.start, segment.stop] != known["span"] or file_digest(path) != known[
                "sha256"
            ]:
                return None
            return Part(path, tuple(known["pts"]), tuple(known["durations"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def partial_path(self, segment: Segment, suffix: str) -> Path:
        """Where the part of ``segment`` is written before it is finished."""
        return self.folder / f"part-{segment.index:05d}.partial{suffix}"

    def journal_path(self, segment: Segment) -> Path:
        """Where the chroma of ``segment`` is kept until its part is finished."""
        return self.folder / f"part-{segment.index:05d}.chroma"

    def finish(self, segment: Segment, part: Part) -> Part:
        """Make a closed part file the segment's part: synced, renamed, its digest noted.

        Raises :class:`MediaError` if the disk is full or the folder is gone.
        """
        path = self.folder / part.path.name.replace(".partial", "")
        with disk_errors(path):
            digest = file_digest(part.path)
            sync(part.path)
            os.replace(part.path, path)
            known = {
                "file": path.name,
                "span": [segment.start, segment.stop],
                "sha256": digest,
                "pts": part.pts,
                "durations": part.durations,
            }
            write_whole(self._record(segment), json.dumps(known))
            self.journal_path(segment).unlink(missing_ok=True)
        return Part(path, part.pts, part.durations)

    def _record(self, segment: Segment) -> Path:
        return self.folder / f"part-{segment.index:05d}.json"

    def remove(self) -> None:
        """The film is made: nothing of the job stays behind."""
        self._clear_away()
        self._let_go()
        shutil.rmtree(self.folder, ignore_errors=True)  # where a share kept the open lock

    def close(self) -> None:
        """Let go of the folder. A job without a finished part leaves nothing behind."""
        if self._lock < 0:
            return
        for path in self.folder.glob("*.partial*"):
            remove(path)
        if not self._holds_work():
            self._clear_away()
        self._let_go()

    def _holds_work(self) -> bool:
        """Whether there is a finished part or a journal with something in it."""
        journals = self.folder.glob("part-*.chroma")
        return any(self.folder.glob("part-*.json")) or any(j.stat().st_size for j in journals)

    def _clear_away(self) -> None:
        """Delete the folder, where that can be while no other run can hold it."""
        if not DELETES_OPEN_FILES:
            self._let_go()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _let_go(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Job:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _begin(folder: Path, identity: dict[str, Any], restart: bool) -> int:
    """The lock by which this run alone holds the folder, where it is of the same job."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _hold(lock, folder)
        if restart:
            _clear(folder)
        _check_identity(folder, identity)
    except BaseException:
        os.close(lock)
        raise
    return lock


def _hold(lock: int, folder: Path) -> None:
    if not try_lock(lock):
        holder = os.read(lock, 32).decode(errors="replace").strip() or "unknown"
        raise C2EError(
            f"another run (process {holder}) is at work in {str(folder)!r}; "
            "wait for it, or write to another output=…"
        )
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name != "lock":
            remove(path)


def _check_identity(folder: Path, identity: dict[str, Any]) -> None:
    path = folder / "job.json"
    if not path.exists():
        write_whole(path, json.dumps(identity, indent=1))
        return
    try:
        begun = json.loads(path.read_text())
    except ValueError:
        begun = {}
    was, now = dict(_leaves(begun)), dict(_leaves(identity))
    differing = [
        f"{key} (was {_brief(was.get(key))}, is {_brief(now.get(key))})"
        for key in dict.fromkeys([*was, *now])
        if was.get(key) != now.get(key)
    ]
    if differing:
        more = len(differing) - MAX_LISTED
        frames_with_embeddings = differing[:MAX_LISTED] + ([f"and {more} more"] if more > 0 else [])
        raise JobMismatch(
            f"an interrupted run in {str(folder)!r} was begun with other settings: "
            f"{'; '.join(frames_with_embeddings)}; give the same, or restart=True to begin anew"
        )


def _leaves(values: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Each value that holds no others, under the names, or numbers from 1, that lead to it."""
    if isinstance(values, list):
        values = dict(enumerate(values, 1))
    if not isinstance(values, dict):
        yield name, values
        return
    for key, value in values.items():
        yield from _leaves(value, f"{name} {key}".strip())


def _brief(value: Any) -> str:
    text = "none" if value in (None, "None") else json.dumps(value).strip('"')
    return text if len(text) <= 24 else f"{text[:12]}…{text[-8:]}"
