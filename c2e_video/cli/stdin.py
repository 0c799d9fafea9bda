"""A film from standard input: kept in a file while it is painted, for it is read more than once."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import C2EError
from ..utils.file_lock import DELETES_OPEN_FILES, try_lock
from ..video.encode.numbered_path import place_of


@contextlib.contextmanager
def buffered_stdin(
    source: Path, output: Path | None, note: Callable[[str], object] = lambda line: None
) -> Iterator[Path]:
    """``source``; or, where that is ``-``, a hidden file beside ``output`` with all of standard input.

    The file is gone at the end. After a kill the same command with the same input takes up the work.
    Raises :class:`C2EError` without an output, from a terminal, on a full disk, and if another run
    holds the file.
    """
    if str(source) != "-":
        yield source
        return
    if output is None:
        raise C2EError("a film from standard input has no name of its own; name it with output=…")
    if sys.stdin.isatty():
        raise C2EError("standard input is a terminal; pipe a film into it, or name one")
    place = place_of(output)
    path = place.with_name(f".{place.name}.stdin")
    note(f"standard input is kept in {path.name} while it is painted")
    with _try_lock(path):
        try:
            with open(path, "wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
                size = file.tell()
        except OSError as error:
            raise C2EError(
                f"cannot keep standard input in {str(path)!r}: {error.strerror}; free space there, "
                "or save the film elsewhere and name it"
            ) from None
        if not size:
            raise C2EError("standard input is empty: pipe a film into it, or name one")
        yield path


@contextlib.contextmanager
def _try_lock(path: Path) -> Iterator[None]:
    """Make the file this run's own, until it is deleted at the end."""
    try:
        with _locked(path):
            yield
    finally:
        if not DELETES_OPEN_FILES:
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with open(path, "ab") as file:
        if not try_lock(file.fileno()):
            raise C2EError(
                f"another run keeps its standard input in {str(path)!r}; wait for it, or write "
                "to another output=…"
            )
        try:
            yield
        finally:
            if DELETES_OPEN_FILES:  # while no other run can hold it
                path.unlink(missing_ok=True)
