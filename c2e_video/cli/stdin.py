"""A film from standard input: it is read more than once, so it is kept in a file while it is colorized."""

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
    """Give a path to read the film from.

    Args:
        source: The film; ``-`` is standard input, which is copied into a hidden file beside the output.
        output: Where the film is written.
        note: Is called with the name of the hidden file.

    Yields:
        ``source``, or the hidden file, which is deleted at the end. After a kill, the same command with the
        same input continues the work.

    Raises:
        C2EError: There is no output, standard input is a terminal or empty, the disk is full, or another
            process uses the file.
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
    note(f"standard input is kept in {path.name} while it is colorized")
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
    """Lock the file, and delete it at the end."""
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
