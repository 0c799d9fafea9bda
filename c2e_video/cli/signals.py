"""SIGINT and SIGTERM end a command by an exception, :class:`Stop`, so that files are closed and kept."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType

STOPS = (signal.SIGINT, signal.SIGTERM)
_MOMENT = 1.0  # seconds; some shells send a signal twice, and two within this time are one
_AGAIN = 0.05  # seconds until a stop that Python dropped is raised again


class Stopper:
    """The handler of the signals to stop.

    The first signal raises :class:`Stop` in the main thread. One more, later than ``_MOMENT``, ends the
    process at once; finished parts and journals are complete either way.
    """

    def __init__(self) -> None:
        self._since: float | None = None
        self._lost = False
        self._postponed = False
        self._number = 0

    @classmethod
    def listen(cls) -> None:
        """Install one handler for all signals to stop. Signals that the parent ignores stay ignored."""
        global _listening
        stopper = _listening = cls()
        for number in STOPS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as in a script's background
                signal.signal(number, stopper)
        previous_hook = sys.unraisablehook

        def unraisable(dropped: sys.UnraisableHookArgs) -> None:
            if not stopper.come_again(dropped.exc_value):
                previous_hook(dropped)

        sys.unraisablehook = unraisable

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self._since is None or self._lost:
            self._since, self._lost = time.monotonic(), False
            self._number = number
            if not self._postponed:
                raise Stop(128 + number)
        if time.monotonic() - self._since > _MOMENT:
            os._exit(128 + number)

    @contextmanager
    def postponed(self) -> Iterator[Callable[[], bool]]:
        """See :func:`postponed_stop`."""
        self._postponed = True
        try:
            yield lambda: self._number > 0
        finally:
            self._postponed = False
        if self._number:
            raise Stop(128 + self._number)

    def come_again(self, dropped: BaseException | None) -> bool:
        """Send a stop again that Python has dropped.

        Python drops exceptions that are raised in a destructor or in the callback of a weak reference, and
        a signal may arrive while one runs.

        Returns:
            Whether ``dropped`` was a stop; it is then raised again after ``_AGAIN`` seconds.
        """
        if not isinstance(dropped, Stop):
            return False
        again = threading.Timer(_AGAIN, self._signal, [dropped.code - 128])
        again.daemon = True
        try:
            again.start()
        except RuntimeError:  # the interpreter is ending by itself
            os._exit(dropped.code)
        return True

    def _signal(self, number: int) -> None:
        self._lost = True
        main = threading.main_thread().ident
        if sys.platform == "win32" or main is None:
            _thread.interrupt_main(signal.Signals(number))
        else:  # which also wakes it from a wait
            signal.pthread_kill(main, number)


_listening: Stopper | None = None


def postponed_stop() -> AbstractContextManager[Callable[[], bool]]:
    """A block within which a signal raises nothing.

    The block gets a function that says whether a signal has arrived, and is expected to end soon then;
    :class:`Stop` is raised at its end. A second signal ends the process at once, as elsewhere.
    """
    return nullcontext(lambda: False) if _listening is None else _listening.postponed()


class Stop(SystemExit):
    """A signal ends the command. ``code`` is the exit code: 130 for SIGINT, 143 for SIGTERM."""

    code: int
