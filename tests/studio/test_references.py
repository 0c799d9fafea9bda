"""Pictures find their place; exported frames come back painted; broken files leave nothing behind."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from c2e_video.studio.references import LARGEST_UPLOAD
from c2e_video.studio.watch import time_of
from tests.media import luma_frames
from tests.studio.conftest import Page
from tests.waiting import wait_until


def colored_frame(folder: Path, number: int) -> bytes:
    """A frame of the film with colours over it, as PNG: what a painter makes."""
    gray = luma_frames(folder / "film.mp4")[number].astype(float)
    gray = (gray - 16) * 255 / 219
    ramp = np.linspace(-40, 40, gray.shape[1])[None, :]
    rgb = np.stack([gray + ramp, gray, gray - ramp], 2).clip(0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(rgb).resize((256, 192)).save(out, "PNG")
    return out.getvalue()


def upload(
    page: Page, film: str, content: bytes, name: str = "a.png", where: str = "&shot=0"
) -> Any:
    return page.post(f"/api/films/{film}/references?name={name}{where}", content=content)


def test_a_picture_that_is_a_frame_of_the_film_goes_to_its_own_place(
    page: Page, film: str, folder: Path
) -> None:
    answer = upload(page, film, colored_frame(folder, 14)).json()
    facts = page.film(film)
    wanted = facts["times"]["first"] + 14 * facts["times"]["step"]
    assert answer["shot"] == 1, answer["line"]
    assert abs(answer["at"] - wanted) <= facts["times"]["step"]
    assert "went to shot 2, not to shot 1" in answer["line"]
    assert facts["shots"][1]["references"][0]["at"] == answer["at"]
    assert not facts["shots"][0]["references"]
    assert "film.references/a.png" in (folder / "film.csv").read_text()


def test_a_picture_of_something_else_colours_the_shot_it_was_dropped_on(
    page: Page, film: str, reference: Path
) -> None:
    answer = upload(page, film, reference.read_bytes(), where="&shot=2").json()
    assert (answer["shot"], answer["at"]) == (2, None)
    pts = page.film(film)["shots"][1]["start"]
    assert upload(page, film, reference.read_bytes(), where=f"&pts={pts}").json()["shot"] == 1
    nowhere = upload(page, film, reference.read_bytes(), where="")
    assert nowhere.status_code == 400
    assert "drop it on the shot" in nowhere.json()["error"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.png", b"no picture", "not a picture"),
        ("a.exe", b"MZ", "no picture"),
        ("", b"MZ", "no picture"),
        ("../../a.png", b"", "a.png"),
    ],
)
def test_a_broken_upload_is_refused_and_leaves_nothing(
    page: Page, film: str, folder: Path, name: str, content: bytes, words: str
) -> None:
    answer = upload(page, film, content, name)
    assert answer.status_code == 400
    assert words in answer.json()["error"]
    left = folder / "film.references"
    assert not left.exists() or list(left.iterdir()) == []


def test_a_damaged_picture_is_refused_and_leaves_nothing(
    page: Page, film: str, folder: Path
) -> None:
    answer = upload(page, film, colored_frame(folder, 3)[:-2000])
    assert answer.status_code == 400
    assert list((folder / "film.references").iterdir()) == []


def test_an_enormous_upload_is_refused(page: Page, film: str, folder: Path) -> None:
    assert upload(page, film, b"x" * (LARGEST_UPLOAD + 1)).status_code == 413
    assert not (folder / "film.references").exists()


def test_a_gray_picture_is_refused(page: Page, film: str, folder: Path) -> None:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), (90, 90, 90)).save(out, "PNG")
    assert upload(page, film, out.getvalue()).status_code == 400


def test_the_name_of_an_upload_leads_nowhere(
    page: Page, film: str, folder: Path, reference: Path
) -> None:
    for name in ("../../x.png", "/tmp/x.png", "..%2F..%2Fx.png", "a%00b.png", "C:\\x.png"):
        assert upload(page, film, reference.read_bytes(), name).status_code == 200
    names = {path.parent for path in folder.parent.rglob("*.png")}
    assert names == {folder / "film.references", folder.parent}  # the fixture's own lies above
    assert all(not name.name.startswith(".") for name in (folder / "film.references").iterdir())


def test_an_exported_frame_comes_back_painted(page: Page, film: str, folder: Path) -> None:
    facts = page.film(film)
    pts = facts["times"]["first"] + 14 * facts["times"]["step"]
    answer = page.post(f"/api/films/{film}/still/{pts}").json()
    still = folder / answer["name"]
    assert still.parent.name == "film.stills"
    gray = cv2.imread(str(still), cv2.IMREAD_UNCHANGED)
    assert gray is not None
    assert gray.shape == (48, 64)
    again = page.post(f"/api/films/{film}/still/{pts}").json()
    assert "left as it is" in again["line"]
    still.write_bytes(colored_frame(folder, 14))
    wait_until(lambda: page.film(film)["shots"][1]["references"], 3)
    assert page.film(film)["shots"][1]["references"][0]["at"] == pts
    # Painted once more: the keyframe changes, and an undo brings the first one back.
    first = page.film(film)["pool"][0]["digest"]
    still.write_bytes(colored_frame(folder, 15))
    wait_until(lambda: page.film(film)["pool"][0]["digest"] != first, 3)
    assert page.post(f"/api/films/{film}/undo", {}).json()["pool"][0]["digest"] == first


def test_the_name_of_a_still_tells_its_time() -> None:
    assert time_of(Path("shot-0001_00-00-03.167.png")) == Fraction(3167, 1000)
    assert time_of(Path("shot-0001_-00-00-00.040.png")) == Fraction(-40, 1000)
    assert time_of(Path("holiday.png")) is None


def test_candidates_are_the_films_pictures_best_first(
    page: Page, film: str, folder: Path, reference: Path
) -> None:
    upload(page, film, colored_frame(folder, 14))
    upload(page, film, reference.read_bytes(), "b.png")
    found = page.get(f"/api/films/{film}/candidates/1").json()
    assert {entry["name"] for entry in found} == {"a.png", "b.png"}
    scores = [entry["score"] for entry in found if entry["score"] is not None]
    assert scores == sorted(scores, reverse=True)
    digest = found[0]["digest"]
    assert (
        page.get(f"/api/films/{film}/references/{digest}").headers["content-type"] == "image/jpeg"
    )
    assert len(page.get(f"/api/films/{film}/references/{digest}/colors").json()[0]) == 3
    assert page.get(f"/api/films/{film}/references/unknown").status_code == 404


def test_a_reference_is_used_for_another_shot_and_removed_again(
    page: Page, film: str, reference: Path
) -> None:
    upload(page, film, reference.read_bytes())
    digest = page.film(film)["pool"][0]["digest"]
    page.edit(film, "use", shot=2, digest=digest)
    again = page.edit(film, "use", shot=2, digest=digest)
    assert again.status_code == 400
    assert "already" in again.json()["error"]
    assert page.film(film)["shots"][2]["references"][0]["digest"] == digest
    page.edit(film, "remove", shot=2, digest=digest, at=None)
    assert page.film(film)["shots"][2]["references"] == []
    assert page.edit(film, "remove", shot=2, digest=digest, at=None).status_code == 404


def test_two_keyframes_that_disagree_are_named(page: Page, film: str, folder: Path) -> None:
    """One frame red, the next one blue."""
    for number, channel in ((12, 0), (16, 2)):
        gray = (luma_frames(folder / "film.mp4")[number].astype(float) - 16) * 255 / 219
        rgb = np.repeat(gray[..., None] * 0.4, 3, axis=2)
        rgb[..., channel] = gray * 0.4 + 140
        out = io.BytesIO()
        Image.fromarray(rgb.clip(0, 255).astype(np.uint8)).resize((256, 192)).save(out, "PNG")
        answer = upload(page, film, out.getvalue(), f"{number}.png", "&shot=1").json()
        assert answer["at"] is not None
    wait_until(lambda: page.film(film)["shots"][1]["disagree"])
    line = page.film(film)["shots"][1]["disagree"]
    assert "12.png" in line
    assert "16.png" in line


def test_every_shot_gets_a_curve_of_its_coverage(page: Page, film: str, folder: Path) -> None:
    upload(page, film, colored_frame(folder, 14))
    wait_until(lambda: all(shot["coverage"] for shot in page.film(film)["shots"]))
    for shot in page.film(film)["shots"]:
        times = [pts for pts, _, _ in shot["coverage"]]
        assert times == sorted(times)
        assert times[0] == shot["start"]
        assert {level for _, _, level in shot["coverage"]} <= {"covered", "fading", "uncovered"}
