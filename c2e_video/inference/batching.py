"""How many frames a device works on at once: as many as it has memory for; a CPU one with each core."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import torch

from ..utils.devices import OutOfMemory, processors, single_threaded_pool, translate_oom

Made = TypeVar("Made")

log = logging.getLogger(__name__)

# Bytes that a CPU may use for the frames it paints at once, and those that one frame takes (measured): for
# each pixel the network sees (its features), and for each pair of places (at 1/8) that the memory compares.
HELD, BY_PIXEL, BY_PAIR = 3 << 30, 1000, 12


class BatchRunner:
    """Work on frames, in pieces that fit into a device's memory. ``size`` is the network's, for messages.

    A CPU works on each frame by itself, with one of its cores: more at once leave its caches, and so not the
    last bit of a frame depends on those beside it. A GPU is given all, and fewer, once so many have not
    fitted.
    """

    def __init__(self, device: torch.device, size: int) -> None:
        self.device, self.size = device, size
        self.is_parallel = device.type == "cpu"
        self.max_batch = 1 << 30
        self._workers: tuple[int, ThreadPoolExecutor] | None = None

    def run(self, work: Callable[[slice], Made], count: int, size: tuple[int, ...]) -> list[Made]:
        """What ``work`` makes of ``count`` frames, which the network sees in ``size``.

        Raises :class:`OutOfMemory` if one alone does not fit.
        """
        if self.is_parallel:
            singles = (slice(i, i + 1) for i in range(count))
            return list(self.workers(size).map(partial(self._run_one, work), singles))
        made: list[Made] = []
        done = 0
        while done < count:
            part = slice(done, min(count, done + self.max_batch))
            try:
                made.append(self._run_one(work, part))
            except OutOfMemory:
                if part.stop - part.start == 1:
                    raise
                self.max_batch = (part.stop - part.start) // 2
                log.warning("out of memory: going on with batches of %d", self.max_batch)
            else:
                done = part.stop
        return made

    def workers(self, size: tuple[int, ...]) -> ThreadPoolExecutor:
        """Threads of a CPU, of one core each: as many as may paint frames of ``size`` at once."""
        count = min(processors(), frames_held(size))
        if self._workers is None or self._workers[0] != count:
            self._workers = count, single_threaded_pool(count)
        return self._workers[1]

    @torch.inference_mode()
    def _run_one(self, work: Callable[[slice], Made], part: slice) -> Made:
        with translate_oom(self.device, self.size):
            return work(part)


def frames_held(size: tuple[int, ...]) -> int:
    """How many frames of ``size``, as the network sees them, a CPU may paint at once."""
    pixels = size[0] * size[1]
    return max(1, HELD // (BY_PIXEL * pixels + BY_PAIR * (pixels // 64) ** 2))
