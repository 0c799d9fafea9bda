"""Edits of the table. Each names the version it was made for, and answers with the table as it is then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import RequestError
from ..table import MOST_SATURATION, ShotTable
from .answers import Ask
from .films import table_facts

Change = Callable[[ShotTable], ShotTable]


def edit(ask: Ask) -> dict[str, Any]:
    """Change the table: ``action`` is one of ``ACTIONS``, with the numbers it needs."""
    action = ACTIONS.get(ask.text("action"))
    if action is None:
        raise RequestError(f"unknown action {ask.text('action')!r}; accepted: {', '.join(ACTIONS)}")
    ask.film.edit(ask.whole("version"), action(ask))
    return table_facts(ask.film)


def undo(ask: Ask) -> dict[str, Any]:
    """Take the last edit back."""
    ask.film.undo(ask.whole("version"))
    return table_facts(ask.film)


def redo(ask: Ask) -> dict[str, Any]:
    """Do it again."""
    ask.film.redo(ask.whole("version"))
    return table_facts(ask.film)


def focus(ask: Ask) -> dict[str, Any]:
    """The shot that is looked at: it and its neighbours are measured first."""
    ask.film.coverage.focus = ask.needed("shot")
    return {}


def saturation(ask: Ask) -> dict[str, Any]:
    """The saturation of the whole film."""
    value = ask.number("saturation")
    if value is None or not 0 <= value <= MOST_SATURATION:
        raise RequestError(f"saturation is 0 to {MOST_SATURATION:g}, got {value}")
    ask.film.keep_setting("saturation", value)
    ask.film.hub.publish("table", film=ask.film.id, version=ask.film.history.version)
    return table_facts(ask.film)


def _split(ask: Ask) -> Change:
    pts = ask.needed("pts")
    ask.film.frame(pts)  # a frame begins there
    return lambda table: table.split(pts)


def _merge(ask: Ask) -> Change:
    shot = ask.needed("shot")
    return lambda table: table.merge(shot)


def _border(ask: Ask) -> Change:
    shot, frames = ask.needed("shot"), ask.needed("frames")
    analysis = ask.film.analysis

    def change(table: ShotTable) -> ShotTable:
        moved = analysis.at(analysis.index(table.row(shot).start) + frames)
        return table.move_border(shot, moved)

    return change


def _gray(ask: Ask) -> Change:
    shot, gray = ask.needed("shot"), ask.json.get("gray") is True
    return lambda table: table.set_gray(shot, gray)


def _saturation(ask: Ask) -> Change:
    shot, value = ask.needed("shot"), ask.number("saturation")
    return lambda table: table.set_saturation(shot, value)


def _use(ask: Ask) -> Change:
    """A picture that was given for the film becomes the shot's reference."""
    shot = ask.needed("shot")
    reference = ask.film.reference(ask.text("digest"))

    def change(table: ShotTable) -> ShotTable:
        if reference.digest in {r.digest for r in table.row(shot).references}:
            raise RequestError(f"shot {shot + 1} has {reference.path.name} already")
        return table.add(shot, reference.moved(None))

    return change


def _remove(ask: Ask) -> Change:
    shot, digest, at = ask.needed("shot"), ask.text("digest"), ask.whole("at")
    return lambda table: table.remove(shot, digest, at)


ACTIONS: dict[str, Callable[[Ask], Change]] = {
    "split": _split,
    "merge": _merge,
    "border": _border,
    "gray": _gray,
    "saturation": _saturation,
    "use": _use,
    "remove": _remove,
}
