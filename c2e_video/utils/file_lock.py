"""Locks of files between processes.

The ``filelock`` package raises OSError on a share that has no locks (ENOLCK); a film must be colorized there,
too, so that such a file counts as locked here.
"""

from __future__ import annotations

import errno

try:
    import fcntl
except ImportError:  # Windows: two processes on one file are not kept apart there
    fcntl = None  # type: ignore[assignment]

# Windows deletes no file that is open.
DELETES_OPEN_FILES = fcntl is not None
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)  # as of some shares


def try_lock(descriptor: int) -> bool:
    """Lock an open file for this process, until the file is closed.

    Args:
        descriptor: The open file.

    Returns:
        False if another process has locked it. True if it is locked now, or where the file system or the
        platform has no locks.

    Raises:
        OSError: The lock fails for another reason.
    """
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
