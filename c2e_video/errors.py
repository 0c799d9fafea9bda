"""The errors. A :class:`C2EError` is a user's mistake or a limit of the input; another exception is a bug."""

from __future__ import annotations


class C2EError(Exception):
    """Base of all errors that a user can cause or mend.

    The message is one line: what is wrong, the value got, what is accepted, the remedy. It names parameters
    as Python does (``overwrite=True``); the command line writes its option instead, and exits with code 1.
    """


class MediaError(C2EError):
    """A film cannot be read, or the chosen output cannot hold what is asked of it."""


class BadReference(C2EError):
    """A reference picture, or a map of references, cannot be used."""


class BadWeights(C2EError):
    """A weights file is missing, damaged, or belongs to another network."""


class JobMismatch(C2EError):
    """An interrupted job was begun with another source, reference, weights or options."""
