"""Whatever standard output is, a film that is done is done."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from c2e_video.cli import streams
from c2e_video.cli.streams import accept_any_name, echo, echo_done
from c2e_video.errors import C2EError
from c2e_video.pipeline.options import Options
from c2e_video.utils.files import write_text

NAME = "Łódź 🎬 \udcff"


def encoded(encoding: str) -> tuple[io.BytesIO, io.TextIOWrapper]:
    raw = io.BytesIO()
    return raw, io.TextIOWrapper(raw, encoding=encoding)


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("cp1252", b"\\u0141\xf3d\\u017a \\U0001f3ac \\udcff"),
        ("ascii", "Łódź 🎬 ?".encode()),  # click writes UTF-8 there
        ("utf-8", "Łódź 🎬 \\udcff".encode()),
    ],
)
def test_any_name_can_be_written(
    monkeypatch: pytest.MonkeyPatch, encoding: str, shown: bytes
) -> None:
    raw, stream = encoded(encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    accept_any_name()
    echo(NAME)
    streams.say(NAME)
    assert raw.getvalue().count(shown) == 2


class Broken(io.StringIO):
    """A standard output that fails."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def write(self, text: str) -> int:
        raise OSError(self.number, os.strerror(self.number))


def test_a_full_output_is_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", Broken(errno.ENOSPC))
    with pytest.raises(C2EError, match="standard output cannot be written: No space left"):
        echo("a table")
    echo_done("film.color.mp4: 8 frames")
    assert "all is done, but standard output cannot be written" in capsys.readouterr().err


def test_an_output_that_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Broken(errno.EPIPE))
    with pytest.raises(BrokenPipeError):
        echo("a table")
    echo_done("film.color.mp4: 8 frames")


def test_streams_that_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    accept_any_name()
    echo("a table")
    streams.say("a note")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("full", ["stdout", "stderr", "both"])
def test_a_film_is_done_where_the_disk_of_its_log_is_full(
    film: Path, reference: Path, quick: Options, full: str
) -> None:
    """In a process of its own: Python writes what is left in its buffers once more when it ends."""
    named = film.rename(film.with_name("Łódź.mp4"))
    words = (str(named), "--ref", str(reference), "--weights", str(quick.weights))
    command = [sys.executable, "-m", "c2e_video", *words, "--size", "32", "--device", "cpu"]
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONPATH": os.getcwd()}
    with open("/dev/full", "w") as disk:
        pipes = {
            name: disk if full in (name, "both") else subprocess.PIPE
            for name in ("stdout", "stderr")
        }
        ended = subprocess.run(command, env=environment, **pipes)  # type: ignore[call-overload]
    assert ended.returncode == 0, ended.stderr
    assert b"Traceback" not in (ended.stderr or b"")
    assert named.with_name("Łódź.color.mp4").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("words", [("--help",), ("--version",), ("plan", "--help")])
def test_help_into_a_full_disk_is_a_line(words: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "c2e_video", *words]
    with open("/dev/full", "w") as disk:
        ended = subprocess.run(command, stdout=disk, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 1
    assert ended.stderr == (
        "c2e-video: standard output cannot be written: No space left on device\n"
    )


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
def test_help_that_nobody_reads_ends_quietly() -> None:
    line = f"{sys.executable} -m c2e_video plan --help | :; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert ended.returncode in (0, 1)  # 0 where it was written before the reader ended
    assert not ended.stderr


def test_utf16_and_utf8_are_read_alike(tmp_path: Path) -> None:
    from c2e_video.utils.files import read_text

    text = "TITLE: Łódź\n001  AX  V  C\n" * 9
    write_text(tmp_path / "utf-8", text)
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
        (tmp_path / encoding).write_bytes(text.encode(encoding))
        assert read_text(tmp_path / encoding, "list", errors="replace") == text, encoding
    (tmp_path / "empty").touch()
    assert read_text(tmp_path / "empty", "list") == ""
