"""How long the studio lets a person wait: from the scrubber to a gray frame, from its rest to a painted one.

    python -m benchmarks.studio

A drawn film is served as the command does, and asked over HTTP as the page does. Beside the time on the clock
stands the processor time of the whole process (server and client): on an idle machine of two cores the
clock shows about that or less, on a busy one it shows more.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np

from benchmarks.throughput import drawn, write_drawn
from c2e_video.pipeline.options import Options
from c2e_video.studio.app import build_app
from c2e_video.studio.server import ADDRESS, StudioServer, listen
from c2e_video.studio.studio import Studio
from c2e_video.utils.devices import configure_process

WIDTH, HEIGHT, FRAMES = 854, 480, 480
PLACES = 12  # frames that each kind of wait is measured at
STROKE = {"points": [[0.4, 0.5], [0.6, 0.5]], "radius": 0.03, "ab": [40, 20]}


@dataclass
class Waits:
    """Seconds of one kind of wait: on the clock, and of processor time."""

    name: str
    clock: list[float]
    processor: list[float]

    def line(self) -> str:
        """The medians in milliseconds."""
        clock, processor = (1000 * statistics.median(t) for t in (self.clock, self.processor))
        return f"{self.name:<46} {clock:8.0f} ms, processor {processor:6.0f} ms"


class Client:
    """Asks the studio at ``url`` for its one film."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.film: str = json.loads(self.ask("api/films", {"name": "film.mp4"}))["id"]
        while self.facts()["state"] != "ready":
            time.sleep(0.1)
        times = self.facts()["times"]
        self.times = [times["first"] + k * times["step"] for k in range(times["count"])]

    def facts(self) -> Any:
        return json.loads(self.ask(f"api/films/{self.film}"))

    def ask(self, path: str, body: Any = None) -> bytes:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data)) as answer:
            found: bytes = answer.read()
            return found

    def of_film(self, path: str, body: Any = None) -> bytes:
        return self.ask(f"api/films/{self.film}/{path}", body)

    def settle(self) -> None:
        """Wait until the coverage of all shots is measured: it is work beside."""
        while any(shot["coverage"] is None for shot in self.facts()["shots"]):
            time.sleep(0.1)


def waits(name: str, steps: Sequence[Callable[[], object]]) -> Waits:
    """The time of each step."""
    found = Waits(name, [], [])
    for step in steps:
        clock, processor = time.perf_counter(), time.process_time()
        step()
        found.clock.append(time.perf_counter() - clock)
        found.processor.append(time.process_time() - processor)
    return found


def keyframes(count: int) -> list[bytes]:
    """Painted frames of the drawn film, as PNG."""
    pictures: list[bytes] = []
    for number, gray in enumerate(drawn(FRAMES, WIDTH, HEIGHT)):
        if number % (FRAMES // count) == 0:
            ramp = np.linspace(-30, 30, WIDTH)[None] + 10 * len(pictures)
            bgr = np.stack([gray - ramp, gray, gray + ramp], 2).clip(0, 255).astype(np.uint8)
            pictures.append(cv2.imencode(".png", bgr)[1].tobytes())
    return pictures


def measure(client: Client) -> Iterator[Waits]:
    """Each kind of wait, at places spread over the film."""
    rng = np.random.default_rng(0)
    places = [client.times[int(k)] for k in rng.integers(0, FRAMES, PLACES)]

    def at(kind: str, pts: int, more: str = "") -> Callable[[], object]:
        return lambda: client.of_film(f"{kind}/{pts}{more}")

    first, *others = keyframes(4)
    upload = f"references?name=a.png&pts={client.times[0]}"
    client.of_film(upload, first)
    client.of_film(f"painted/{client.times[0]}?tab=a")  # the network is warm from here on
    client.settle()
    yield waits("scrubbing: a gray frame anywhere", [at("gray", pts) for pts in places])
    steps = [at("gray", pts) for pts in client.times[100 : 100 + PLACES]]
    yield waits("stepping: the next gray frame", steps[1:])
    backwards = [at("gray", pts) for pts in reversed(client.times[200 : 200 + PLACES])]
    yield waits("stepping back: the frame before", backwards[1:])
    yield waits("resting: the painted frame", [at("painted", pts, "?tab=a") for pts in places])
    changed = [at("painted", pts, "?tab=a&saturation=0.7") for pts in places]
    yield waits("saturation: the same frame again", changed)
    brush = {"strokes": [STROKE]}
    strokes = [partial(client.of_film, f"retouch/{pts}?tab=a", brush) for pts in places]
    yield waits("a stroke: spread and shown", strokes)

    def dropped(picture: bytes) -> None:
        placed = json.loads(client.of_film(f"references?name=b.png&pts={client.times[0]}", picture))
        client.of_film(f"painted/{placed['at'] or client.times[0]}?tab=a")

    yield waits("a drop: placed and painted anew", [partial(dropped, one) for one in others])


@contextmanager
def served(folder: Path, options: Options) -> Iterator[str]:
    """The address of a studio for ``folder``."""
    studio = Studio(folder, options)
    with listen(0) as listening:
        host = f"{ADDRESS}:{listening.getsockname()[1]}"
        server = StudioServer(build_app(studio, token="token", hosts=[host]), studio)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://{host}/token/"
        finally:
            server.should_exit = True
            thread.join()


@click.command()
@click.option("--weights", type=click.Path(path_type=Path), help="Other weights.")
@click.option("--size", default=256, show_default=True, help="Short side the network sees.")
def main(weights: Path | None, size: int) -> None:
    """Measure how long the studio lets a person wait."""
    configure_process()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_drawn(folder / "film.mp4", FRAMES, WIDTH, HEIGHT)
        with served(folder, Options(weights=weights, size=size)) as url:
            click.echo(f"{WIDTH}x{HEIGHT}, {FRAMES} frames; medians")
            for found in measure(Client(url)):
                click.echo(found.line())


if __name__ == "__main__":
    main()
