"""How many frames a device computes at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from itertools import chain, islice
from typing import TypeVar

import torch

from ..utils.devices import OutOfMemory, processors, single_threaded_pool, translate_oom
from ..utils.parallel import parallel_map

Item = TypeVar("Item")
Result = TypeVar("Result")

log = logging.getLogger(__name__)

# Bytes that a CPU may use for the frames in the network at one time, and those that one frame takes
# (measured): for each pixel the network sees (its features), and for each pair of cells (at 1/8) that the
# memory compares.
MEMORY_BUDGET, BYTES_PER_PIXEL, BYTES_PER_PAIR = 3 << 30, 1000, 12


class BatchRunner:
    """Runs work on frames so that it fits into a device's memory.

    A CPU computes one frame on each of its cores: a larger batch does not fit into its caches, and a
    frame's bits do not depend on the frames beside it. A GPU gets a whole batch, and a smaller one after
    one that did not fit.

    Args:
        device: Where the work runs.
        size: Short side that the network sees, for messages.
        batch: Frames that a GPU gets at once.
    """

    def __init__(self, device: torch.device, size: int, batch: int = 8) -> None:
        self.device, self.size, self.batch = device, size, batch
        self.is_parallel = device.type == "cpu"
        self.max_batch = 1 << 30

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """A thread for each core, that computes with one core."""
        return single_threaded_pool(processors())

    def run(
        self, work: Callable[[slice], Result], count: int, size: tuple[int, ...]
    ) -> list[Result]:
        """Run work on ``count`` frames.

        Args:
            work: Is called with a slice of the frames, one frame at a time on a CPU.
            count: Number of frames.
            size: Height and width of the planes that the network sees.

        Returns:
            What each call returned, in order.

        Raises:
            OutOfMemory: A single frame does not fit.
        """
        if self.is_parallel:
            singles = (slice(i, i + 1) for i in range(count))
            work_on_one = partial(self._run_part, work)
            return list(parallel_map(self.pool, work_on_one, singles, self.ahead(size)))
        results: list[Result] = []
        done = 0
        while done < count:
            part = slice(done, min(count, done + self.max_batch))
            try:
                results.append(self._run_part(work, part))
            except OutOfMemory:
                if part.stop - part.start == 1:
                    raise
                self.max_batch = (part.stop - part.start) // 2
                log.warning("out of memory: going on with batches of %d", self.max_batch)
            else:
                done = part.stop
        return results

    def each(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Run work on items of any kind: on each core of a CPU, or one after the other for a GPU.

        Args:
            work: Is called with each item.
            items: Are taken in the caller's thread.

        Returns:
            The results, in order.
        """
        if self.is_parallel:
            return parallel_map(self.pool, work, items, processors())
        return map(work, items)

    def stream(
        self,
        work: Callable[[Sequence[Item]], list[Result]],
        items: Iterable[Item],
        size: tuple[int, ...],
        ahead: int | None = None,
    ) -> Iterator[Result]:
        """Run work on frames as they come.

        Args:
            work: Is called with some items, one at a time on a CPU; returns a result for each.
            items: One a frame. They are taken in the caller's thread, a few ahead.
            size: Height and width of the planes that the network sees.
            ahead: Frames that a CPU may compute beside the one that is waited for; by default those that
                the network can.

        Returns:
            The results, in order.

        Raises:
            OutOfMemory: A single frame does not fit.
        """
        if self.is_parallel:
            singles = ((item,) for item in items)
            work_on_one = partial(self._run_part, work)
            ahead = self.ahead(size) if ahead is None else ahead
            lots = parallel_map(self.pool, work_on_one, singles, ahead)
            return chain.from_iterable(lots)
        return chain.from_iterable(
            self._run_lot(work, lot, size) for lot in _lots(items, self.batch)
        )

    def _run_lot(
        self,
        work: Callable[[Sequence[Item]], list[Result]],
        lot: Sequence[Item],
        size: tuple[int, ...],
    ) -> Iterator[Result]:
        return chain.from_iterable(self.run(lambda part: work(lot[part]), len(lot), size))

    def ahead(self, size: tuple[int, ...]) -> int:
        """Frames that a CPU may compute beside the one that is waited for."""
        return min(processors(), frames_held(size)) - 1

    @torch.inference_mode()
    def _run_part(self, work: Callable[[Item], Result], part: Item) -> Result:
        with translate_oom(self.device, self.size):
            return work(part)


def _lots(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    remaining = iter(items)
    while lot := list(islice(remaining, size)):
        yield lot


def frames_held(size: tuple[int, ...]) -> int:
    """How many frames of ``size``, as the network sees them, a CPU's memory budget holds."""
    pixels = size[0] * size[1]
    frame = BYTES_PER_PIXEL * pixels + BYTES_PER_PAIR * (pixels // 64) ** 2
    return max(1, MEMORY_BUDGET // frame)
