"""A film from standard input."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from c2e_video.cli.stdin import buffered_stdin
from c2e_video.errors import C2EError


class Piped:
    """A standard input with something in it."""

    def __init__(self, content: bytes, terminal: bool = False) -> None:
        self.buffer, self.terminal = io.BytesIO(content), terminal

    def isatty(self) -> bool:
        return self.terminal


def test_it_is_kept_while_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Piped(b"film"))
    notes: list[str] = []
    with buffered_stdin(Path("-"), tmp_path / "out.mp4", notes.append) as path:
        assert path.read_bytes() == b"film"
        assert path.parent == tmp_path
        with (
            pytest.raises(C2EError, match="another run keeps its standard input"),
            buffered_stdin(Path("-"), tmp_path / "out.mp4"),
        ):
            pass
        assert path.read_bytes() == b"film"
    assert notes == ["standard input is kept in .out.mp4.stdin while it is colorized"]
    assert not list(tmp_path.iterdir())


def test_what_is_left_of_a_killed_run_is_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".out.mp4.stdin").write_bytes(b"half of another film")
    monkeypatch.setattr(sys, "stdin", Piped(b"film"))
    with buffered_stdin(Path("-"), tmp_path / "out.mp4") as path:
        assert path.read_bytes() == b"film"


def test_a_film_in_a_file_stays_there(tmp_path: Path) -> None:
    with buffered_stdin(tmp_path / "film.mp4", None) as path:
        assert path == tmp_path / "film.mp4"


@pytest.mark.parametrize(
    ("piped", "output", "words"),
    [
        (Piped(b"film"), None, "name it with output=…"),
        (Piped(b"", terminal=True), "out.mp4", "is a terminal"),
        (Piped(b""), "out.mp4", "standard input is empty: pipe a film into it"),
    ],
)
def test_mistakes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piped: Any, output: str | None, words: str
) -> None:
    monkeypatch.setattr(sys, "stdin", piped)
    with (
        pytest.raises(C2EError, match=words),
        buffered_stdin(Path("-"), output and tmp_path / output),  # type: ignore[arg-type]
    ):
        pass
    assert not list(tmp_path.iterdir())
