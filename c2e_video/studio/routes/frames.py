"""Pictures of a film: gray, colorized, finished, and small ones."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from ...utils.arrays import Picture
from ...video.frames import Frame
from ..display import gray_picture, small, upright
from ..engine import Prediction
from ..errors import RequestError
from ..film import OpenFilm
from ..retouch import Stroke
from .answers import Ask, jpeg_answer

SMALL = 108  # rows of a small picture


def gray(ask: Ask) -> Response:
    """The gray frame at ``pts``."""
    film = ask.film
    return jpeg_answer(gray_picture(film.frame(ask.path["pts"]), film.info), keep=True)


def thumb(ask: Ask) -> Response:
    """The gray frame at ``pts``, small: from the analysis at once, or decoded where ``sharp`` is given."""
    film = ask.film
    pts = ask.path["pts"]
    if "sharp" in ask.query:
        return jpeg_answer(
            small(gray_picture(film.frame(pts), film.info, 4 * SMALL), SMALL), keep=True
        )
    row = film.table.rows[film.table.index_at(pts)]
    picture = film.analysis.thumb_at(pts, row.start, row.stop)
    return jpeg_answer(upright(picture, film.info), keep=True)


@dataclass(frozen=True, eq=False)
class Colored:
    """A frame with what the network made of it, and the saturation it is shown with."""

    frame: Frame
    prediction: Prediction
    saturation: float


def painted(ask: Ask) -> Response:
    """The frame at ``pts``, colorized as the table says now, or with the reference ``with`` alone.

    ``tab`` names the page's tab: of its requests the newest is colorized, the others are answered with 204.
    ``saturation`` stands in for film's times shot's. A frame that stays gray is answered with 204.
    """
    colored = colorized(ask, ask.path["pts"], _tab(ask))
    if colored is None:
        return Response(status_code=204)
    saturation = ask.factor("saturation")
    if saturation is None:
        saturation = colored.saturation
    return jpeg_answer(ask.film.colors.render(colored.frame, colored.prediction, saturation))


def colorized(ask: Ask, pts: int, tab: str | None) -> Colored | None:
    """The frame with its colours, made in the turn of ``tab``; None if it stays gray."""
    film, only = ask.film, ask.query.get("with")
    frame = film.frame(pts)
    reference_map = film.map_at(pts, film.reference(only) if only else None)
    if reference_map is None:
        return None
    saturation = film.saturation * reference_map.saturation_at(pts)
    prediction = film.colors.kept(pts, reference_map)
    if prediction is None:
        with ask.studio.turns.turn(tab):
            prediction = film.colors.predict(frame, reference_map)
    return Colored(frame, prediction, saturation)


def finished(ask: Ask) -> Response:
    """The frame at ``pts`` of a stretch that is colorized already; 204 where it is not."""
    film, pts = ask.film, ask.path["pts"]
    picture = ask.studio.finished_frame(film, pts)
    return Response(status_code=204) if picture is None else jpeg_answer(picture)


def retouch(ask: Ask) -> Response:
    """The frame at ``pts`` with the body's ``strokes`` on it."""
    film, pts = ask.film, ask.path["pts"]
    base, edited = _retouched(ask, film, pts, _tab(ask))
    return jpeg_answer(film.colors.render(base.frame, edited, base.saturation))


def retouched(ask: Ask, film: OpenFilm, pts: int) -> Picture:
    """The same as a keyframe: in the film's own size, and before the saturation that is applied to it.

    It is made to be kept, so no newer request of the page sends it away.
    """
    base, edited = _retouched(ask, film, pts, None)
    return film.colors.render(base.frame, edited, 1.0, largest=None)


def _tab(ask: Ask) -> str:
    return ask.query.get("tab", "")


def _retouched(ask: Ask, film: OpenFilm, pts: int, tab: str | None) -> tuple[Colored, Prediction]:
    """The frame as it is colorized, and its prediction with the strokes on it."""
    sent = ask.json.get("strokes")
    if not isinstance(sent, list):
        raise RequestError("strokes are a list")
    strokes = [Stroke.of(one) for one in sent]
    base = colorized(ask, pts, tab)
    if base is None:
        raise RequestError(
            "this shot is left gray, or has no picture yet: there is no colour to retouch"
        )
    with ask.studio.turns.turn(tab):
        return base, ask.studio.retoucher.apply(base.prediction, strokes, film.info)
