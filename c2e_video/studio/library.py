"""The list of films, and what the page's cards say of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import RLock
from typing import Any

import av
import av.error

from ..errors import C2EError, MediaError
from ..utils.files import local
from ..video.decode.decoder import probe
from ..video.frames import VideoInfo
from ..video.mux.streams import codec_of, is_cover
from .display import shown_aspect
from .engine import Engine
from .errors import NotFound
from .events import EventHub
from .film import OpenFilm
from .workspace import Workspace

STATE = "films.json"


class Library:
    """The films that are open, in the order of the page's list; kept over restarts."""

    def __init__(self, workspace: Workspace, engine: Engine, hub: EventHub) -> None:
        self.workspace, self.engine, self.hub = workspace, engine, hub
        self._films: dict[str, OpenFilm] = {}
        self._lock = RLock()
        kept = workspace.load(STATE)
        for name in kept if isinstance(kept, list) else []:
            if isinstance(name, str):
                self._take_up(name)

    def _take_up(self, name: str) -> None:
        try:
            path = self.workspace.inside(Path(name))
        except C2EError:
            return
        film = OpenFilm(path, self.workspace, self.engine, self.hub)
        self._films[film.id] = film

    def all(self) -> list[OpenFilm]:
        """The films of the list."""
        with self._lock:
            return list(self._films.values())

    def film(self, film_id: str) -> OpenFilm:
        """A film by its id. Raises :class:`NotFound`."""
        with self._lock:
            if film_id not in self._films:
                raise NotFound("this film is not on the list any more")
            return self._films[film_id]

    def open(self, path: Path) -> OpenFilm:
        """Put a film on the list. Raises :class:`MediaError` if it cannot be read."""
        path = self.workspace.inside(path)
        probe(path)
        film = OpenFilm(path, self.workspace, self.engine, self.hub)
        with self._lock:
            if film.id in self._films:
                return self._films[film.id]
            self._films[film.id] = film
            self._save()
        self.hub.publish("films")
        return film

    def remove(self, film_id: str) -> None:
        """Take a film off the list. Its files stay."""
        with self._lock:
            film = self.film(film_id)
            film.close()
            del self._films[film_id]
            self._save()
        self.hub.publish("films")

    def _save(self) -> None:
        self.workspace.save(STATE, [film.name for film in self._films.values()])

    def close(self) -> None:
        """Let go of all films."""
        for film in self.all():
            film.close()


def card(film: OpenFilm) -> dict[str, Any]:
    """The text of a film's card: its state, size, rate, length, sound, subtitles."""
    facts: dict[str, Any] = {
        "id": film.id,
        "name": film.name,
        "state": film.state,
        "error": film.error,
        "looked": film.looked_at,
    }
    try:
        film.check_there()
        info = film.info if film.state == "ready" else probe(film.path)
        facts |= picture_facts(info) | stream_facts(film.path)
    except C2EError as error:
        facts |= {"state": film.state if film.error else "failed", "error": str(error)}
    if film.state == "ready":
        facts["shots"] = len(film.table.rows)
        facts["frames"] = len(film.analysis.times)
    return facts


def picture_facts(info: VideoInfo) -> dict[str, Any]:
    """Size, rate, length and kind of the picture."""
    rate = float(info.frame_rate) if info.frame_rate else None
    return {
        "width": info.width,
        "height": info.height,
        "aspect": shown_aspect(info),
        "turned": info.turns % 2 == 1,
        "rate": rate,
        "seconds": info.duration_seconds,
        "count": info.frame_count,
        "depth": info.bit_depth,
        "interlaced": info.interlaced,
    }


def stream_facts(path: Path) -> dict[str, list[str]]:
    """Sound and subtitles in words, such as ``aac, eng``. Of numbered pictures: none."""
    if path.is_dir():
        return {"sound": [], "subtitles": []}
    try:
        with av.open(local(path), metadata_errors="surrogateescape") as file:
            return {
                "sound": _words(list(file.streams.audio)),
                "subtitles": _words([s for s in file.streams.subtitles if not is_cover(s)]),
            }
    except (OSError, av.error.FFmpegError) as error:
        raise MediaError(f"{path.name} cannot be read ({error})") from None


def _words(streams: Sequence[Any]) -> list[str]:
    return [", ".join(filter(None, (codec_of(stream), _language(stream)))) for stream in streams]


def _language(stream: Any) -> str:
    language = stream.metadata.get("language", "und")
    return "" if language in ("und", "zxx") else str(language)
