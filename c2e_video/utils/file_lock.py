"""That a file is one run's own, where the system can tell runs apart."""

from __future__ import annotations

import errno

try:
    import fcntl
except ImportError:  # Windows: two runs on one file are then not told apart
    fcntl = None  # type: ignore[assignment]

# Windows deletes no file that is open.
DELETES_OPEN_FILES = fcntl is not None
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)  # as of some shares


def try_lock(descriptor: int) -> bool:
    """Whether no other run holds the open file; this one holds it from now on, until it is closed."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True
