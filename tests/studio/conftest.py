"""A studio over a folder with a short film, and a client of it without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from c2e_video.pipeline.options import Options
from tests.media import write_film
from tests.waiting import wait_until

pytest.importorskip("starlette")

from starlette.testclient import TestClient

from c2e_video.studio.app import build_app
from c2e_video.studio.studio import Studio

HOST = "127.0.0.1:8765"
TOKEN = "the-token"


@dataclass
class Page:
    """What a page does, without the page: requests with the token, as its own origin."""

    client: TestClient
    studio: Studio

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(f"/{TOKEN}{path}", **more)

    def post(self, path: str, json: Any = None, **more: Any) -> Any:
        headers = {"Origin": f"http://{HOST}"} | more.pop("headers", {})
        return self.client.post(f"/{TOKEN}{path}", json=json, headers=headers, **more)

    def open(self, name: str) -> str:
        """Open a film and wait until it is ready; its id."""
        answer = self.post("/api/films", {"name": name})
        assert answer.status_code == 200, answer.text
        film: str = answer.json()["id"]
        wait_until(lambda: self.film(film)["state"] in ("ready", "failed"))
        return film

    def film(self, film: str) -> Any:
        return self.get(f"/api/films/{film}").json()

    def edit(self, film: str, action: str, **more: Any) -> Any:
        return self.post(f"/api/films/{film}/edit", {"action": action} | more)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a film of three shots, 10, 12 and 8 frames of 64x48 at 25 a second, with sound."""
    folder = tmp_path / "films"
    folder.mkdir()
    write_film(folder / "film.mp4", shots=[10, 12, 8], b_frames=2, audio="aac")
    return folder


@pytest.fixture
def page(folder: Path, quick: Options) -> Iterator[Page]:
    studio = Studio(folder, quick)
    app = build_app(studio, token=TOKEN, hosts=[HOST])
    with TestClient(app, base_url=f"http://{HOST}") as client:
        yield Page(client, studio)


@pytest.fixture
def film(page: Page) -> str:
    """The id of the film, which is ready."""
    return page.open("film.mp4")
