"""The command: it prints an address, serves it on this machine alone, and ends by a signal."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner

from c2e_video.cli.studio import studio
from c2e_video.errors import C2EError
from c2e_video.studio.server import serve


def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """The command, running, and the address it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "c2e_video", "studio", "--no-browser", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    found = re.search(r"http://\S+", process.stdout.readline())
    assert found, process.stderr and process.stderr.read()
    return process, found.group()


def test_the_command_serves_its_address_until_it_is_stopped(folder: Path) -> None:
    process, url = start(str(folder / "film.mp4"))
    try:
        assert url.startswith("http://127.0.0.1:")
        assert len(url.split("/")[3]) >= 32
        page = httpx2.get(url)
        assert page.status_code == 200
        assert "Drop a film here" in page.text
        studio = httpx2.get(f"{url}api/studio").json()
        assert [film["name"] for film in studio["films"]] == ["film.mp4"]
        assert studio["folder"] == str(folder)
        assert httpx2.get(url.rsplit("/", 2)[0] + "/").status_code == 403
        with httpx2.stream("GET", f"{url}api/events") as events:
            assert events.headers["content-type"].startswith("text/event-stream")
            process.send_signal(signal.SIGINT)
            process.wait(30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode in (0, 130)
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()


def test_a_port_that_is_taken_is_one_clear_line(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(C2EError, match=f"port {port} of 127.0.0.1 cannot be used"):
            serve(folder, port=port, open_browser=False)


def test_a_film_outside_the_folder_or_no_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(C2EError, match="is not in the studio's folder"):
        serve(other, [folder / "film.mp4"], open_browser=False)
    with pytest.raises(C2EError, match="no folder"):
        serve(tmp_path / "missing", open_browser=False)


def test_without_the_extra_the_command_says_how_to_get_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("c2e_video.studio")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = CliRunner().invoke(studio, ["--folder", str(folder), "--no-browser"])
    assert isinstance(result.exception, C2EError)
    assert "pip install 'c2e-video[studio]'" in str(result.exception)
