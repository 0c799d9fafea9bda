"""The job folder: the finished work of a run, from which another run continues.

The folder ``<output>.c2e`` holds

- ``lock``: the process that works in the folder holds it; its content is the process id,
- ``job.json``: the identity of the job (source, references, weights, options),
- ``part-00003.json`` and its video file: a finished segment, with the pts and durations of its frames and the
  digest of the file,
- ``part-00003.chroma``: the chroma of a segment whose part is not finished (``journal.py``).

A part is written under a name with ``.partial``, synced and renamed: a file with a part's name is complete.
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
    """An open job. No other process writes into its folder until :meth:`close`.

    Made by :meth:`open`; a context manager.

    Attributes:
        folder: The job folder.
        resumed: Whether it held finished work when it was opened.
    """

    def __init__(self, folder: Path, lock: int) -> None:
        self.folder = folder
        self._lock = lock
        self.resumed = self._holds_work()

    @classmethod
    def open(cls, folder: Path, identity: Mapping[str, Any], *, restart: bool = False) -> Job:
        """Begin a job, or continue one that was begun with the same identity.

        Args:
            folder: The job folder; it is made if it is not there.
            identity: What the job's parts depend on, in values that JSON has.
            restart: Whether what the folder holds is deleted first.

        Raises:
            JobMismatch: The folder holds a job of another identity; the message names the differences.
            C2EError: Another process works in the folder, or it cannot be written to.
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
        """The finished part of a segment; None if there is none, or its file is not what was written."""
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
        """The file that the part of a segment is written to before it is finished."""
        return self.folder / f"part-{segment.index:05d}.partial{suffix}"

    def journal_path(self, segment: Segment) -> Path:
        """The file that holds the chroma of a segment until its part is finished."""
        return self.folder / f"part-{segment.index:05d}.chroma"

    def finish(self, segment: Segment, part: Part) -> Part:
        """Make a closed file the part of a segment: sync and rename it, write its record, delete the journal.

        Args:
            segment: The segment.
            part: The file, at :meth:`partial_path`.

        Returns:
            The part, at its final path.

        Raises:
            MediaError: The disk is full, or the folder is gone.
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
        """Delete the folder, once the film is written."""
        self._delete()
        self._release()
        shutil.rmtree(self.folder, ignore_errors=True)  # where a share kept the open lock

    def close(self) -> None:
        """Release the folder. It is deleted if it holds no finished work."""
        if self._lock < 0:
            return
        for path in self.folder.glob("*.partial*"):
            remove(path)
        if not self._holds_work():
            self._delete()
        self._release()

    def _holds_work(self) -> bool:
        """Whether there is a finished part or a journal with something in it."""
        journals = self.folder.glob("part-*.chroma")
        return any(self.folder.glob("part-*.json")) or any(j.stat().st_size for j in journals)

    def _delete(self) -> None:
        """Delete the folder; while the lock is held, where the system deletes open files."""
        if not DELETES_OPEN_FILES:
            self._release()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _release(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Job:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _begin(folder: Path, identity: dict[str, Any], restart: bool) -> int:
    """Take the folder's lock and check that the folder is of this job. Returns the open lock."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(lock, folder)
        if restart:
            _clear(folder)
        _check_identity(folder, identity)
    except BaseException:
        os.close(lock)
        raise
    return lock


def _acquire(lock: int, folder: Path) -> None:
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
        listed = differing[:MAX_LISTED] + ([f"and {more} more"] if more > 0 else [])
        raise JobMismatch(
            f"an interrupted run in {str(folder)!r} was begun with other settings: "
            f"{'; '.join(listed)}; give the same, or restart=True to begin anew"
        )


def _leaves(values: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Each value that is no list or mapping, with the keys, or numbers from 1, that lead to it."""
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
