"""Devices: which there are, which number format is fast on them, and their errors when memory runs out."""

from __future__ import annotations

import contextlib
import copy
import ctypes
import os
import platform
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from typing import TypeVar, cast

import torch
from torch import Tensor, nn

from ..errors import C2EError
from .choices import Device, Precision
from .garbage import collect_as_usual

DTYPES: dict[Precision, torch.dtype] = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}


def find_device(name: Device) -> torch.device:
    """A device by its name.

    Args:
        name: "cpu", "cuda" or "mps"; "auto" is the best of this machine.

    Raises:
        C2EError: This machine does not have it.
    """
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if name == "auto":
        return torch.device(next(n for n in ("cuda", "mps", "cpu") if there[n]))
    if not there.get(name, False):
        found = ", ".join(n for n, is_there in there.items() if is_there)
        raise C2EError(f"no device {name!r} on this machine; there is: {found}")
    return torch.device(name)


def find_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    """The number format of the network on a device.

    Args:
        precision: "fp32", "bf16" or "fp16"; "auto" is fp16 on CUDA, on a CPU bf16 where
            :func:`bf16_is_faster`, and fp32 elsewhere.
        device: The device.
    """
    if precision != "auto":
        return DTYPES[precision]
    if device.type == "cuda":
        return torch.float16
    return torch.bfloat16 if device.type == "cpu" and bf16_is_faster() else torch.float32


def precision_name(dtype: torch.dtype) -> Precision:
    """The name of a number format."""
    return next(name for name, known in DTYPES.items() if known == dtype)


@lru_cache(maxsize=1)
def bf16_is_faster() -> bool:
    """Whether one core convolves at least 1.5 times as fast in bf16 as in fp32: measured, in some 20 ms.

    bf16 is several times as fast on a processor with instructions for it, and slower on others. The factor of
    1.5 gives the same answer in every run on a busy machine. Several cores would wait for each other where
    other programs run.
    """
    with single_threaded_pool(1) as core:
        faster = core.submit(_bf16_is_faster).result()
    torch.set_num_threads(torch.get_num_threads())  # MKL has one number for all threads
    return faster


@torch.inference_mode()
def _bf16_is_faster() -> bool:
    dtypes = (torch.float32, torch.bfloat16)
    conv = channels_last(nn.Conv2d(64, 64, 3, padding=1))
    x = torch.randn(1, 64, 48, 48).contiguous(memory_format=torch.channels_last)
    works = [(copy.deepcopy(conv).to(dtype), x.to(dtype)) for dtype in dtypes]
    times: list[list[float]] = [[], []]
    for _ in range(8):
        for (layer, planes), taken in zip(works, times, strict=True):
            began = time.perf_counter()
            layer(planes)
            taken.append(time.perf_counter() - began)
    fp32, bf16 = map(min, times)
    return 1.5 * bf16 < fp32


def single_threaded_pool(count: int) -> ThreadPoolExecutor:
    """A pool of ``count`` threads in each of which torch computes with one core.

    torch's number of threads belongs to the thread that sets it, except in MKL, which does little here.
    """
    return ThreadPoolExecutor(count, "core", lambda: torch.set_num_threads(1))


def configure_process(*, single_threaded: bool = True) -> None:
    """Set what holds for a whole process. The command line calls it after its imports, the library never.

    TF32 is switched off: on GPUs it replaces fp32 by default, and has ten bits of mantissa instead of 23.

    Args:
        single_threaded: Whether torch computes each operation of the caller's thread with one core. Frames
            are divided among the cores anyway. Beside another program the threads of one operation wait
            for one another: the first frame of a film took 7 s instead of 4.
    """
    if single_threaded:
        torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    configure_malloc()
    collect_as_usual()


def configure_malloc() -> None:
    """Let the process keep freed memory for the next frame. Only glibc can.

    By default glibc returns planes to the system and requests them again: 9,000 pages a frame of 480p, which
    the system clears and maps while other threads wait. One heap for all threads also keeps less memory.
    """
    libc = _glibc()
    if libc is None:
        return
    mmap_max, trim_threshold, arena_max = -4, -1, -8  # of malloc.h
    libc.mallopt(mmap_max, 0)
    libc.mallopt(trim_threshold, (1 << 31) - 1)
    libc.mallopt(arena_max, 1)


def release_memory() -> None:
    """Give free memory back to the system, where the heap is glibc's.

    For work that reads large tensors and keeps small results: what it frees lies between these, and the heap
    would grow with every result.
    """
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


@cache
def _glibc() -> ctypes.CDLL | None:
    """The C library, where it is glibc."""
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None


_limit: int | None = None


def processors() -> int:
    """How many processors this process may use, by the system or by :func:`limit_processors`."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(allowed or 1, _limit or allowed or 1)


def limit_processors(count: int) -> None:
    """Let this process compute on ``count`` processors at most, where others share the machine."""
    global _limit
    _limit = count


class OutOfMemory(C2EError):
    """The device's memory is too small for the work."""


@contextlib.contextmanager
def translate_oom(device: torch.device, size: int) -> Iterator[None]:
    """Raise :class:`OutOfMemory` for every error by which a library reports that memory ran out."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not _out_of_memory(error):
            raise
        raise OutOfMemory(
            f"the {device.type} device has no memory left for a frame at size {size}; "
            'give a smaller size=… or batch=…, or device="cpu"'
        ) from error


def _out_of_memory(error: BaseException) -> bool:
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    said = str(error).lower()
    return any(sign in said for sign in ("can't allocate memory", "out of memory", "alloc_failed"))


Module = TypeVar("Module", bound=nn.Module)


def channels_last(module: Module) -> Module:
    """The module with its weights in channels-last order, in place: convolutions are fastest in it."""
    return cast(Module, module.to(memory_format=torch.channels_last))  # type: ignore[call-overload]


def channels_last_batch(batch: Tensor) -> Tensor:
    """``batch`` ``[N, C, H, W]`` in NHWC memory order."""
    return batch.contiguous(memory_format=torch.channels_last)
