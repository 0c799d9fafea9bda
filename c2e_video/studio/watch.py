"""The folders of exported frames are watched: a painting saved there comes back as a keyframe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from ..errors import C2EError
from ..references.picture_formats import is_readable
from ..utils.timecode import parse_timecode
from .references import take_painted
from .table_file import Signature, signature

if TYPE_CHECKING:
    from .film import OpenFilm

EVERY_SECONDS = 0.25
_TIME = re.compile(r"_(-?)(\d+)-(\d\d)-(\d\d\.\d{3})$")


def time_of(path: Path) -> Fraction | None:
    """The time in a still's name, in seconds on the film's clock; None if there is none."""
    match = _TIME.search(path.stem)
    if match is None:
        return None
    sign, hours, minutes, seconds = match.groups()
    time = parse_timecode(f"{hours}:{minutes}:{seconds}")
    return -time if sign else time


class Watcher:
    """Looks at the stills of every open film, a few times a second.

    Args:
        films: Gives the films that are open now.
    """

    def __init__(self, films: Callable[[], Iterable[OpenFilm]]) -> None:
        self.films = films
        self._pending: dict[Path, Signature] = {}
        self._stop = Event()
        self._thread = Thread(target=self._run, name="studio-watch", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """Watch no longer."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            for film in self.films():
                if film.state != "ready":
                    continue
                try:
                    film.refresh()
                    self.look(film)
                except (C2EError, OSError) as error:
                    film.hub.publish("note", film=film.id, line=str(error), error=True)

    def look(self, film: OpenFilm) -> None:
        """Take what was painted since the last look. A file is read once it no longer changes."""
        folder = film.folder("stills")
        if not folder.is_dir():
            return
        seen = film.settings.setdefault("stills", {})
        for path in folder.iterdir():
            now = signature(path)
            if not is_readable(path) or path.name.startswith(".") or now is None:
                continue
            if path.is_symlink() or list(now) == seen.get(path.name):
                continue
            if self._pending.get(path) != now:
                self._pending[path] = now
                continue
            del self._pending[path]
            film.keep_setting("stills", seen | {path.name: list(now)})
            seen = film.settings["stills"]
            self._take(film, path)

    def _take(self, film: OpenFilm, path: Path) -> None:
        seconds = time_of(path)
        if seconds is None:
            return
        times = film.analysis.times
        wanted = round(seconds / film.info.time_base)
        pts = int(times[abs(times - wanted).argmin()])
        placed = take_painted(film, path, pts)
        if placed is not None:
            film.hub.publish(
                "placed", film=film.id, shot=placed.shot, at=placed.at, line=placed.line
            )
