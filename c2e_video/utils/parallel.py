"""A function applied to items in several threads, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def parallel_map(
    pool: Executor, function: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Generator[Result, None, None]:
    """``map(function, items)`` in the threads of a pool.

    An item is taken from ``items``, in the caller's thread, when a result is asked for; so memory stays
    bounded, and several such maps can follow one another in one pool.

    Args:
        pool: Whose threads run ``function``.
        function: Is called once for each item.
        items: What it is called with.
        ahead: Results worked on beyond the one that is asked for.

    Yields:
        The results in the order of the items.

    Raises:
        Exception: What ``function`` raised for an item, in its place. Results that were not begun are
            cancelled.
    """
    pending: deque[Future[Result]] = deque()
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()
