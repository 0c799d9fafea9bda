"""The page in a real browser: Debian's chromium, driven by Playwright. Skipped where there is none."""

from __future__ import annotations

import csv
import shutil
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from c2e_video.inference.network import default_weights
from c2e_video.pipeline.options import Options
from c2e_video.studio.app import build_app
from c2e_video.studio.render_job import RunProgress
from c2e_video.studio.server import ADDRESS, StudioServer, listen
from c2e_video.studio.studio import Studio
from tests.media import luma_frames

SAMPLES = Path(__file__).parents[2] / "samples"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SIZE = 128  # short side the network sees: quick, and enough to know a red from a blue

pytestmark = [
    pytest.mark.weights,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no chromium (apt-get install chromium): the page is not tried"
    ),
]


@dataclass
class Browser:
    """The page of the studio, and what its console said."""

    page: Any
    url: str
    folder: Path
    console: list[str] = field(default_factory=list)

    def wait(self, selector: str) -> None:
        self.page.wait_for_selector(selector, timeout=90_000)

    def until(self, condition: str) -> None:
        """Wait until a JavaScript expression is true; the page itself forbids to wait by ``eval``."""
        deadline = time.monotonic() + 90
        while not self.page.evaluate(condition):
            assert time.monotonic() < deadline, f"it did not come true: {condition}"
            self.page.wait_for_timeout(30)

    def painted(self) -> None:
        """Wait for the painted frame of the time that is shown."""
        self.until("document.querySelector('#viewer').dataset.shown === 'painted'")

    def shots(self) -> int:
        return int(self.page.locator("#shots .shot").count())

    def color(self, x: float, y: float) -> list[float]:
        """The mean R, G, B around a place of the picture, in shares of its width and height."""
        found: list[float] = self.page.evaluate(
            """([x, y]) => {
              const canvas = document.getElementById('canvas');
              const context = canvas.getContext('2d');
              const [left, top] = [x * canvas.width - 4, y * canvas.height - 4];
              const data = context.getImageData(left, top, 8, 8).data;
              const sum = [0, 0, 0];
              for (let k = 0; k < data.length; k += 4)
                for (let c = 0; c < 3; c += 1) sum[c] += data[k + c] / 64;
              return sum;
            }""",
            [x, y],
        )
        return found

    def spread(self) -> float:
        """How far the channels of the right half of the picture are from gray, on the mean."""
        places = [(0.55 + 0.1 * i, 0.1 + 0.2 * j) for i in range(5) for j in range(5)]
        colors = [self.color(*place) for place in places]
        return sum(max(color) - min(color) for color in colors) / len(colors)

    def drop(self, selector: str, file: Path) -> None:
        """Drop a file on an element, as from a file manager."""
        content = list(file.read_bytes())
        transfer = self.page.evaluate_handle(
            """([name, content]) => {
              const transfer = new DataTransfer();
              const type = name.endsWith('.mp4') ? 'video/mp4' : 'image/jpeg';
              transfer.items.add(new File([new Uint8Array(content)], name, { type }));
              return transfer;
            }""",
            [file.name, content],
        )
        for kind in ("dragover", "drop"):
            self.page.dispatch_event(selector, kind, {"dataTransfer": transfer})

    def brush(self, *points: tuple[float, float]) -> None:
        """Brush through places of the picture."""
        box = self.page.locator("#overlay").bounding_box()
        at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        self.page.mouse.move(*at[0])
        self.page.mouse.down()
        for place in at[1:]:
            self.page.mouse.move(*place, steps=4)
        self.page.mouse.up()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: the page is not tried"
    )
    if not default_weights().exists():
        pytest.skip("the shipped weights are not there")
    folder = tmp_path / "films"
    folder.mkdir()
    shutil.copy(SAMPLES / "film.mp4", folder)
    studio = Studio(folder, Options(device="cpu", size=SIZE))
    with listen(0) as listening, playwright.sync_playwright() as driver:
        host = f"{ADDRESS}:{listening.getsockname()[1]}"
        app = build_app(studio, token="token", hosts=[host])
        server = StudioServer(app, studio)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = chromium.new_page(viewport={"width": 1366, "height": 900})
            found = Browser(page, f"http://{host}/token/", folder)
            page.on(
                "console",
                lambda message: (
                    found.console.append(f"{message.text} {message.location['url']}")
                    if message.type in ("error", "warning")
                    else None
                ),
            )
            page.on("pageerror", lambda error: found.console.append(str(error)))
            yield found
            chromium.close()
        finally:
            server.should_exit = True
            thread.join(30)


