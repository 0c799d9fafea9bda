"""The queue of films to colorize, and what is colorized of them."""

from __future__ import annotations

from typing import Any

from starlette.responses import FileResponse, Response

from ..errors import NotFound, RequestError
from ..render_options import RenderOptions
from .answers import Ask, jpeg_answer


def queue(ask: Ask) -> list[dict[str, Any]]:
    """The entries in order."""
    return ask.studio.queue.jobs()


def add(ask: Ask) -> list[dict[str, Any]]:
    """Put a film at the end: ``film`` and ``options``."""
    film = ask.studio.library.film(ask.text("film"))
    ask.studio.queue.add(film, RenderOptions.of(ask.json.get("options", {})))
    return ask.studio.queue.jobs()


def act(ask: Ask) -> list[dict[str, Any]]:
    """Start, restart, stop, remove or move an entry."""
    queue, job = ask.studio.queue, ask.path["job"]
    action = ask.path["action"]
    if action == "start":
        queue.start(job)
    elif action == "restart":
        queue.start(job, restart=True)
    elif action == "stop":
        queue.stop(job)
    elif action == "remove":
        queue.remove(job)
    elif action == "move":
        queue.move(job, ask.needed("place"))
    else:
        raise RequestError(f"unknown action {action!r}; start, restart, stop, remove or move")
    return queue.jobs()


def picture(ask: Ask) -> Response:
    """The frame that an entry colorized last."""
    newest = ask.studio.newest_frame(ask.path["job"])
    return Response(status_code=204) if newest is None else jpeg_answer(newest)


def output(ask: Ask) -> Response:
    """The colorized film of an entry, in ranges; for the browser to play."""
    job = ask.studio.queue.job(ask.path["job"])
    film = ask.studio.library.film(job.film)
    path = ask.studio.workspace.inside(job.options.output(film.path))
    if job.state != "done" or not path.is_file():
        raise NotFound("the painted film is not there yet, or no longer")
    return FileResponse(path)
