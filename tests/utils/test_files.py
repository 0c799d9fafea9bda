"""Small text files: whole or not at all, on the disk, and told in one line where they cannot be."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from c2e_video.errors import C2EError
from c2e_video.utils.files import sync, write_text


@pytest.mark.skipif(os.name == "nt", reason="names there are no bytes")
def test_small_files_are_utf8_and_keep_the_bytes_of_names(tmp_path: Path) -> None:
    name = b"na\xefve \xc3\xbc"
    code = (
        "import os; from pathlib import Path; from c2e_video.utils.files import write_whole\n"
        f"write_whole(Path('page'), os.fsdecode({name!r}))"
    )
    ascii_only = {**os.environ, "PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
    path = {"PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=ascii_only | path, check=True)
    assert (tmp_path / "page").read_bytes() == name


def test_what_was_there_stays_where_the_new_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "film.csv"
    write_text(path, "edited by hand\n")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(C2EError, match="cannot be written: No space left on device"):
        write_text(path, "new\n")
    assert path.read_text() == "edited by hand\n"
    assert os.listdir(tmp_path) == ["film.csv"]


@pytest.mark.skipif(os.name == "nt", reason="links are a privilege there")
def test_a_link_stays_one(tmp_path: Path) -> None:
    """/dev/stdout is one; as root it could be replaced."""
    link, target = tmp_path / "link", tmp_path / "target"
    target.write_text("before\n")
    try_lock = target.open()
    link.symlink_to(target)
    write_text(link, "words\n")
    assert link.is_symlink()
    assert try_lock.read() == "words\n"
    write_text(Path("/dev/null"), "words\n")
    assert Path("/dev/null").is_char_device()


@pytest.mark.skipif(os.name == "nt", reason="no fcntl")
def test_files_are_open_for_writing_when_they_are_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows refuses others; a file system without syncing is no disk that fails."""
    import fcntl

    modes = []

    def watched(descriptor: int) -> None:
        modes.append(fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE)
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", watched)
    (tmp_path / "part").write_bytes(b"part")
    sync(tmp_path / "part")
    assert modes == [os.O_RDWR]
    assert (tmp_path / "part").read_bytes() == b"part"
