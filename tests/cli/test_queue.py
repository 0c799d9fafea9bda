"""``c2e-video queue``, and what its options and those of ``--ray`` say."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.test_cli import TINY, call, folder
from tests.media import write_film

__all__ = ["folder"]


def test_the_table_and_the_exit_code_say_what_became_of_the_films(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.mp4").write_bytes(b"no film")
    command = ("queue", str(folder), "--ref", "key.png", *TINY)
    assert call(monkeypatch, *command) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["failed", "done", "1"]
    write_film(folder / "broken.mp4", 8)
    assert call(monkeypatch, *command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["done", "done", "2"]
    assert "made before" in lines[1]


def test_a_film_without_references_fails_in_the_command_lines_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "queue", "film.mp4", *TINY) == 1
    assert "no table film.csv beside it, and no --ref for all films" in capsys.readouterr().out


def test_ray_without_the_extra_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert call(monkeypatch, "film.mp4", "--ref", "key.png", "--ray", "auto", *TINY) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].endswith("install it: pip install 'c2e-video[ray]'")


def test_what_a_task_takes_goes_with_a_cluster(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "film.mp4", "--ref", "key.png", "--ray-cpus", "2", *TINY) == 2
    assert "--ray-gpus and --ray-cpus go with --ray" in capsys.readouterr().err
