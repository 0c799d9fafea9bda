"""Work survives: kills at any moment, full disks, vanished folders, damaged parts, hostile films."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from tests.factories import color_noise
from tests.media import picture_digests, video_pts, write_film
from tests.runner import Runner

Digests = list[tuple[int | None, str]]
SHOTS = (16, 16, 16)
FOLDER = "out.mkv.c2e"

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    server = Runner()
    yield server
    server.close()


@pytest.fixture(scope="module")
def words(tiny_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Arguments of a quick run of ``film.mkv`` to ``out.mkv``, lossless, two parts for each shot."""
    reference = tmp_path_factory.mktemp("reference") / "reference.png"
    cv2.imwrite(str(reference), color_noise(0))
    options = {"--weights": tiny_weights, "--ref": reference, "--size": 32, "--batch": 4}
    options |= {"--device": "cpu", "--precision": "fp32", "--codec": "ffv1", "-o": "out.mkv"}
    return ["film.mkv", *(str(word) for pair in options.items() for word in pair)]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of three shots with sound."""
    path = tmp_path_factory.mktemp("film") / "film.mkv"
    return write_film(path, shots=SHOTS, codec="ffv1", audio="flac")


@pytest.fixture
def place(tmp_path: Path, film: Path) -> Path:
    """A folder with the film in it."""
    folder = tmp_path / "place"
    folder.mkdir()
    shutil.copy(film, folder)
    return folder


@pytest.fixture(scope="module")
def whole(runner: Runner, film: Path, words: list[str]) -> Digests:
    """What the painted film must always be: that of a run nothing happened to."""
    ended = runner.run(film.parent, *words)
    assert ended.code == 0, ended.text
    return picture_digests(film.with_name("out.mkv"))


def parts(place: Path) -> list[Path]:
    return sorted((place / FOLDER).glob("part-*.json"))


# -- killed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_a_stopped_run_leaves_no_output_and_goes_on(
    runner: Runner,
    place: Path,
    words: list[str],
    whole: Digests,
    number: int,
    code: int,
) -> None:
    run = runner.start(place, *words, delay=0.1)
    run.until(lambda: parts(place))
    run.send(number)
    ended = run.wait()
    assert ended.code == code, ended.text
    assert "Traceback" not in ended.text
    if code > 0:
        assert "the next run goes on at 00:00:0" in ended.text
    assert not (place / "out.mkv").exists()
    assert parts(place)
    ended = runner.run(place, *words)
    assert ended.code == 0, ended.text
    assert "taking up the interrupted run" in ended.text
    assert picture_digests(place / "out.mkv") == whole
    assert sorted(p.name for p in place.iterdir()) == ["film.mkv", "out.mkv", "out.mkv.json"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_stopped_within_a_segment_goes_on_where_it_was(
    runner: Runner, place: Path, words: list[str], whole: Digests, number: int
) -> None:
    """The whole film is one segment: without its journal all of it would be lost."""
    journal = place / FOLDER / "part-00000.chroma"
    run = runner.start(place, *words, segment=100, delay=0.1)
    run.until(lambda: journal.exists() and journal.stat().st_size > 20 * 64 * 24)
    run.send(number)
    stopped = run.wait()
    assert not parts(place)
    ended = runner.run(place, *words, segment=100)
    assert ended.code == 0, ended.text
    (at,) = re.findall(r"taking up the interrupted run in out.mkv.c2e at (\S+)", ended.text)
    assert "00:00:00.400" < at < "00:00:01.920"
    if number != signal.SIGKILL:
        assert f"stopped; finished frames are kept; the next run goes on at {at}" in stopped.text
    assert picture_digests(place / "out.mkv") == whole


def test_a_second_signal_ends_at_once(
    runner: Runner, place: Path, words: list[str], whole: Digests
) -> None:
    run = runner.start(place, *words, delay=5)
    run.until(lambda: any((place / FOLDER).glob("part-*.partial*")))
    run.send(signal.SIGINT)
    time.sleep(1.5)
    run.send(signal.SIGINT)
    assert run.wait().code == 130
    assert not (place / "out.mkv").exists()
    assert runner.run(place, *words).code == 0
    assert picture_digests(place / "out.mkv") == whole


@pytest.mark.slow
def test_killed_at_twenty_random_moments(
    runner: Runner, place: Path, words: list[str], whole: Digests
) -> None:
    chance, kept, began = random.Random(0), 0, time.monotonic()
    assert runner.run(place, *words, "-o", "first.mkv", delay=0.3).code == 0
    length = time.monotonic() - began
    for _ in range(20):
        run = runner.start(place, *words, delay=0.3)
        time.sleep(chance.uniform(0.1, 1.0) * length)
        run.send(signal.SIGKILL)
        run.wait()
        kept += bool(parts(place))
        output = place / "out.mkv"
        if not output.exists() and chance.random() < 0.5:  # else killed once more on the way
            assert runner.run(place, *words).code == 0
        if output.exists():  # whole, even if killed right after the last rename
            assert picture_digests(output) == whole
            output.unlink()
            output.with_name(f"{output.name}.json").unlink(missing_ok=True)
    print(f"{kept} of 20 kills left parts behind")
    assert kept > 3
    assert runner.run(place, *words).code == 0
    assert picture_digests(place / "out.mkv") == whole


# -- the disk --------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["part", "film"])
def test_a_file_that_cannot_grow(
    runner: Runner,
    place: Path,
    words: list[str],
    whole: Digests,
    where: str,
) -> None:
    limit = {"part": 20_000, "film": 100_000}[where]
    ended = runner.run(place, *words, file_limit=limit)
    assert ended.code == 1, ended.text
    last = ended.text.splitlines()[-1]
    assert "cannot write" in last
    assert "File too large" in last
    assert len(parts(place)) == {"part": 0, "film": 6}[where]
    assert not [p for p in place.iterdir() if "partial" in p.name or p.name == "out.mkv"]
    assert runner.run(place, *words).code == 0
    assert picture_digests(place / "out.mkv") == whole


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 600 kB: room for the film and some parts."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)], capture_output=True
    )
    if made.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.slow  # quicker above, by a limit
@pytest.mark.parametrize("left", [60, 220])
def test_a_full_disk_costs_no_part_that_is_done(
    runner: Runner,
    place: Path,
    small_disk: Path,
    words: list[str],
    whole: Digests,
    left: int,
) -> None:
    shutil.copy(place / "film.mkv", small_disk)
    free = shutil.disk_usage(small_disk).free // 1024
    (small_disk / "ballast").write_bytes(bytes((free - left) * 1024))
    ended = runner.run(small_disk, *words)
    assert ended.code == 1, ended.text
    assert "No space left on device" in ended.text.splitlines()[-1]
    assert "Traceback" not in ended.text
    assert not (small_disk / "out.mkv").exists()
    (small_disk / "ballast").unlink()
    ended = runner.run(small_disk, *words)
    assert ended.code == 0, ended.text
    assert picture_digests(small_disk / "out.mkv") == whole


@pytest.mark.parametrize("gone", ["job", "everything"])
def test_a_folder_removed_meanwhile_is_one_line(
    runner: Runner, place: Path, words: list[str], gone: str
) -> None:
    run = runner.start(place, *words, "-o", str(place / "out.mkv"), delay=0.1)
    run.until(lambda: parts(place))
    # Renamed, so that nothing can be put into it any more.
    removed = place / FOLDER if gone == "job" else place
    removed.rename(removed.with_name("removed"))
    ended = run.wait()
    assert ended.code == 1, ended.text
    assert "Traceback" not in ended.text
    assert ended.text.splitlines()[-1].startswith("c2e-video: ")
    assert not (place / "out.mkv").exists()


def test_damaged_parts_are_made_again(
    runner: Runner, place: Path, words: list[str], whole: Digests
) -> None:
    run = runner.start(place, *words, delay=0.1)
    run.until(lambda: len(parts(place)) == 2)
    run.send(signal.SIGKILL)
    run.wait()
    first, second = (path.with_suffix(".mkv") for path in parts(place)[:2])
    content = bytearray(first.read_bytes())
    content[len(content) // 2] ^= 1
    first.write_bytes(content)
    second.write_bytes(second.read_bytes()[:-5])
    assert runner.run(place, *words).code == 0
    assert picture_digests(place / "out.mkv") == whole


def test_an_encoder_that_refuses_leaves_nothing(
    runner: Runner, place: Path, words: list[str]
) -> None:
    write_film(place / "film.mkv", 3, (3, 200), codec="ffv1", options={"slices": "1"})
    ended = runner.run(place, *words)
    assert ended.code == 1, ended.text
    assert "the ffv1 encoder refuses 3x200 pictures" in ended.text.splitlines()[-1]
    assert [path.name for path in place.iterdir()] == ["film.mkv"]


# -- not the same job ------------------------------------------------------------------------------


def test_another_job_is_refused_with_the_difference(
    runner: Runner, place: Path, words: list[str]
) -> None:
    run = runner.start(place, *words, delay=0.1)
    run.until(lambda: parts(place))
    run.send(signal.SIGKILL)
    run.wait()

    def refused(*more: str) -> str:
        ended = runner.run(place, *words, *more)
        assert ended.code == 1, ended.text
        assert parts(place)
        return ended.text.splitlines()[-1]

    line = refused("--saturation", "2", "--drop", "audio")  # sound is in no part
    assert "with other settings: options saturation (was 1.0, is 2.0); give" in line
    write_film(place / "new.mkv", shots=SHOTS, codec="ffv1", metadata={"title": "another"})
    os.replace(place / "new.mkv", place / "film.mkv")
    line = refused()
    assert "with other settings: source (was " in line
    assert "options" not in line
    ended = runner.run(place, *words, "--restart")
    assert ended.code == 0, ended.text
    assert video_pts(place / "out.mkv") == video_pts(place / "film.mkv")
