"""A stopped command leaves no task and no process behind, and goes on; so it does without a machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factories import write_picture
from tests.media import picture_digests, write_film
from tests.runner import Runner

pytest.importorskip("ray")
# Each run starts a cluster of its own: half a minute.
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
]


def ray_processes() -> set[int]:
    """All processes of any cluster on this machine."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if b"raylet" in words or b"gcs_server" in words or words.startswith(b"ray::"):
            found.add(int(folder.name))
    return found


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_leaves_no_process_and_goes_on(
    tmp_path: Path, tiny_weights: Path, number: int, code: int
) -> None:
    film = write_film(tmp_path / "film.mkv", 150, (640, 360), codec="ffv1")
    picture = write_picture(tmp_path / "key.png", 0)
    words = ["--ref", str(picture), "--weights", str(tiny_weights), "--size", "64"]
    words += ["--codec", "ffv1", "--device", "cpu", "--precision", "fp32", "-o", "out.mkv"]
    runner, before = Runner(), ray_processes()
    try:
        assert runner.run(film.parent, film.name, *words).code == 0
        whole = picture_digests(tmp_path / "out.mkv")
        command = (film.name, *words, "-y", "--ray", "auto", "--ray-cpus", "1")
        run = runner.start(film.parent, *command)
        run.until(lambda: list((tmp_path / "out.mkv.c2e").glob("part-*.json")), seconds=120)
        run.send(number)
        ended = run.wait()
        assert ended.code == code, ended.text
        assert "finished frames are kept; the next run goes on" in ended.text
        assert "Traceback" not in ended.text
        assert ray_processes() <= before
        assert not list((tmp_path / "out.mkv.c2e").glob("*.partial*"))
        ended = runner.run(film.parent, *command)
        assert ended.code == 0, ended.text
        assert "taking up the interrupted run" in ended.text
        assert picture_digests(tmp_path / "out.mkv") == whole
        assert ray_processes() <= before
    finally:
        runner.close()


def test_a_machine_that_goes_away_costs_the_segments_it_had(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.cluster.machines", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    ended = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, timeout=400
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "a machine is gone after" in ended.stdout
    assert "200 frames, equal: True" in ended.stdout
    # It had one segment, or was between two.
    assert ended.stdout.count("is begun again: its machine is gone") <= 1
