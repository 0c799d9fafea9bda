"""Gray frames at once, painted frames when the scrubber rests, stale requests sent away."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from threading import Thread
from typing import Any

import cv2
import numpy as np
import pytest

from c2e_video.studio.errors import Overtaken
from c2e_video.studio.turns import Turns
from c2e_video.utils.arrays import Picture
from tests.media import luma, luma_frames, write_film
from tests.studio.conftest import Page
from tests.waiting import wait_until


def picture(answer: Any) -> Picture:
    """The answer's JPEG, B, G, R."""
    assert answer.status_code == 200, answer.text
    return np.asarray(
        cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR), np.uint8
    )


def chroma(shown: Picture) -> float:
    """How far the picture's channels are from gray, 0 to 255."""
    values = shown.astype(float)
    return float((values.max(2) - values.min(2)).mean())


@pytest.fixture
def colored(page: Page, film: str, reference: Path) -> str:
    """The film with a picture on its second shot."""
    answer = page.post(
        f"/api/films/{film}/references?name=a.png&shot=1", content=reference.read_bytes()
    )
    assert answer.status_code == 200, answer.text
    return film


def pts_in(page: Page, film: str, shot: int, frame: int = 3) -> int:
    facts = page.film(film)
    start: int = facts["shots"][shot]["start"]
    return start + frame * int(facts["times"]["step"])


def test_a_gray_frame_is_that_of_the_film(page: Page, film: str, folder: Path) -> None:
    lumas = luma_frames(folder / "film.mp4")
    times = page.film(film)["times"]
    for number in (0, 29, 5, 4, 17, 3):  # forward, backward, over cuts
        shown = picture(
            page.get(f"/api/films/{film}/gray/{times['first'] + number * times['step']}")
        )
        wanted = (lumas[number].astype(float) - 16) * 255 / 219
        assert np.abs(shown[..., 0] - wanted.clip(0, 255)).mean() < 3


def test_a_time_without_a_frame_is_not_found(page: Page, film: str) -> None:
    for pts in (-5, 1, 10**15):
        assert page.get(f"/api/films/{film}/gray/{pts}").status_code == 404
    assert page.get(f"/api/films/{film}/gray/now").status_code == 404


def test_thumbs_are_small(page: Page, film: str) -> None:
    first = page.film(film)["times"]["first"]
    for query in ("", "?sharp"):
        assert picture(page.get(f"/api/films/{film}/thumb/{first}{query}")).shape[0] <= 108


def test_a_shot_without_a_picture_is_not_painted(page: Page, film: str) -> None:
    assert page.get(f"/api/films/{film}/painted/{pts_in(page, film, 1)}").status_code == 204


def test_a_painted_frame_has_colour_and_the_films_luma(page: Page, colored: str) -> None:
    pts = pts_in(page, colored, 1)
    painted = picture(page.get(f"/api/films/{colored}/painted/{pts}"))
    gray = picture(page.get(f"/api/films/{colored}/gray/{pts}"))
    assert chroma(painted) > 2
    luma = cv2.cvtColor(painted, cv2.COLOR_BGR2YCrCb)[..., 0].astype(float)
    assert np.abs(luma - gray[..., 0]).mean() < 3


