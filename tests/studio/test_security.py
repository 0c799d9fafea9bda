"""Only this machine's own page is answered, and only the studio's folder is read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.studio.conftest import HOST, TOKEN, Page
from tests.waiting import wait_until

PATHS = ("/", "/api/studio", "/api/folder", "/api/events", "/api/queue", "/static/app.js")


@pytest.mark.parametrize("path", PATHS)
def test_a_wrong_token_gets_nothing(page: Page, path: str) -> None:
    for token in ("", "wrong", TOKEN[:-1], TOKEN + "x"):
        answer = page.client.get(f"/{token}{path}")
        assert answer.status_code == 403
        assert list(answer.json()) == ["error"]


@pytest.mark.parametrize("path", PATHS)
def test_a_foreign_host_name_gets_nothing(page: Page, path: str) -> None:
    for host in ("evil.example", "evil.example:8765", "127.0.0.1", "127.0.0.1:9", "[::1]:8765"):
        assert page.get(path, headers={"Host": host}).status_code == 403


def test_a_foreign_origin_gets_nothing(page: Page) -> None:
    for origin in (
        "http://evil.example",
        "https://127.0.0.1:8765",
        "http://127.0.0.1:9",
        "null",
        "",
    ):
        answer = page.post("/api/films", {"name": "film.mp4"}, headers={"Origin": origin})
        assert answer.status_code == 403
        assert page.get("/api/studio", headers={"Origin": origin}).status_code == 403


def test_a_request_that_another_page_made_gets_nothing(page: Page) -> None:
    for site in ("cross-site", "same-site"):
        assert page.get("/api/studio", headers={"Sec-Fetch-Site": site}).status_code == 403
    assert page.get("/api/studio", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_answers_allow_nothing_from_elsewhere(page: Page) -> None:
    headers = page.get("/api/studio").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    "name",
    [
        "../secret.mp4",
        "/etc/passwd",
        "sub/../../secret.mp4",
        "..",
        "",
        ".hidden.mp4",
        "a\0b",
        "..\\x",
    ],
)
def test_a_name_that_leads_out_of_the_folder_is_refused(
    page: Page, folder: Path, name: str
) -> None:
    (folder.parent / "secret.mp4").write_bytes((folder / "film.mp4").read_bytes())
    (folder / ".hidden.mp4").write_bytes((folder / "film.mp4").read_bytes())
    (folder / "sub").mkdir()
    assert page.post("/api/films", {"name": name}).status_code == 403
    assert page.get("/api/studio").json()["films"] == []


def test_a_link_out_of_the_folder_is_not_followed(page: Page, folder: Path) -> None:
    (folder.parent / "secret.mp4").write_bytes((folder / "film.mp4").read_bytes())
    os.symlink(folder.parent / "secret.mp4", folder / "link.mp4")
    assert [entry["name"] for entry in page.get("/api/folder").json()] == ["film.mp4"]
    assert page.post("/api/films", {"name": "link.mp4"}).status_code == 403


def test_a_folder_of_references_that_is_a_link_out_is_not_written_to(
    page: Page, film: str, folder: Path, reference: Path
) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    os.symlink(outside, folder / "film.references")
    answer = page.post(
        f"/api/films/{film}/references?name=a.png&shot=0", content=reference.read_bytes()
    )
    assert answer.status_code == 403
    assert list(outside.iterdir()) == []


def test_files_of_the_film_that_are_links_out_are_not_written_through(
    page: Page, folder: Path
) -> None:
    for name in ("film.csv", "film.color.mp4", "film.color.mp4.c2e"):
        os.symlink(folder.parent / f"outside-{name}", folder / name)
    film = page.open("film.mp4")
    assert page.film(film)["state"] == "failed"
    assert "film.csv" in page.film(film)["error"]
    (folder / "film.csv").unlink()
    page.get(f"/api/films/{film}?retry")
    wait_until(lambda: page.film(film)["state"] == "ready")
    page.edit(film, "gray", shot=0, gray=True)
    page.post("/api/queue", {"film": film, "options": {}})
    wait_until(lambda: page.get("/api/queue").json()[0]["state"] == "failed")
    assert "is not in the studio's folder" in page.get("/api/queue").json()[0]["error"]
    assert not list(folder.parent.glob("outside-*"))


def test_static_files_do_not_lead_to_others(page: Page) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py"):
        assert page.get(path).status_code in (403, 404)


def test_a_table_that_names_pictures_outside_the_folder_is_refused(
    page: Page, folder: Path, reference: Path
) -> None:
    (folder / "film.csv").write_text(
        "shot,start,end,transition,reference,at\n1,0,1.2,cut,../reference.png,\n"
    )
    film = page.open("film.mp4")
    answer = page.film(film)
    assert answer["state"] == "failed"
    assert "reference.png" in answer["error"]


def test_a_body_above_the_limit_is_refused_before_it_is_read(page: Page, film: str) -> None:
    answer = page.post(
        f"/api/films/{film}/edit", content=b"x", headers={"Content-Length": str(1 << 40)}
    )
    assert answer.status_code == 413


def test_a_body_that_is_no_json_object_is_refused(page: Page, film: str) -> None:
    for body in (b"{", b"[1]", b"\xff\xfe", b'"text"'):
        answer = page.post(f"/api/films/{film}/edit", content=body)
        assert answer.status_code == 400
        assert "error" in answer.json()


def test_an_unknown_path_or_method_is_no_error_of_the_program(page: Page, film: str) -> None:
    assert page.get("/api/nothing").status_code == 404
    assert page.get("/api/films/unknown").status_code == 404
    assert page.get(f"/api/films/{film}/edit").status_code == 405
    assert page.client.get(f"http://{HOST}/").status_code == 403
