"""The studio as an ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from .references import LARGEST_UPLOAD
from .routes import films, frames, queue, references, shots
from .routes.answers import endpoint
from .security import Gate
from .studio import Studio

STATIC = Path(__file__).parent / "static"

_FILM = "/api/films/{film}"
_PTS = "{pts:pts}"


class _Pts(Convertor[int]):
    """A whole number that may be negative: some films begin before zero."""

    regex = "-?[0-9]{1,18}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("pts", _Pts())


def build_app(studio: Studio, *, token: str, hosts: Sequence[str]) -> ASGIApp:
    """The application, behind its :class:`Gate`.

    Args:
        studio: A studio, started with the application's life and closed at its end.
        token: The first part of every path.
        hosts: Accepted values of the Host header.
    """

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        studio.start()
        try:
            yield
        finally:
            await asyncio.to_thread(studio.close)

    app = Starlette(routes=_routes(), lifespan=life)
    app.state.studio = studio
    return Gate(app, token=token, hosts=hosts)


def _routes() -> list[Route | Mount]:
    get, post = ["GET"], ["POST"]
    return [
        Route("/", _page),
        Route("/api/events", _events),
        Route("/api/studio", endpoint(films.studio)),
        Route("/api/folder", endpoint(films.folder)),
        Route("/api/films", endpoint(films.open_film), methods=post),
        Route(_FILM, endpoint(films.film), methods=get),
        Route(_FILM, endpoint(films.close_film), methods=["DELETE"]),
        Route(f"{_FILM}/shots/{{shot:int}}", endpoint(films.shot)),
        Route(f"{_FILM}/finished", endpoint(films.finished)),
        Route(f"{_FILM}/poster", endpoint(films.poster)),
        Route(f"{_FILM}/table", endpoint(films.table)),
        Route(f"{_FILM}/losses", endpoint(films.losses)),
        Route(f"{_FILM}/edit", endpoint(shots.edit), methods=post),
        Route(f"{_FILM}/undo", endpoint(shots.undo), methods=post),
        Route(f"{_FILM}/redo", endpoint(shots.redo), methods=post),
        Route(f"{_FILM}/focus", endpoint(shots.focus), methods=post),
        Route(f"{_FILM}/saturation", endpoint(shots.saturation), methods=post),
        Route(f"{_FILM}/gray/{_PTS}", endpoint(frames.gray)),
        Route(f"{_FILM}/thumb/{_PTS}", endpoint(frames.thumb)),
        Route(f"{_FILM}/painted/{_PTS}", endpoint(frames.painted)),
        Route(f"{_FILM}/finished/{_PTS}", endpoint(frames.finished)),
        Route(f"{_FILM}/retouch/{_PTS}", endpoint(frames.retouch), methods=post),
        Route(f"{_FILM}/keyframe/{_PTS}", endpoint(references.keyframe), methods=post),
        Route(f"{_FILM}/still/{_PTS}", endpoint(references.still), methods=post),
        Route(f"{_FILM}/candidates/{{shot:int}}", endpoint(references.candidates)),
        Route(
            f"{_FILM}/references",
            endpoint(references.upload, largest=LARGEST_UPLOAD),
            methods=post,
        ),
        Route(f"{_FILM}/references/{{digest}}", endpoint(references.picture)),
        Route(f"{_FILM}/references/{{digest}}/colors", endpoint(references.colors)),
        Route("/api/queue", endpoint(queue.queue), methods=get),
        Route("/api/queue", endpoint(queue.add), methods=post),
        Route("/api/queue/{job}/output", endpoint(queue.output)),
        Route("/api/queue/{job}/picture", endpoint(queue.picture)),
        Route("/api/queue/{job}/{action}", endpoint(queue.act), methods=post),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]


async def _page(request: Request) -> Response:
    return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})


async def _events(request: Request) -> Response:
    studio: Studio = request.app.state.studio
    return StreamingResponse(studio.hub.stream(), media_type="text/event-stream")
