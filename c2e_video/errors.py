"""The one error tree. A ``C2EError`` is a user's mistake or a limit of the input; anything else is a bug."""

from __future__ import annotations


class C2EError(Exception):
    """Base of every error a user can cause or mend.

    The message is one line: what is wrong, the value got, what is accepted, the remedy.
    The command line prints it and exits with code 1.
    """


class MediaError(C2EError):
    """A film cannot be read, or the chosen output cannot hold what is asked of it."""


class BadReference(C2EError):
    """A reference picture, or a map of references, cannot be used."""


class BadWeights(C2EError):
    """A weights file is missing, damaged, or belongs to another network."""


class JobMismatch(C2EError):
    """An interrupted job was begun with another source, reference, weights or options."""
