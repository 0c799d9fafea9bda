"""From a request to a function, and from what it gives or raises to a response."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from ...errors import C2EError
from ...utils.arrays import Picture
from ..display import jpeg
from ..errors import Overtaken, RequestError, TooLarge
from ..film import OpenFilm
from ..studio import Studio

LARGEST_JSON = 4 << 20  # bytes of a request's body


@dataclass(frozen=True)
class Ask:
    """A request: the studio, the values in its path and query, and its body."""

    studio: Studio
    path: dict[str, Any]
    query: dict[str, str]
    body: bytes

    @property
    def film(self) -> OpenFilm:
        """The film that the path names."""
        return self.studio.library.film(self.path["film"])

    @property
    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises :class:`RequestError` if it is none."""
        try:
            sent = json.loads(self.body or b"{}")
        except ValueError:
            raise RequestError("the request's body is not JSON") from None
        if not isinstance(sent, dict):
            raise RequestError("the request's body is no JSON object")
        return sent

    def whole(self, name: str, default: int | None = None) -> int | None:
        """A whole number of the body or the query. Raises :class:`RequestError` for anything else."""
        value: Any = self.query.get(name)
        if value is None and self.body[:1] == b"{":
            value = self.json.get(name)
        if value is None:
            return default
        try:
            return int(value)
        except (TypeError, ValueError):
            raise RequestError(f"{name} is a whole number, got {value!r}") from None

    def needed(self, name: str) -> int:
        """The same for a number that must be there."""
        value = self.whole(name)
        if value is None:
            raise RequestError(f"{name} is missing")
        return value

    def number(self, name: str) -> float | None:
        """A number of the body, or None. Raises :class:`RequestError` for anything else."""
        value = self.json.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise RequestError(f"{name} is a number, got {value!r}")
        return float(value)

    def factor(self, name: str) -> float | None:
        """A number of the query, 0 to 16, or None. Raises :class:`RequestError` for anything else."""
        if name not in self.query:
            return None
        try:
            value = float(self.query[name])
        except ValueError:
            value = -1.0
        if not 0 <= value <= 16:
            raise RequestError(f"{name} is a number from 0 to 16, got {self.query[name]!r}")
        return value

    def text(self, name: str, default: str = "") -> str:
        """A text of the body. Raises :class:`RequestError` for anything else."""
        value = self.json.get(name, default)
        if not isinstance(value, str):
            raise RequestError(f"{name} is a text, got {value!r}")
        return value


def jpeg_answer(picture: Picture, *, keep: bool = False) -> Response:
    """A picture as JPEG. With ``keep`` the browser may show it again without asking."""
    headers = {"Cache-Control": "private, max-age=3600"} if keep else {}
    return Response(jpeg(picture), media_type="image/jpeg", headers=headers)


Answer = Callable[[Ask], Any]


def endpoint(
    answer: Answer, *, largest: int = LARGEST_JSON
) -> Callable[[Request], Awaitable[Response]]:
    """The ASGI endpoint of a function, which runs in a thread.

    What it gives is a response, or something ready for JSON. A :class:`C2EError` becomes
    ``{"error": line}`` with the error's status, 400 where it has none.
    """

    async def respond(request: Request) -> Response:
        try:
            body = await _bounded_body(request, largest)
            ask = Ask(
                request.app.state.studio, request.path_params, dict(request.query_params), body
            )
            given = await run_in_threadpool(answer, ask)
        except Overtaken:
            return Response(status_code=204, headers={"X-Overtaken": "yes"})
        except C2EError as error:
            return JSONResponse({"error": str(error)}, getattr(error, "status", 400))
        except ClientDisconnect:
            return Response(status_code=400)
        return given if isinstance(given, Response) else JSONResponse(given)

    return respond


async def _bounded_body(request: Request, largest: int) -> bytes:
    announced = request.headers.get("content-length", "0")
    if not announced.isdigit() or int(announced) > largest:
        raise _too_large(largest)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            raise _too_large(largest)
    return bytes(body)


def _too_large(largest: int) -> TooLarge:
    return TooLarge(f"this is too large; at most {largest >> 20} MiB are accepted")
