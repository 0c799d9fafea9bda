"""The queue: what the command line would paint, stopped, resumed, remembered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import current_thread
from typing import Any

import numpy as np
import pytest

from c2e_video.errors import C2EError
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from c2e_video.studio import render_queue
from c2e_video.studio.render_job import RunProgress
from c2e_video.studio.studio import Studio
from c2e_video.studio.workspace import Workspace
from tests.media import luma_frames, video_pts
from tests.studio.conftest import Page
from tests.studio.test_frames import chroma, picture
from tests.waiting import wait_until


@pytest.fixture
def ready(page: Page, film: str, reference: Path) -> str:
    """The film with a picture for every shot."""
    page.post(f"/api/films/{film}/references?name=a.png&shot=0", content=reference.read_bytes())
    return film


def add(page: Page, film: str, **options: str) -> Any:
    return page.post("/api/queue", {"film": film, "options": options})


def entry(page: Page) -> Any:
    return page.get("/api/queue").json()[0]


def test_a_queued_film_is_painted_and_played_in_ranges(
    page: Page, ready: str, folder: Path
) -> None:
    assert add(page, ready, profile="web").status_code == 200
    wait_until(lambda: entry(page)["state"] in ("done", "failed"), 60)
    assert entry(page)["state"] == "done", entry(page)["error"]
    output = folder / "film.color.mp4"
    assert video_pts(output) == video_pts(folder / "film.mp4")
    assert len(luma_frames(output)) == 30
    job = entry(page)["id"]
    part = page.get(f"/api/queue/{job}/output", headers={"Range": "bytes=10-19"})
    assert part.status_code == 206
    assert part.content == output.read_bytes()[10:20]
    assert (folder / "film.color.mp4.json").is_file()


def test_a_stretch_is_painted_under_a_name_of_its_own(page: Page, ready: str, folder: Path) -> None:
    add(page, ready, profile="web", start="00:00:00.400", end="00:00:00.800")
    wait_until(lambda: entry(page)["state"] in ("done", "failed"), 60)
    assert entry(page)["error"] == ""
    output = folder / "film.color.from-00-00-00.400.to-00-00-00.800.mp4"
    assert len(luma_frames(output)) == 10


def test_a_run_is_stopped_kept_and_resumed(
    page: Page, ready: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance = RunProgress.advance

    def stop_once(progress: RunProgress, frames: int) -> None:
        if progress.job.stage == "colorizing" and progress.job.done >= 8 and not stopped:
            stopped.append(progress.job.done)
            page.studio.queue.stop(progress.job.id)
        advance(progress, frames)

    stopped: list[int] = []
    monkeypatch.setattr(RunProgress, "advance", stop_once)
    add(page, ready, profile="web")
    wait_until(lambda: entry(page)["state"] in ("stopped", "done", "failed"), 60)
    assert entry(page)["state"] == "stopped"
    assert not (folder / "film.color.mp4").exists()
    assert "goes on at" in entry(page)["kept"]
    facts = page.film(ready)
    ((start, stop),) = facts["finished"]
    assert start == facts["times"]["first"]
    assert (stop - start) // facts["times"]["step"] >= 8
    kept = picture(page.get(f"/api/films/{ready}/finished/{start}"))
    assert chroma(kept) > 2
    assert page.get(f"/api/films/{ready}/finished/{stop}").status_code == 204
    job = entry(page)["id"]
    assert page.get(f"/api/queue/{job}/picture").status_code == 200
    assert page.get(f"/api/queue/{job}/output").status_code == 404
    page.post(f"/api/queue/{job}/start", {})
    wait_until(lambda: entry(page)["state"] in ("done", "failed"), 60)
    assert entry(page)["state"] == "done", entry(page)["error"]
    assert len(luma_frames(folder / "film.color.mp4")) == 30
    facts = page.film(ready)
    assert facts["finished"] == [[start, facts["stop"]]]
    for number in (0, 25, 3):  # forward and back
        pts = start + number * facts["times"]["step"]
        assert page.get(f"/api/films/{ready}/finished/{pts}").status_code == 200
    whole = picture(page.get(f"/api/films/{ready}/finished/{start}"))
    assert np.abs(whole.astype(float) - kept).mean() < 6  # by another way, and compressed


def test_a_stop_that_comes_after_the_last_frame_leaves_a_film_that_is_done(
    page: Page, ready: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped_late(*given: Any, **options: Any) -> Any:
        result = colorize_video(*given, **options)
        page.studio.queue.stop(entry(page)["id"])
        seen.append(entry(page)["state"])
        return result

    seen: list[str] = []
    monkeypatch.setattr(render_queue, "colorize_video", stopped_late)
    add(page, ready, profile="web")
    wait_until(lambda: entry(page)["state"] in ("done", "failed"), 60)
    assert seen == ["stopping"]
    assert len(luma_frames(folder / "film.color.mp4")) == 30
    page.studio.queue.stop(entry(page)["id"])
    assert entry(page)["state"] == "done"


def test_a_shot_left_gray_is_painted_gray(page: Page, ready: str, folder: Path) -> None:
    page.edit(ready, "gray", shot=1, gray=True)
    page.edit(ready, "saturation", shot=2, saturation=0.5)
    add(page, ready, profile="web")
    wait_until(lambda: entry(page)["state"] in ("done", "failed"), 60)
    assert entry(page)["error"] == ""
    facts = page.film(ready)
    shown = [
        chroma(picture(page.get(f"/api/films/{ready}/finished/{shot['start']}")))
        for shot in facts["shots"]
    ]
    assert shown[1] < 1 < shown[2] < 0.8 * shown[0]


def test_a_film_that_waits_is_painted_after_a_restart(
    page: Page, ready: str, folder: Path, quick: Options
) -> None:
    page.studio.queue.close()  # nothing is painted any more
    add(page, ready, profile="web")
    again = Studio(folder, quick)
    again.start()
    try:
        wait_until(lambda: again.queue.jobs()[0]["state"] in ("done", "failed"), 60)
        assert again.queue.jobs()[0]["error"] == ""
        assert (folder / "film.color.mp4").is_file()
    finally:
        again.close()


def test_what_is_there_already_is_said_before_it_is_replaced(
    page: Page, ready: str, folder: Path
) -> None:
    assert not page.get(f"/api/films/{ready}/losses?profile=web").json()["exists"]
    (folder / "film.color.mp4").write_bytes(b"made before")
    assert page.get(f"/api/films/{ready}/losses?profile=web").json()["exists"]


def test_a_run_that_no_longer_fits_the_table_says_what_to_do(
    page: Page, ready: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance = RunProgress.advance

    def stop_once(progress: RunProgress, frames: int) -> None:
        if progress.job.stage == "colorizing" and progress.job.done >= 8 and not stopped:
            stopped.append(True)
            page.studio.queue.stop(progress.job.id)
        advance(progress, frames)

    stopped: list[bool] = []
    monkeypatch.setattr(RunProgress, "advance", stop_once)
    add(page, ready, profile="web")
    wait_until(lambda: entry(page)["state"] in ("stopped", "done", "failed"), 60)
    page.edit(ready, "merge", shot=0)
    job = entry(page)["id"]
    page.post(f"/api/queue/{job}/start", {})
    wait_until(lambda: entry(page)["state"] in ("done", "failed"), 60)
    assert "begin it anew" in entry(page)["error"]
    page.post(f"/api/queue/{job}/restart", {})
    wait_until(lambda: entry(page)["state"] in ("done", "failed"), 60)
    assert entry(page)["state"] == "done", entry(page)["error"]


def test_a_film_with_a_shot_without_pictures_fails_in_one_line(page: Page, film: str) -> None:
    add(page, film, profile="web")
    wait_until(lambda: entry(page)["state"] == "failed", 30)
    assert "has no picture" in entry(page)["error"]


def test_what_ran_when_the_server_ended_is_stopped_after_a_restart(
    page: Page, ready: str, folder: Path, quick: Options
) -> None:
    page.studio.queue.close()  # nothing is painted any more
    add(page, ready, profile="web")
    add(page, ready, profile="archive")
    kept = page.studio.workspace.load("queue.json")
    kept[0]["state"] = "painting"
    page.studio.workspace.save("queue.json", kept)
    again = Studio(folder, quick)
    assert [(job["state"], job["options"]["profile"]) for job in again.queue.jobs()] == [
        ("stopped", "web"),
        ("waiting", "archive"),
    ]


def test_the_queue_is_reordered_and_emptied(page: Page, ready: str) -> None:
    page.studio.queue.close()
    for profile in ("web", "master", "archive"):
        assert add(page, ready, profile=profile).status_code == 200
    names = [job["options"]["profile"] for job in page.get("/api/queue").json()]
    assert names == ["web", "master", "archive"]
    last = page.get("/api/queue").json()[2]["id"]
    moved = page.post(f"/api/queue/{last}/move", {"place": 0}).json()
    assert [job["options"]["profile"] for job in moved] == ["archive", "web", "master"]
    assert len(page.post(f"/api/queue/{last}/remove", {}).json()) == 2
    assert page.post(f"/api/queue/{last}/remove", {}).status_code == 404
    assert page.post(f"/api/queue/{moved[1]['id']}/explode", {}).status_code == 400
    assert page.post(f"/api/queue/{moved[1]['id']}/move", {}).status_code == 400


def test_options_that_are_none_are_refused(page: Page, ready: str) -> None:
    refused: list[Any] = [
        {"profile": "nonsense"},
        {"quality": "nonsense"},
        {"start": "tomorrow"},
        {"start": "2", "end": "1"},
        {"output": "/etc/passwd"},
        {"start": 3},
        [],
    ]
    for options in refused:
        answer = page.post("/api/queue", {"film": ready, "options": options})
        assert answer.status_code == 400, options
    assert page.post("/api/queue", {"film": "unknown"}).status_code == 404
    assert page.get("/api/queue").json() == []


def test_the_queue_is_kept_by_requests_and_by_its_thread_at_once(page: Page, ready: str) -> None:
    page.studio.queue.close()
    add(page, ready, profile="web")
    queue = page.studio.queue
    with ThreadPoolExecutor(8) as pool:
        for saved in [pool.submit(queue._changed) for _ in range(200)]:
            saved.result()
    assert page.studio.workspace.load("queue.json")[0]["state"] == "waiting"


def test_a_queue_that_cannot_be_kept_on_the_disk_paints_on(
    page: Page, ready: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Workspace, name: str, state: Any) -> None:
        if current_thread().name == "studio-painting":
            raise C2EError("cannot write: no space left")

    monkeypatch.setattr(Workspace, "save", full)
    add(page, ready, profile="web")
    wait_until(lambda: entry(page)["state"] in ("done", "failed"), 60)
    job = entry(page)["id"]
    page.post(f"/api/queue/{job}/restart", {})  # the thread is still there
    wait_until(lambda: entry(page)["state"] in ("waiting", "painting"))
    wait_until(lambda: entry(page)["state"] in ("done", "failed"), 60)
    assert entry(page)["state"] == "done", entry(page)["error"]
