"""Files: text that is written whole or not at all, paths, temporary folders, and errors of the disk."""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from ..errors import C2EError, MediaError

# What file systems say that cannot do it at all.
_NO_SYNC = (errno.EINVAL, errno.ENOTSUP)
# A file's name may hold bytes of another encoding: they go over as they are.
_AS_IT_IS: Any = {"encoding": "utf-8", "errors": "surrogateescape", "newline": ""}
LARGEST = 64 << 20  # bytes; a list of that size is none


def read_text(
    path: Path, what: str, problem: type[C2EError] = C2EError, *, errors: str = "strict"
) -> str:
    """The text of a file in UTF-8, or in UTF-16 as some programs of Windows save it.

    Args:
        path: The file.
        what: Its kind, for messages.
        problem: The class of the errors that are raised.
        errors: What is done about other bytes, as in :meth:`bytes.decode`.

    Raises:
        C2EError: It cannot be read, is too large, or is in another encoding.
    """
    name = repr(str(path))
    try:
        if path.stat().st_size > LARGEST:
            raise problem(f"{name} is no {what}: it is larger than {LARGEST >> 20} MiB")
        content = path.read_bytes()
        return content.decode(_encoding(content), errors)
    except OSError as error:
        raise problem(f"the {what} {name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise problem(f"{path}:{line}: is not UTF-8; save the {what} in UTF-8") from None


def free_name(path: Path) -> Path:
    """``film.1.csv`` beside ``film.csv``: the first of these names that is free."""
    names = (path.with_name(f"{path.stem}.{number}{path.suffix}") for number in count(1))
    return next(name for name in names if not os.path.lexists(name))


def _encoding(content: bytes) -> str:
    """UTF-16 begins with a byte order mark; without one, every other byte of its ASCII is zero."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = content[:200]
    for zeros, encoding in ((head[1::2], "utf-16-le"), (head[::2], "utf-16-be")):
        if len(head) > 2 and zeros.count(0) > 0.8 * len(zeros):
            return encoding
    return "utf-8-sig"


def write_text(path: Path, text: str) -> None:
    """Write a file that a user asked for: whole or not at all, in UTF-8; through a link or into a pipe.

    Raises:
        C2EError: It cannot be written.
    """
    try:
        if _is_written_through(path):
            path.write_text(text, **_AS_IT_IS)
        else:
            write_whole(path, text)
    except OSError as error:
        raise C2EError(f"{str(path)!r} cannot be written: {error.strerror}") from None


def write_whole(path: Path, text: str) -> None:
    """Write ``text`` unchanged, in UTF-8, under a name with ``.partial``, and rename the file.

    Raises:
        OSError: It cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(text, **_AS_IT_IS)
        sync(partial)
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _is_written_through(path: Path) -> bool:
    """Whether ``path`` is a link, a pipe or a device such as /dev/stdout, which no file may replace."""
    return path.is_symlink() or (path.exists() and not path.is_file())


def sync(path: Path) -> None:
    """Wait until a file's content is on the disk. OSError if the disk fails."""
    with open(path, "r+b") as file:  # Windows syncs no file that is only read
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno not in _NO_SYNC:
                raise


def remove(path: Path) -> None:
    """Delete a file or a folder with all that is in it; nothing if it is not there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def check_folder(path: Path) -> None:
    """Raise :class:`C2EError` if the folder of ``path`` is missing or cannot be written to."""
    if _is_written_through(path):
        return
    folder = path.parent
    if not folder.is_dir():
        raise C2EError(f"no folder {str(folder)!r} to write {path.name!r} into; make it first")
    if not os.access(folder, os.W_OK):
        raise C2EError(f"the folder {str(folder)!r} cannot be written to; choose another")


@contextlib.contextmanager
def temporary_folder(beside: Path) -> Iterator[Path]:
    """A folder for small files, gone at the end: the system's, or where it has none, one in ``beside``."""
    try:
        opened = tempfile.TemporaryDirectory(prefix="c2e-")
    except OSError:  # a container may have no folder for them that can be written to
        with disk_errors(beside):
            opened = tempfile.TemporaryDirectory(prefix=".c2e-", dir=beside)
    with opened as folder:
        yield Path(folder)


def local_path(path: str | Path) -> Path:
    """The path of a file; :class:`MediaError` for an address on the network, which is not read."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", str(path)) and not os.path.exists(path):
        raise MediaError(
            f"{str(path)!r} is an address, and films are read from files alone; download it, and give "
            "the file's name"
        )
    return Path(path)


def local(path: Path) -> str:
    """The path in a form that FFmpeg takes for a file, whatever colons and dashes are in it."""
    return f"file:{path}"


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Raise :class:`MediaError` instead of an OSError of a write to ``path``."""
    try:
        yield
    except OSError as error:
        raise MediaError(
            f"cannot write {str(path)!r}: {error.strerror}; free space there or write elsewhere"
        ) from error
