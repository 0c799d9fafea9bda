"""The list of films, and all that the page shows of one."""

from __future__ import annotations

from typing import Any

import numpy as np
from starlette.responses import Response

from ...errors import C2EError
from ..display import gray_picture, small
from ..errors import NotFound
from ..film import OpenFilm
from ..library import card, picture_facts
from ..render_options import RenderOptions
from ..render_options import losses as losses_of
from .answers import Ask, jpeg_answer


def studio(ask: Ask) -> dict[str, Any]:
    """The folder and the cards of all films."""
    return {
        "folder": str(ask.studio.workspace.folder),
        "films": [card(film) for film in ask.studio.library.all()],
    }


def folder(ask: Ask) -> list[dict[str, Any]]:
    """The films of the folder, to choose from."""
    workspace = ask.studio.workspace
    return [
        {"name": workspace.name_of(path), "size": path.stat().st_size} for path in workspace.films()
    ]


def open_film(ask: Ask) -> dict[str, Any]:
    """Put a film on the list: by its ``name`` in the folder, or by ``dropped`` name and ``size``.

    A browser does not tell where a dropped file lies; the folder is searched for one like it.
    """
    workspace = ask.studio.workspace
    dropped = ask.text("dropped")
    if dropped:
        size = ask.needed("size")
        alike = [p for p in workspace.films() if p.name == dropped and p.stat().st_size == size]
        if not alike:
            raise NotFound(
                f"{dropped!r} is not in the studio's folder {str(workspace.folder)!r}; move it there, "
                "or start the studio with folder=… for the folder it is in"
            )
        path = alike[0]
    else:
        path = workspace.named(ask.text("name"))
    film = ask.studio.library.open(path)
    ask.studio.worker.wake()
    return card(film)


def close_film(ask: Ask) -> dict[str, Any]:
    """Take a film off the list."""
    ask.studio.library.remove(ask.path["film"])
    return {}


def film(ask: Ask) -> dict[str, Any]:
    """All of one film: its times, shots, references, coverage, what is colorized."""
    film = ask.film
    ask.studio.shown = film.id
    facts: dict[str, Any] = {"id": film.id, "name": film.name, "state": film.state}
    facts |= {"error": film.error} | {"looked": film.looked_at}
    if film.state == "failed" and "retry" in ask.query:  # what was wrong may be mended by now
        film.state = "waiting"
        ask.studio.worker.wake()
    if film.state != "ready":
        return facts
    info = film.info
    base = info.time_base
    return (
        facts
        | picture_facts(info)
        | {"time_base": [base.numerator, base.denominator]}
        | {"times": _times(film), "stop": film.analysis.stop, "problems": film.analysis.problems}
        | {"finished": finished(ask)}
        | table_facts(film)
    )


def shot(ask: Ask) -> dict[str, Any]:
    """One shot of the table, with its coverage."""
    film = ask.film
    film.table.row(ask.path["shot"])
    return _shot(film, ask.path["shot"])


def finished(ask: Ask) -> list[list[int]]:
    """The stretches, in pts, that are colorized and on the disk."""
    return sorted([part.start, part.stop] for part in ask.studio.finished(ask.film))


def poster(ask: Ask) -> Response:
    """A frame for the film's card: from a third of the film, in gray."""
    film = ask.film
    pts = film.analysis.at(len(film.analysis.times) // 3)
    return jpeg_answer(small(gray_picture(film.frame(pts), film.info, 640), 360), keep=True)


def table(ask: Ask) -> dict[str, Any]:
    """The table of shots as it is now."""
    return table_facts(ask.film)


def table_facts(film: OpenFilm) -> dict[str, Any]:
    """The table, ready for JSON."""
    with film.lock:
        history = film.history
        rows = history.table.rows
        return {
            "version": history.version,
            "can_undo": history.can_undo,
            "can_redo": history.can_redo,
            "saturation": film.saturation,
            "shots": [_shot(film, index) for index in range(len(rows))],
            "pool": [{"digest": r.digest, "name": r.path.name} for r in history.table.pool()],
        }


def _shot(film: OpenFilm, index: int) -> dict[str, Any]:
    row = film.table.rows[index]
    measured = film.coverage.of(index)
    stretches = None if measured is None else measured.stretches()
    states = {stretch.state for stretch in stretches or ()}
    return {
        "start": row.start,
        "stop": row.stop,
        "dissolve": row.dissolve,
        "gray": row.gray,
        "saturation": row.saturation,
        "note": row.note,
        "references": [
            {"digest": r.digest, "name": r.path.name, "at": r.at} for r in row.references
        ],
        "coverage": stretches and [[s.start, s.stop, s.state] for s in stretches],
        "verdict": "" if measured is None else measured.verdict(film.info),
        "needs": not row.gray and (not row.references or "uncovered" in states),
        "disagree": film.coverage.disagreement(index),
    }


def _times(film: OpenFilm) -> dict[str, Any]:
    """The pts of all frames: first, step and count where the rate is constant."""
    times = film.analysis.times
    steps = np.unique(np.diff(times)).tolist()
    if len(steps) <= 1:
        return {"first": int(times[0]), "step": steps[0] if steps else 1, "count": len(times)}
    return {"list": times.tolist()}


def losses(ask: Ask) -> dict[str, Any]:
    """What a profile would change or lose of the film, or why it cannot hold it."""
    options = RenderOptions.of(dict(ask.query))
    output = options.output(ask.film.path)
    facts = {"output": output.name, "exists": output.exists(), "refused": ""}
    try:
        return facts | {"lines": losses_of(ask.film, options)}
    except C2EError as error:
        return facts | {"lines": [], "refused": str(error)}
