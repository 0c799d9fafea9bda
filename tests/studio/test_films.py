"""Films are opened, described, remembered and taken off the list."""

from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient

from c2e_video.pipeline.options import Options
from c2e_video.studio.app import build_app
from c2e_video.studio.studio import Studio
from tests.studio.conftest import HOST, TOKEN, Page
from tests.waiting import wait_until


def test_the_folder_lists_its_films(page: Page) -> None:
    assert [entry["name"] for entry in page.get("/api/folder").json()] == ["film.mp4"]


def test_a_film_shows_its_size_rate_sound_and_shots(page: Page, film: str) -> None:
    card = page.get("/api/studio").json()["films"][0]
    assert (card["width"], card["height"], card["rate"]) == (64, 48, 25.0)
    assert card["sound"] == ["aac"]
    assert card["subtitles"] == []
    assert card["frames"] == 30
    shots = page.film(film)["shots"]
    assert shots[0]["start"] == page.film(film)["times"]["first"]
    assert len(shots) == 3


def test_opening_writes_the_table_that_plan_would_write(
    page: Page, film: str, folder: Path
) -> None:
    lines = (folder / "film.csv").read_text().splitlines()
    assert lines[0].startswith("shot,start,end,transition,reference,at")
    assert len(lines) == 4


def test_a_dropped_film_is_found_in_the_folder_by_name_and_size(page: Page, folder: Path) -> None:
    size = (folder / "film.mp4").stat().st_size
    assert page.post("/api/films", {"dropped": "film.mp4", "size": size}).status_code == 200
    answer = page.post("/api/films", {"dropped": "film.mp4", "size": size + 1})
    assert answer.status_code == 404
    assert "move it there" in answer.json()["error"]


def test_a_file_that_is_no_film_is_refused_in_one_line(page: Page, folder: Path) -> None:
    (folder / "broken.mp4").write_bytes(b"this is no film")
    answer = page.post("/api/films", {"name": "broken.mp4"})
    assert answer.status_code == 400
    assert "broken.mp4" in answer.json()["error"]


def test_the_list_survives_a_restart_of_the_server(
    page: Page, film: str, folder: Path, quick: Options
) -> None:
    again = Studio(folder, quick)
    app = build_app(again, token=TOKEN, hosts=[HOST])
    with TestClient(app, base_url=f"http://{HOST}") as client:
        other = Page(client, again)
        wait_until(lambda: other.film(film)["state"] == "ready")
        assert other.film(film)["shots"] == page.film(film)["shots"]


def test_a_film_taken_off_the_list_keeps_its_files(page: Page, film: str, folder: Path) -> None:
    before = sorted(path.name for path in folder.iterdir())
    assert page.client.delete(f"/{TOKEN}/api/films/{film}").status_code == 200
    assert page.get("/api/studio").json()["films"] == []
    assert page.get(f"/api/films/{film}").status_code == 404
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_film_removed_meanwhile_is_said_to_be_gone(page: Page, film: str, folder: Path) -> None:
    first = page.film(film)["times"]["first"]
    (folder / "film.mp4").unlink()
    for path in (f"/api/films/{film}/gray/{first}", f"/api/films/{film}/table"):
        answer = page.get(path)
        assert answer.status_code == 410
        assert "no longer there" in answer.json()["error"]
    assert page.edit(film, "merge", shot=0).status_code == 410
    assert page.get("/api/studio").json()["films"][0]["state"] == "gone"


def test_a_film_that_comes_back_is_there_again(page: Page, film: str, folder: Path) -> None:
    first = page.film(film)["times"]["first"]
    (folder / "film.mp4").rename(folder / "aside")
    assert page.get(f"/api/films/{film}/gray/{first}").status_code == 410
    (folder / "aside").rename(folder / "film.mp4")
    assert page.get(f"/api/films/{film}/gray/{first}").status_code == 200


def test_a_second_start_does_not_look_at_the_film_again(
    page: Page, film: str, folder: Path, quick: Options
) -> None:
    again = Studio(folder, quick)
    opened = again.library.film(film)
    opened.prepare()
    assert opened.state == "ready"
    assert opened.looked_at == 0


def test_losses_are_those_of_the_profile(page: Page, film: str) -> None:
    web = page.get(f"/api/films/{film}/losses?profile=web").json()
    assert web["output"] == "film.color.mp4"
    assert web["refused"] == ""
    assert page.get(f"/api/films/{film}/losses?profile=nonsense").status_code == 400
