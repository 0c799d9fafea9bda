"""Edits of the table: each is on the disk at once, can be undone, and fits what two tabs do."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from c2e_video.references.table_file import read_table
from c2e_video.video.decode import probe
from tests.studio.conftest import Page
from tests.waiting import wait_until


def spans(table: Any) -> list[tuple[int, int]]:
    return [(shot["start"], shot["stop"]) for shot in table["shots"]]


def on_disk(folder: Path) -> list[tuple[int, int]]:
    """The shots in the table, at most half a millisecond off."""
    info = probe(folder / "film.mp4")
    return [(own.shot.start, own.shot.stop) for own in read_table(folder / "film.csv", info).shots]


def assert_saved(page: Page, film: str, folder: Path) -> None:
    info = probe(folder / "film.mp4")
    shown, saved = spans(page.film(film)), on_disk(folder)
    assert len(shown) == len(saved)
    for (a, b), (c, d) in zip(shown, saved, strict=True):
        assert abs(a - c) * info.time_base <= 0.001
        assert abs(b - d) * info.time_base <= 0.001


def test_split_and_merge_are_saved_and_undone(page: Page, film: str, folder: Path) -> None:
    before = page.film(film)
    first, step = before["times"]["first"], before["times"]["step"]
    middle = first + 5 * step
    after = page.edit(film, "split", pts=middle, version=before["version"]).json()
    assert spans(after)[:2] == [(first, middle), (middle, first + 10 * step)]
    assert_saved(page, film, folder)
    merged = page.edit(film, "merge", shot=0).json()
    assert spans(merged) == spans(before)
    assert_saved(page, film, folder)
    for expected in (after, before):
        undone = page.post(f"/api/films/{film}/undo", {}).json()
        assert spans(undone) == spans(expected)
        assert_saved(page, film, folder)
    assert not undone["can_undo"]
    assert page.post(f"/api/films/{film}/undo", {}).status_code == 400
    redone = page.post(f"/api/films/{film}/redo", {}).json()
    assert spans(redone) == spans(after)


def test_a_border_moves_by_frames_between_its_neighbours(
    page: Page, film: str, folder: Path
) -> None:
    before = page.film(film)
    step = before["times"]["step"]
    after = page.edit(film, "border", shot=1, frames=-2).json()
    assert spans(after)[1][0] == spans(before)[1][0] - 2 * step
    assert spans(after)[0][1] == spans(after)[1][0]
    assert_saved(page, film, folder)
    for shot, frames in ((1, -100), (1, 100), (0, 1), (7, 1)):
        assert page.edit(film, "border", shot=shot, frames=frames).status_code in (400, 404)
    assert spans(page.film(film)) == spans(after)


def test_a_split_at_a_shots_first_frame_or_beside_the_frames_is_refused(
    page: Page, film: str
) -> None:
    table = page.film(film)
    assert page.edit(film, "split", pts=table["shots"][1]["start"]).status_code == 400
    assert page.edit(film, "split", pts=table["shots"][1]["start"] + 1).status_code == 404
    assert page.edit(film, "merge", shot=2).status_code == 400
    assert page.edit(film, "merge", shot=-1).status_code == 404


def test_a_second_tab_with_an_old_version_changes_nothing(page: Page, film: str) -> None:
    version = page.film(film)["version"]
    assert page.edit(film, "merge", shot=0, version=version).status_code == 200
    late = page.edit(film, "merge", shot=0, version=version)
    assert late.status_code == 409
    assert "changed meanwhile" in late.json()["error"]
    assert len(page.film(film)["shots"]) == 2
    assert page.post(f"/api/films/{film}/undo", {"version": version}).status_code == 409


def test_a_table_that_another_program_changed_is_read_again(
    page: Page, film: str, folder: Path
) -> None:
    lines = (folder / "film.csv").read_text().splitlines()
    start, end = lines[1].split(",")[1], lines[3].split(",")[2]
    (folder / "film.csv").write_text(f"{lines[0]}\n1,{start},{end},cut,,\n")
    wait_until(lambda: len(page.film(film)["shots"]) == 1)
    assert page.film(film)["can_undo"]
    assert len(page.post(f"/api/films/{film}/undo", {}).json()["shots"]) == 3


def test_a_table_that_another_program_broke_is_told_and_not_taken(
    page: Page, film: str, folder: Path
) -> None:
    (folder / "film.csv").write_text("shot,start\n1,0\n")
    answer = page.edit(film, "merge", shot=0)
    assert answer.status_code in (200, 400)  # the watcher may have complained first
    assert len(page.film(film)["shots"]) in (2, 3)


def test_saturation_of_shot_and_film_are_bounded(page: Page, film: str) -> None:
    assert page.edit(film, "saturation", shot=0, saturation=1.5).status_code == 200
    assert page.film(film)["shots"][0]["saturation"] == 1.5
    for wrong in (-1, 5, "much", True):
        assert page.edit(film, "saturation", shot=0, saturation=wrong).status_code == 400
        assert page.post(f"/api/films/{film}/saturation", {"saturation": wrong}).status_code == 400
    assert (
        page.post(f"/api/films/{film}/saturation", {"saturation": 0.5}).json()["saturation"] == 0.5
    )


def test_the_table_keeps_gray_saturation_notes_and_columns_of_a_persons_own(
    page: Page, film: str, folder: Path
) -> None:
    table = folder / "film.csv"
    lines = table.read_text().splitlines()
    titled = [lines[0] + ",reel"] + [f"{line},reel {k}" for k, line in enumerate(lines[1:], 1)]
    table.write_text("\n".join(titled) + "\n")
    page.edit(film, "gray", shot=0, gray=True)
    page.edit(film, "saturation", shot=1, saturation=0.5)
    with open(table, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["reference"] for row in rows] == ["gray", "", ""]
    assert float(rows[1]["saturation"]) == 0.5
    assert [row["reel"] for row in rows] == ["reel 1", "reel 2", "reel 3"]
    page.post(f"/api/films/{film}/undo", {})
    page.post(f"/api/films/{film}/undo", {})
    with open(table, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["reference"] for row in rows] == ["", "", ""]
    assert [row["reel"] for row in rows] == ["reel 1", "reel 2", "reel 3"]


def test_an_unknown_action_or_a_missing_number_is_named(page: Page, film: str) -> None:
    assert "accepted: split" in page.edit(film, "explode").json()["error"]
    assert "pts is missing" in page.edit(film, "split").json()["error"]
    assert "whole number" in page.edit(film, "merge", shot="two").json()["error"]
