"""References: candidates, uploads, exported frames, retouched frames."""

from __future__ import annotations

import math
from typing import Any

from starlette.responses import Response

from ...planning.coverage import state_of
from ..display import small
from ..references import Placed, export_still, keep_keyframe, swatches, take_upload
from .answers import Ask, jpeg_answer
from .films import table_facts
from .frames import retouched


def candidates(ask: Ask) -> list[dict[str, Any]]:
    """The film's pictures that show most of a shot, best first."""
    film, shot = ask.film, ask.path["shot"]
    own = {reference.digest for reference in film.table.row(shot).references}
    with ask.studio.turns.turn(f"candidates {ask.query.get('tab', '')}"):
        found = film.coverage.candidates(shot)
    return [
        {
            "digest": reference.digest,
            "name": reference.path.name,
            "score": None if math.isnan(score) else round(score, 3),
            "level": state_of(score),
            "own": reference.digest in own,
        }
        for reference, score in found
    ]


def picture(ask: Ask) -> Response:
    """A reference as a picture; ``small`` for a list."""
    image = ask.film.reference(ask.path["digest"]).image
    return jpeg_answer(small(image, 108) if "small" in ask.query else image, keep=True)


def colors(ask: Ask) -> list[list[int]]:
    """The colours that a reference has most of, as R, G, B."""
    return swatches(ask.film.reference(ask.path["digest"]))


def upload(ask: Ask) -> dict[str, Any]:
    """A picture was dropped: the body is the file, ``name`` its name, ``shot`` or ``pts`` where."""
    placed = take_upload(
        *(ask.film, ask.query.get("name", ""), ask.body),
        *(_query_number(ask, "shot"), _query_number(ask, "pts")),
    )
    return _answer(ask, placed)


def still(ask: Ask) -> dict[str, Any]:
    """Write the frame at ``pts`` to the watched folder."""
    path, line = export_still(ask.film, ask.path["pts"])
    return {"name": ask.studio.workspace.name_of(path), "line": line}


def keyframe(ask: Ask) -> dict[str, Any]:
    """The frame at ``pts`` with the body's ``strokes`` becomes a keyframe of its shot."""
    film, pts = ask.film, ask.path["pts"]
    reference = keep_keyframe(film, pts, retouched(ask, film, pts))
    index = film.table.index_at(pts)
    line = f"{reference.path.name} is a keyframe of shot {index + 1} now"
    return _answer(ask, Placed(index, pts, line))


def _answer(ask: Ask, placed: Placed) -> dict[str, Any]:
    facts = {"shot": placed.shot, "at": placed.at, "line": placed.line}
    return facts | {"table": table_facts(ask.film)}


def _query_number(ask: Ask, name: str) -> int | None:
    return Ask(ask.studio, ask.path, ask.query, b"").whole(name)