@pytest.fixture
def first_run_waits_for_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first run paints one batch and goes on when it is stopped: 36 small frames may take less
    than the click on the button.
    """
    advance, held = RunProgress.advance, list[bool]()

    def held_once(progress: RunProgress, frames: int) -> None:
        advance(progress, frames)
        if progress.job.stage == "colorizing" and not held:
            held.append(True)
            assert progress._stop.wait(90), "the run was not stopped"

    monkeypatch.setattr(RunProgress, "advance", held_once)


def test_a_film_is_opened_edited_painted_and_finished_in_the_browser(
    browser: Browser, first_run_waits_for_stop: None
) -> None:
    page = browser.page
    page.goto(browser.url)
    browser.wait("#empty")
    assert "Drop a film here" in page.inner_text("#empty")

    opened_by_dropping_it(browser)
    frames_are_scrubbed_and_painted(browser)
    keyframe_dropped_on_its_shot(browser)
    shots_split_and_merged_with_undo(browser)
    saturation_acts_on_the_picture(browser)
    region_retouched(browser)
    range_painted_stopped_and_resumed(browser)
    assert_the_table_on_disk_is_the_one_shown(browser)
    assert browser.console == []


def opened_by_dropping_it(browser: Browser) -> None:
    browser.drop("#films-view", browser.folder / "film.mp4")
    browser.wait("#film-view")
    browser.until("document.querySelectorAll('#shots .shot').length === 4")
    browser.until("document.querySelectorAll('#shots .curve i.uncovered').length === 4")
    assert "film.mp4" in browser.page.title()


def frames_are_scrubbed_and_painted(browser: Browser) -> None:
    """A picture for the first shot, by the file dialog; then the scrubber rests on a frame of it."""
    page = browser.page
    browser.until("document.querySelector('#viewer').dataset.shown === 'gray'")
    assert browser.spread() < 6
    page.set_input_files("#add-picture", str(SAMPLES / "keyframe-1.jpg"))
    browser.until("document.querySelectorAll('#keyframes li').length === 1")
    box = page.locator("#timeline").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 50)
    page.mouse.down()
    for step in range(5):
        page.mouse.move(box["x"] + 20 + 20 * step, box["y"] + 50)
    page.mouse.up()
    assert 0 < int(page.get_attribute("#timeline", "aria-valuenow")) < 60
    browser.painted()
    assert browser.spread() > 12
    page.keyboard.down("b")
    browser.until("document.querySelector('#viewer').dataset.shown === 'gray'")
    assert browser.spread() < 6
    page.keyboard.up("b")
    browser.painted()


def keyframe_dropped_on_its_shot(browser: Browser) -> None:
    page = browser.page
    browser.drop("#shot-1", SAMPLES / "keyframe-2.jpg")
    browser.until("/keyframe-2.jpg is the frame at/.test(document.body.innerText)")
    browser.until("/a keyframe of its own/.test(document.querySelector('#shot-1').innerText)")
    assert "shot 2 of 4" in page.inner_text("#where")
    browser.painted()
    browser.until("document.querySelector('#shot-1 .curve i.covered') !== null")
    # A picture that is dropped on a wrong shot goes to its own and says so.
    browser.drop("#shot-1", SAMPLES / "keyframe-3.jpg")
    browser.until("/it went to shot 3, not to shot 2/.test(document.body.innerText)")
    page.keyboard.press("z")
    browser.until("!/a keyframe of its own/.test(document.querySelector('#shot-2').innerText)")


def shots_split_and_merged_with_undo(browser: Browser) -> None:
    page = browser.page
    page.click("#shot-1")
    page.keyboard.press("s")
    browser.until("document.querySelectorAll('#shots .shot').length === 5")
    page.keyboard.press("z")
    browser.until("document.querySelectorAll('#shots .shot').length === 4")
    page.keyboard.press("Shift+Z")
    browser.until("document.querySelectorAll('#shots .shot').length === 5")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("m")
    browser.until("document.querySelectorAll('#shots .shot').length === 4")
    page.keyboard.press("g")
    browser.until("/left gray/.test(document.querySelector('#shot-1').innerText)")
    page.keyboard.press("z")
    browser.until("!/left gray/.test(document.querySelector('#shot-1').innerText)")


def saturation_acts_on_the_picture(browser: Browser) -> None:
    page = browser.page
    page.click("#shot-1")
    browser.painted()
    before = browser.spread()
    for value, least, most in (("0", 0, 0.4), ("1", 0.9, 1.1)):
        page.locator("#shot-saturation").fill(value)  # and lets the slider go
        deadline = time.monotonic() + 20
        while not least * before <= browser.spread() <= most * before:
            assert time.monotonic() < deadline, f"saturation {value} did not show"
            page.wait_for_timeout(50)


def region_retouched(browser: Browser) -> None:
    """The suit of the second shot, orange, is brushed green, and painted anew from that keyframe."""
    page = browser.page
    suit, stroke = (0.15, 0.93), [(0.12, 0.95), (0.2, 0.9)]
    page.click("#shot-1")
    page.click("#tab-retouch")
    browser.until("document.querySelector('#divider').hidden")
    browser.painted()
    red, green, _ = browser.color(*suit)
    assert red > green + 20
    wheel = page.locator("#wheel").bounding_box()
    page.mouse.click(wheel["x"] + 0.25 * wheel["width"], wheel["y"] + 0.3 * wheel["height"])
    browser.brush(*stroke)
    browser.until("document.querySelector('#strokes-count').textContent === '1 stroke'")
    browser.until("document.querySelector('#viewer-note').textContent === ''")
    red, green, _ = browser.color(*suit)
    assert green > red + 10
    page.keyboard.press("z")
    browser.until("document.querySelector('#strokes-count').textContent === ''")
    brushed_with_the_keyboard_alone(browser)
    color = page.get_attribute("#brush-color", "aria-label")
    page.click("#eyedropper")
    page.click("#frame-first", position={"x": 40, "y": 20})
    assert page.get_attribute("#brush-color", "aria-label") != color
    page.mouse.click(wheel["x"] + 0.25 * wheel["width"], wheel["y"] + 0.3 * wheel["height"])
    browser.brush(*stroke)
    page.click("#use-keyframe")
    browser.until("/is a keyframe of shot 2 now/.test(document.body.innerText)")
    browser.painted()
    red, green, _ = browser.color(*suit)
    assert green > red + 5  # the network's own colours from the new keyframe
    page.click("#tab-references")
    browser.until("document.querySelectorAll('#keyframes li').length === 2")
    browser.until("document.querySelectorAll('#candidates li').length >= 2")


def brushed_with_the_keyboard_alone(browser: Browser) -> None:
    page = browser.page
    page.focus("#overlay")
    for key in ("ArrowLeft", "Space", "ArrowLeft", "ArrowUp", "Space"):
        page.keyboard.press(key)
    browser.until("document.querySelector('#strokes-count').textContent === '1 stroke'")
    page.keyboard.press("z")
    browser.until("document.querySelector('#strokes-count').textContent === ''")


def range_painted_stopped_and_resumed(browser: Browser) -> None:
    page = browser.page
    page.click("#go-paint")
    page.check("input[name=range][value=stretch]")
    page.select_option("#paint-quality", "draft")
    page.fill("#paint-start", "00:00:02.500")
    page.fill("#paint-end", "00:00:04.000")
    page.locator("#paint-end").dispatch_event("change")  # a field of text is filled without one
    browser.until(
        "/film.color.from-00-00-02.500.to/.test(document.querySelector('#losses').innerText)"
    )
    page.click("#paint-start-button")
    browser.until(
        "/painting · [1-9][0-9]* of 36 frames/.test(document.querySelector('#queue-film').innerText)"
    )
    page.route("**/queue/*/stop", lambda route: answered_late(route, browser.url))
    with page.expect_response("**/queue/*/stop"):
        pressed_while_its_list_is_made_anew(browser, "#queue-film button:has-text('Stop')")
    browser.wait("#queue-film [data-state=stopped]")
    page.reload()
    browser.wait("#film-view")
    page.click("#go-paint")
    page.click("#queue-film button:has-text('Resume')")
    browser.wait("#queue-film [data-state=done]")
    browser.wait("#finished-video")
    browser.until("document.querySelector('#finished-video').readyState >= 1")
    finished_stretch_plays(browser)
    output = browser.folder / "film.color.from-00-00-02.500.to-00-00-04.000.mp4"
    assert len(luma_frames(output)) == 36


def answered_late(route: Any, url: str) -> None:
    """The answer that the run is stopping comes after the news that it has stopped."""
    answer = route.fetch()
    while "stopping" in urllib.request.urlopen(f"{url}api/queue").read().decode():
        time.sleep(0.05)
    time.sleep(0.5)  # the page has read the news
    route.fulfill(response=answer)


def pressed_while_its_list_is_made_anew(browser: Browser, button: str) -> None:
    """News of the run come between the press and the release: it is a click all the same."""
    page = browser.page
    box = page.locator(button).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.evaluate("import('./static/store.js').then(({ changed }) => changed('queue'))")
    page.mouse.up()


def finished_stretch_plays(browser: Browser) -> None:
    """What is on the disk is played, not the network's."""
    page = browser.page
    page.locator("#timeline").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("l")
    browser.until("document.querySelector('#viewer').dataset.shown === 'finished'")
    page.keyboard.press("k")
    browser.painted()


def assert_the_table_on_disk_is_the_one_shown(browser: Browser) -> None:
    """Row by row: times to the millisecond, pictures, the frames they are."""
    shown = browser.page.evaluate(
        """async () => {
          const { store } = await import('./static/store.js');
          const time = (pts) => store.times.timecode(pts);
          return store.film.shots.flatMap(({ start, stop, references }, index) =>
            (references.length ? references : [{ name: '', at: null }]).map(({ name, at }) =>
              [String(index + 1), time(start), time(stop), name, at === null ? '' : time(at)]));
        }"""
    )
    with open(browser.folder / "film.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    saved = [
        [row["shot"], row["start"], row["end"], Path(row["reference"]).name, row["at"]]
        for row in rows
    ]
    assert saved == shown
    assert len(shown) == 5  # four shots, of which the second has two keyframes
