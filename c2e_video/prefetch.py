"""The only thread and the only queue: work done ahead of its consumer, or behind its producer.

Both hold at most ``depth`` items, raise the other side's own error, and leave no thread behind.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_END: Any = object()


class _Belt(Generic[T]):
    """A bounded queue from one thread to one other, which either may leave."""

    def __init__(self, depth: int) -> None:
        if depth < 1:
            raise ValueError(f"depth is at least 1, got {depth}")
        self._items: SimpleQueue[T] = SimpleQueue()
        self._room, self._dropped = Semaphore(depth), False

    def put(self, item: T) -> bool:
        """Wait for room and lay the item there; False where nobody takes items any more."""
        self._room.acquire()
        if self._dropped:
            self._room.release()
            return False
        self._items.put(item)
        return True

    def __iter__(self) -> Iterator[T]:
        while not self._dropped and (item := self._items.get()) is not _END:
            self._room.release()
            yield item

    def end(self, drop: bool = False) -> None:
        """No item comes any more; with ``drop``, none that waits is taken either."""
        self._dropped = self._dropped or drop
        self._room.release()  # for one who waits to put
        self._items.put(_END)


class _Worker(Thread):
    """A thread that keeps its error, and says when it is done."""

    def __init__(self, work: Callable[[], object], done: Callable[[], object]) -> None:
        super().__init__(name="c2e-worker", daemon=True)
        self._work, self._done = work, done
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self.error = error
        finally:
            self._done()


def prefetch(iterable: Iterable[T], depth: int) -> Generator[T, None, None]:
    """The items of ``iterable``, made in a thread up to ``depth`` ahead of their consumer.

    The thread starts with the first item asked for and ends with this generator: at its end, on the
    iterable's error (the same object is raised here), or when closed. A generator given as
    ``iterable`` runs, and is closed, in that one thread.
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
        yield from belt
        if worker.error is not None:
            raise worker.error
    finally:
        belt.end(drop=True)
        worker.join()


class Sink(Generic[T]):
    """A function at work in a thread: ``with Sink(function, depth) as sink: sink.put(item)``.

    ``function(item)`` runs once for each item, in order. Its error is raised by the next ``put`` or
    at the end of the block. The block ends when all is done; one left by an error drops what waits.
    """

    def __init__(self, function: Callable[[T], object], depth: int) -> None:
        self._belt: _Belt[T] = _Belt(depth)
        self._worker = _Worker(
            lambda: deque(map(function, self._belt), 0), lambda: self._belt.end(True)
        )

    def __enter__(self) -> Sink[T]:
        self._worker.start()
        return self

    def put(self, item: T) -> None:
        """Hand over an item, waiting while ``depth`` others wait."""
        if not self._belt.put(item):
            raise self._worker.error or RuntimeError("this sink is closed")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._belt.end()
                self._worker.join()
        finally:  # Ctrl-C may have ended the wait
            self._belt.end(drop=True)
            self._worker.join()
        if kind is None and self._worker.error is not None:
            raise self._worker.error