def test_saturation_acts_without_the_network(
    page: Page, colored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pts = pts_in(page, colored, 1)
    path = f"/api/films/{colored}/painted/{pts}"
    before = chroma(picture(page.get(path)))

    def forbidden(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(page.studio.engine.colorizer, "predict", forbidden)
    page.edit(colored, "saturation", shot=1, saturation=0.3)
    less = chroma(picture(page.get(path)))
    page.post(f"/api/films/{colored}/saturation", {"saturation": 0})
    none = chroma(picture(page.get(path)))
    assert none < 2 < less < 0.7 * before


def test_a_gray_shot_stays_gray(page: Page, colored: str) -> None:
    page.edit(colored, "gray", shot=1, gray=True)
    assert page.get(f"/api/films/{colored}/painted/{pts_in(page, colored, 1)}").status_code == 204


def test_a_preview_paints_with_another_picture_and_changes_nothing(
    page: Page, colored: str
) -> None:
    facts = page.film(colored)
    digest = facts["pool"][0]["digest"]
    answer = page.get(f"/api/films/{colored}/painted/{pts_in(page, colored, 0)}?with={digest}")
    assert chroma(picture(answer)) > 2
    assert page.film(colored)["version"] == facts["version"]
    unknown = page.get(f"/api/films/{colored}/painted/{pts_in(page, colored, 0)}?with=nothing")
    assert unknown.status_code == 404


def test_of_one_tabs_requests_those_overtaken_are_sent_away() -> None:
    turns, outcome = Turns(), []

    def ask(name: str, tab: str | None) -> None:
        try:
            with turns.turn(tab):
                outcome.append(f"{name} painted")
        except Overtaken:
            outcome.append(f"{name} overtaken")

    with turns.turn("other"):
        threads = []
        for name, tab in (
            *(("first", "a"), ("second", "a"), ("third", "b")),
            *(("kept", None), ("last", "a"), ("kept too", None)),
        ):
            threads.append(Thread(target=ask, args=(name, tab)))
            threads[-1].start()
            while turns.waiting < len(threads):
                pass
    for thread in threads:
        thread.join()
    assert sorted(outcome) == [
        "first overtaken",
        "kept painted",
        "kept too painted",
        "last painted",
        "second overtaken",
        "third painted",
    ]


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("turned.mp4", {"rotation": 90}),
        ("deep.mkv", {"pixel_format": "yuv420p10le"}),
        ("uneven.mkv", {"pts": [0, 40, 80, 90, 200, 240, 300, 301], "frames": 8}),
        ("wide.mp4", {"sar": Fraction(2)}),
        ("lossless.avi", {}),
    ],
)
def test_every_kind_of_film_is_shown_and_painted(
    page: Page, folder: Path, reference: Path, name: str, how: dict[str, Any]
) -> None:
    if "pts" in how:
        how = how | {"time_base": Fraction(1, 1000)}
    write_film(folder / name, **how)
    film = page.open(name)
    facts = page.film(film)
    assert facts["state"] == "ready", facts["error"]
    times = facts["times"]
    pts = times["list"] if "list" in times else [times["first"], times["first"] + times["step"]]
    content = reference.read_bytes()
    answer = page.post(f"/api/films/{film}/references?name=a.png&pts={pts[0]}", content=content)
    assert answer.status_code == 200, answer.text
    for time in pts:
        gray = picture(page.get(f"/api/films/{film}/gray/{time}"))
        painted = picture(page.get(f"/api/films/{film}/painted/{time}"))
        assert painted.shape == gray.shape
        assert chroma(painted) > 2
    shown = facts["aspect"]
    turned = how.get("rotation")
    assert shown == pytest.approx(48 / 64 if turned else 64 / 48 * how.get("sar", 1))
    assert (gray.shape[0] > gray.shape[1]) == bool(turned)


def test_a_folder_of_numbered_pictures_is_a_film_too(page: Page, folder: Path) -> None:
    scans = folder / "scans"
    scans.mkdir()
    for number in range(6):
        cv2.imwrite(str(scans / f"scan_{number:04d}.png"), luma(number))
    page.studio.open([scans])
    page.studio.worker.wake()
    film = page.get("/api/studio").json()["films"][0]["id"]
    wait_until(lambda: page.film(film)["state"] in ("ready", "failed"))
    facts = page.film(film)
    assert facts["state"] == "ready", facts["error"]
    assert facts["times"]["count"] == 6
    assert picture(page.get(f"/api/films/{film}/gray/{facts['times']['first']}")).shape[:2] == (
        48,
        64,
    )
    assert (folder / "scans.csv").is_file()
