"""Small text files of the user's: what cannot be read or written is said in one line."""

from __future__ import annotations

from pathlib import Path

from .errors import C2EError

LARGEST = 64 << 20  # bytes; a list of that size is none


def read_text(
    path: Path, what: str, problem: type[C2EError] = C2EError, *, errors: str = "strict"
) -> str:
    """The text of ``path`` in UTF-8, with or without a BOM. ``what`` names its kind in errors.

    ``errors`` is what is done about other bytes, as in :meth:`bytes.decode`.
    """
    name = repr(str(path))
    try:
        if path.stat().st_size > LARGEST:
            raise problem(f"{name} is no {what}: it is larger than {LARGEST >> 20} MiB")
        return path.read_bytes().decode("utf-8-sig", errors)
    except OSError as error:
        raise problem(f"the {what} {name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise problem(f"{path}:{line}: is not UTF-8; save the {what} in UTF-8") from None


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as it is, in UTF-8. Raises :class:`C2EError` if it cannot be written."""
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise C2EError(f"{str(path)!r} cannot be written: {error.strerror}") from None
