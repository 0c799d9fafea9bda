"""The processes of a run: one alone or several started by ``torchrun``, each with its device."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

Opened = TypeVar("Opened")


@dataclass(frozen=True)
class Processes:
    """This process among those of the run.

    Args:
        rank: Its number, from 0 on. The first writes what the run leaves.
        count: Number of processes.
        device: Where this process computes.
    """

    rank: int
    count: int
    device: torch.device

    def any(self, flag: bool) -> bool:
        """Whether ``flag`` is true in any process; every process gets the same answer."""
        if self.count == 1:
            return flag
        flags = torch.tensor(int(flag), device=self.device)
        dist.all_reduce(flags, dist.ReduceOp.MAX)
        return bool(flags.item())

    def first_alone(self, open_: Callable[[], Opened]) -> Opened:
        """What ``open_`` returns: the first process calls it alone, the others find its files."""
        opened = open_() if self.rank == 0 else None
        if self.count > 1:
            dist.barrier()
        return open_() if opened is None else opened

    def distribute(self, network: nn.Module) -> nn.Module:
        """``network``, with gradients averaged over all processes where there are several."""
        if self.count == 1:
            return network
        devices = [self.device.index] if self.device.type == "cuda" else None
        # Without a memory, its arguments stay unused; that is no fault.
        return DistributedDataParallel(network, device_ids=devices)


def join_processes() -> Processes:
    """This process, by the environment that ``torchrun`` sets; alone where it sets none."""
    count, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    cuda = torch.cuda.is_available()
    local = int(os.environ.get("LOCAL_RANK", 0))
    device = torch.device("cuda", local) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    if count > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if cuda else "gloo")
    return Processes(rank, count, device)


def unsynchronized(network: nn.Module) -> AbstractContextManager[None]:
    """Within it, backward passes do not average gradients: once a step, not once a micro-batch."""
    return network.no_sync() if isinstance(network, DistributedDataParallel) else nullcontext()
