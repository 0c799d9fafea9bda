"""How the system schedules the threads of this process."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def kept_scheduling() -> Iterator[None]:
    """Put back the scheduling of the process's threads where an encoder was opened within.

    Run as root, SVT-AV1 gives its threads and that of its caller real-time priority: other programs, and even
    the system's own work, then wait for the encoder. With one core both can wait for each other for ever.
    """
    tasks = Path("/proc/self/task")  # of Linux
    if not tasks.is_dir():
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        for thread in (int(task.name) for task in tasks.iterdir()):
            with contextlib.suppress(OSError):  # it has ended
                if os.sched_getscheduler(thread) == os.SCHED_FIFO:
                    os.sched_setscheduler(thread, policy, parameters)
