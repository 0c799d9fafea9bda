"""How many frames a device works on at once: as many as it has memory for; a CPU one with each core."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import torch

from ..utils.devices import OutOfMemory, memory_named, processors, single_cores

Made = TypeVar("Made")

log = logging.getLogger(__name__)

# Bytes that a CPU may use for the frames it paints at once, and those that one frame takes (measured): for
# each pixel the network sees (its features), and for each pair of places (at 1/8) that the memory compares.
HELD, BY_PIXEL, BY_PAIR = 3 << 30, 1000, 12


class Pieces:
    """Work on frames, in pieces that fit into a device's memory. ``size`` is the network's, for messages.

    A CPU works on each frame by itself, with one of its cores: more at once leave its caches, and so not the
    last bit of a frame depends on those beside it. A GPU is given all, and fewer, once so many have not
    fitted.
    """

    def __init__(self, device: torch.device, size: int) -> None:
        self.device, self.size = device, size
        self.side_by_side = device.type == "cpu"
        self.at_once = 1 << 30
        self._painters: tuple[int, ThreadPoolExecutor] | None = None

    def made(self, work: Callable[[slice], Made], count: int, size: tuple[int, ...]) -> list[Made]:
        """What ``work`` makes of ``count`` frames, which the network sees in ``size``.

        Raises :class:`OutOfMemory` if one alone does not fit.
        """
        if self.side_by_side:
            singles = (slice(i, i + 1) for i in range(count))
            return list(self.painters(size).map(partial(self._named, work), singles))
        made: list[Made] = []
        done = 0
        while done < count:
            part = slice(done, min(count, done + self.at_once))
            try:
                made.append(self._named(work, part))
            except OutOfMemory:
                if part.stop - part.start == 1:
                    raise
                self.at_once = (part.stop - part.start) // 2
                log.warning("out of memory: going on with batches of %d", self.at_once)
            else:
                done = part.stop
        return made

    def painters(self, size: tuple[int, ...]) -> ThreadPoolExecutor:
        """Threads of a CPU, of one core each: as many as may paint frames of ``size`` at once."""
        count = min(processors(), frames_held(size))
        if self._painters is None or self._painters[0] != count:
            self._painters = count, single_cores(count)
        return self._painters[1]

    @torch.inference_mode()
    def _named(self, work: Callable[[slice], Made], part: slice) -> Made:
        with memory_named(self.device, self.size):
            return work(part)


def frames_held(size: tuple[int, ...]) -> int:
    """How many frames of ``size``, as the network sees them, a CPU may paint at once."""
    pixels = size[0] * size[1]
    return max(1, HELD // (BY_PIXEL * pixels + BY_PAIR * (pixels // 64) ** 2))
