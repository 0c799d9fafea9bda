"""The one folder that the studio reads and writes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any

from ..errors import C2EError
from ..utils.files import write_whole
from .errors import Forbidden, NotFound

FILMS = frozenset(
    (
        *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m2v", ".vob", ".ts"),
        *(".m2ts", ".mts", ".mxf", ".wmv", ".flv", ".ogv", ".dv", ".nut", ".y4m", ".3gp", ".divx"),
    )
)
MOST_FILMS = 2000  # listed to choose from
OWN = ".c2e-studio"  # folder of the studio's own state
_UNSAFE = re.compile(r"[^\w.() +-]+")


class Workspace:
    """The folder that the studio was started for.

    Args:
        folder: An existing folder. Raises :class:`C2EError` if there is none.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise C2EError(f"no folder {str(folder)!r}; give an existing one: folder=…")
        self.folder = folder.resolve()
        self._saving = Lock()

    def inside(self, path: Path) -> Path:
        """``path``, links resolved. Raises :class:`Forbidden` if it leads out of the folder."""
        resolved = (self.folder / path).resolve()
        if not resolved.is_relative_to(self.folder):
            raise Forbidden(f"{path.name!r} is not in the studio's folder {str(self.folder)!r}")
        return resolved

    def named(self, name: str) -> Path:
        """The path of a name that the browser sent, such as ``reels/film.mp4``.

        Raises :class:`Forbidden` for one that leads out of the folder or into hidden folders, and
        :class:`NotFound` if nothing is there.
        """
        if "\0" in name or "\\" in name or not name.strip():
            raise Forbidden(f"{name!r} is no name of a file in the studio's folder")
        path = self.inside(Path(name))
        if any(part.startswith(".") for part in path.relative_to(self.folder).parts):
            raise Forbidden(f"{name!r} is hidden; the studio leaves hidden files alone")
        if not path.exists():
            raise NotFound(f"no {name!r} in {str(self.folder)!r}")
        return path

    def name_of(self, path: Path) -> str:
        """How the browser names a path: as seen from the folder."""
        return path.relative_to(self.folder).as_posix()

    def films(self) -> list[Path]:
        """The films in the folder and below, by name; at most ``MOST_FILMS``."""
        found: list[Path] = []
        for path in self._files():
            if path.suffix.lower() in FILMS:
                found.append(path)
                if len(found) == MOST_FILMS:
                    break
        return sorted(found)

    def _files(self) -> Iterator[Path]:
        for folder, folders, files in os.walk(self.folder):
            folders[:] = sorted(
                name for name in folders if not name.startswith(".") and not name.endswith(".c2e")
            )
            for name in sorted(files):
                path = Path(folder) / name
                hidden = name.startswith(".") or ".partial" in name
                if not hidden and path.resolve().is_relative_to(self.folder):
                    yield path

    # -- the studio's own state ----------------------------------------------------------------

    def own(self, name: str) -> Path:
        """A place for the studio's own file ``name``; its folder is made."""
        folder = self.folder / OWN
        if folder.is_symlink():
            raise Forbidden(f"{str(folder)!r} is a link; the studio writes its state to a folder")
        folder.mkdir(exist_ok=True)
        return folder / name

    def load(self, name: str) -> Any:
        """The state kept under ``name``; None where there is none that can be read."""
        try:
            return json.loads(self.inside(Path(OWN) / name).read_text("utf-8"))
        except (OSError, ValueError, Forbidden):
            return None

    def save(self, name: str, state: Any) -> None:
        """Keep ``state`` under ``name``, whole or not at all."""
        try:
            with self._saving:  # requests and the studio's own threads save the same files
                write_whole(self.own(name), json.dumps(state, indent=1))
        except OSError as error:
            raise C2EError(
                f"cannot write into {str(self.folder)!r}: {error.strerror}; the studio keeps its "
                "state there"
            ) from None


def safe_name(name: str, fallback: str = "picture") -> str:
    """The last part of ``name`` without what a file system or a shell could take amiss."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    stem, dot, suffix = last.rpartition(".")
    stem = _UNSAFE.sub("_", stem if dot else last).strip(" ._") or fallback
    suffix = re.sub(r"[^A-Za-z0-9]", "", suffix)[:5] if dot else ""
    return f"{stem[:80]}.{suffix.lower()}" if suffix else stem[:80]


def free_path(folder: Path, name: str) -> Path:
    """``folder/name``, or with a number where that is taken."""
    path = folder / name
    number = 2
    while path.exists() or path.is_symlink():
        path = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
        number += 1
    return path
