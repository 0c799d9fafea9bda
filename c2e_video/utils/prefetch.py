"""One stage in a thread of its own, with a bounded queue: ahead of its consumer, or behind its producer.

Both hold at most ``depth`` items, raise the other side's own error, and leave no thread behind. One case is
an exception: a thread that makes no progress for ``PATIENCE`` seconds cannot be ended and is abandoned. A
process that computes makes progress, however long it takes to the next item.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, Semaphore, Thread
from time import process_time
from typing import Any, Generic, TypeAlias, TypeVar

from ..errors import C2EError

T = TypeVar("T")
_END: Any = object()
PATIENCE = 900.0  # a disk or network that comes back does so before
_POLL_SECONDS = 5.0
_IDLE = 0.5  # seconds of all threads' work: ten times what is spent in PATIENCE by waiting alone

# Waits up to so many seconds (None: without end) for an event; true if it came. And what repeats that.
_Poll: TypeAlias = "Callable[[float | None], object]"
_Wait: TypeAlias = "Callable[[_Poll], object]"


def _without_end(poll: _Poll) -> None:
    poll(None)


class _Belt(Generic[T]):
    """A bounded queue from one thread to another. Each side may leave before the other."""

    def __init__(self, depth: int) -> None:
        if depth < 1:
            raise ValueError(f"depth is at least 1, got {depth}")
        self._items: SimpleQueue[T] = SimpleQueue()
        self._room, self._dropped = Semaphore(depth), False

    def put(self, item: T, wait: _Wait = _without_end) -> bool:
        """Wait for room and add the item; False if the other side has left."""
        wait(lambda seconds: self._room.acquire(timeout=seconds))
        if self._dropped:
            self._room.release()
            return False
        self._items.put(item)
        return True

    def taken(self, wait: _Wait = _without_end) -> Iterator[T]:
        """The items, until the last or until they are dropped."""
        while not self._dropped and (item := self._next(wait)) is not _END:
            self._room.release()
            yield item

    def _next(self, wait: _Wait) -> T:
        got: list[T] = []

        def poll(seconds: float | None) -> bool:
            with suppress(Empty):
                got.append(self._items.get(timeout=seconds))
            return bool(got)

        wait(poll)
        return got[0]

    def end(self, drop: bool = False) -> None:
        """No more items come. With ``drop``, those that wait are not taken either."""
        self._dropped = self._dropped or drop
        self._room.release()  # a `put` may be waiting
        self._items.put(_END)


class _Worker(Thread):
    """A thread that keeps its error, and calls ``done`` at its end."""

    def __init__(self, work: Callable[[], object], done: Callable[[], object]) -> None:
        super().__init__(name="c2e-worker", daemon=True)
        self._work, self._done = work, done
        # Not `join`: until Python 3.12, one that a signal breaks off takes the thread for ended.
        self._over = Event()
        self.error: BaseException | None = None
        self._stalled = False

    def run(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self.error = error
        finally:
            self._done()
            # What they hold (an encoder with its pictures) must not wait for the collector of cycles.
            del self._work, self._done
            self._over.set()

    def wait(self, poll: _Poll) -> None:
        """Wait until ``poll`` returns true.

        It is called for a few seconds at a time. Time in which the whole process was stopped, or in which it
        computed (seeking deep in a film, a slow encoder), does not count as standing still.

        Raises:
            C2EError: Nothing happened for :data:`PATIENCE` seconds.
        """
        still, worked = 0, process_time()
        while not poll(min(_POLL_SECONDS, PATIENCE)):
            still += 1
            if process_time() - worked > _IDLE:
                still, worked = 0, process_time()
            elif still * _POLL_SECONDS >= PATIENCE:
                self._stalled = True
                raise C2EError(
                    f"a film's reading or writing has stood still for {PATIENCE / 60:.3g} minutes; when "
                    "its disk or network is there again, the same command goes on where it was"
                )

    def ended(self, seconds: float | None) -> bool:
        """Wait for the thread's end up to so many seconds; true if it came."""
        return self._over.wait(seconds)

    def leave(self) -> None:
        """Wait for the end of the thread, unless it was found to stand still."""
        if not self._stalled:
            with suppress(C2EError):
                self.wait(self.ended)
                self.join()


def prefetch(iterable: Iterable[T], depth: int) -> Generator[T, None, None]:
    """The items of an iterable, taken from it in a thread.

    The thread starts when the first item is requested and ends with this generator: at its end, on an error,
    or when it is closed. A generator that is given runs, and is closed, in that one thread.

    Args:
        iterable: The items.
        depth: Items that may wait for the consumer, at least 1.

    Yields:
        The items in order.

    Raises:
        Exception: What the iterable raised; the same object.
    """
    belt: _Belt[T] = _Belt(depth)

    def produce() -> None:
        items: Any = iter(iterable)
        try:
            all(map(belt.put, items))  # until the end, or until nobody takes them
        finally:
            getattr(items, "close", lambda: None)()

    worker = _Worker(produce, belt.end)
    worker.start()
    try:
        yield from belt.taken(worker.wait)
        if worker.error is not None:
            raise worker.error
    finally:
        belt.end(drop=True)
        worker.leave()


class Sink(Generic[T]):
    """A function at work in a thread: ``with Sink(function, depth) as sink: sink.put(item)``.

    ``function(item)`` runs once for each item, in order. Its error is raised by the next ``put`` or
    at the end of the block. The block ends when all is done; one left by an error drops what waits.
    """

    def __init__(self, function: Callable[[T], object], depth: int) -> None:
        self._belt: _Belt[T] = _Belt(depth)
        self._worker = _Worker(
            lambda: deque(map(function, self._belt.taken()), 0), lambda: self._belt.end(True)
        )

    def __enter__(self) -> Sink[T]:
        self._worker.start()
        return self

    def put(self, item: T) -> None:
        """Hand over an item, waiting while ``depth`` others wait."""
        if not self._belt.put(item, self._worker.wait):
            raise self._worker.error or RuntimeError("this sink is closed")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._belt.end()
                self._worker.wait(self._worker.ended)
        finally:  # Ctrl-C may have ended the wait
            self._belt.end(drop=True)
            self._worker.leave()
        if kind is None and self._worker.error is not None:
            raise self._worker.error
