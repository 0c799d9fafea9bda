"""The server of the studio: on this machine only, until it is stopped."""

from __future__ import annotations

import socket
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from ..errors import C2EError
from ..pipeline.options import Options
from .app import build_app
from .security import new_token
from .studio import Studio

ADDRESS = "127.0.0.1"


def serve(
    folder: Path,
    films: Sequence[Path] = (),
    *,
    port: int = 0,
    options: Options | None = None,
    open_browser: bool = True,
    say: Callable[[str], None] = print,
) -> None:
    """Serve the studio until a signal ends it.

    Args:
        folder: The folder that is read and written.
        films: Films of the folder to put on the list.
        port: Port on 127.0.0.1; 0 takes a free one.
        options: Weights, device, precision and size of the network.
        open_browser: Whether to open the page in the user's browser.
        say: Prints a line: the address.

    Raises:
        C2EError: The port is taken, a film cannot be read, or the folder is none.
    """
    studio = Studio(folder, options)
    studio.open(films)
    listening = listen(port)
    port = listening.getsockname()[1]
    token = new_token()
    hosts = [f"{name}:{port}" for name in (ADDRESS, "localhost")]
    app = build_app(studio, token=token, hosts=hosts)
    url = f"http://{ADDRESS}:{port}/{token}/"
    say(f"the studio for {studio.workspace.folder} is at {url} (Ctrl-C ends it)")
    if open_browser:
        webbrowser.open(url)
    with listening:
        StudioServer(app, studio).run(sockets=[listening])


class StudioServer(uvicorn.Server):
    """The server, which ends the pages' event streams when it is to end."""

    def __init__(self, app: ASGIApp, studio: Studio) -> None:
        config = uvicorn.Config(
            app,
            access_log=False,  # it would show the token
            log_level="warning",
            lifespan="on",
            timeout_graceful_shutdown=2,
            server_header=False,
        )
        super().__init__(config)
        self.studio = studio

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams first: uvicorn waits for open requests."""
        self.studio.hub.close()
        await super().shutdown(sockets)


def listen(port: int) -> socket.socket:
    """A socket on 127.0.0.1; port 0 takes a free one. Raises :class:`C2EError` if it is taken."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((ADDRESS, port))
        # From here on connections wait: who opens the address at once is answered.
        listening.listen()
    except OSError as error:
        listening.close()
        raise C2EError(
            f"port {port} of {ADDRESS} cannot be used: {error.strerror}; choose another, 0 is any "
            "free one"
        ) from None
    return listening
