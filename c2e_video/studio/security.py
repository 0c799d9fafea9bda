"""Who may ask: this machine's browser, with the token of the address that the command printed.

Every path begins with the token. A page of another site cannot know it; a request under another host name
(DNS rebinding) or from another origin is refused as well, whatever it knows.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    # Nothing is loaded from elsewhere, no script or style stands in the page itself.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def new_token() -> str:
    """A random token of 192 bits, safe in a URL."""
    return secrets.token_urlsafe(24)


class Gate:
    """ASGI middleware that lets through what bears the token, and comes from this machine's own page.

    Args:
        app: The application behind it. It sees paths without the token.
        token: The first part of every path.
        hosts: Accepted values of the ``Host`` header, such as ``127.0.0.1:8765``.
    """

    def __init__(self, app: ASGIApp, *, token: str, hosts: Iterable[str]) -> None:
        self.app, self.token = app, token
        self.hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if scope["type"] != "http":
            return
        send = _with_headers(send)
        if refusal:
            response = JSONResponse({"error": refusal}, status_code=403)
            await response(scope, receive, send)
            return
        prefix = f"/{self.token}"
        inner = dict(scope, path=scope["path"][len(prefix) :] or "/", root_path="")
        await self.app(inner, receive, send)

    def _refusal(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        if headers.get("host", "").lower() not in self.hosts:
            return "this host name is not served; open the address that c2e-video studio printed"
        origin = headers.get("origin")
        if origin is not None and not self._is_own(origin):
            return "requests of other pages are not answered"
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return "requests of other pages are not answered"
        first = scope["path"].split("/")[1] if scope["path"].startswith("/") else ""
        if not secrets.compare_digest(first.encode(), self.token.encode()):
            return "the address lacks its token; open the one that c2e-video studio printed"
        return None

    def _is_own(self, origin: str) -> bool:
        parts = urlsplit(origin)
        return parts.scheme == "http" and parts.netloc.lower() in self.hosts


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sending
