"""Which cluster is used, and how much of it one task takes."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import C2EError


@dataclass(frozen=True)
class ClusterSettings:
    """A Ray cluster, and what of it one task takes. A task renders one segment at a time.

    Args:
        address: "auto" for the cluster that this machine belongs to, or one of this machine alone where
            there is none; or ``HOST:PORT`` of a cluster that this machine has joined.
        gpus: GPUs of a task, which may be a fraction; None for one where the device is "cuda".
        cpus: Processors of a task; None for one, on a GPU for the machine's processors shared among
            its GPUs.

    Raises:
        C2EError: A value is out of range.
    """

    address: str = "auto"
    gpus: float | None = None
    cpus: int | None = None

    def __post_init__(self) -> None:
        if self.address.startswith("ray://"):
            raise C2EError(
                f"{self.address!r} is the address of a Ray client, from which no files are read; run the "
                "command on a machine of the cluster (`ray start --address=HOST:PORT`) with 'auto'"
            )
        gpus = self.gpus or 0
        if not (0 <= gpus <= 1 or gpus in range(2, 17)):
            raise C2EError(f"a task takes 0 to 1 GPUs, or a whole number up to 16, got {gpus}")
        if self.cpus is not None and not 1 <= self.cpus <= 1024:
            raise C2EError(f"a task takes 1 to 1024 processors, got {self.cpus}")
