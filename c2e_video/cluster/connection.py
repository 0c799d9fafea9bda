"""The connection to a Ray cluster: found or started, what it has, and how it is left."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from types import ModuleType
from typing import Any

from ..errors import C2EError
from ..utils.choices import Device
from ..utils.devices import processors
from ..utils.progress import Progress
from .settings import ClusterSettings

_LOOK_SECONDS = 5.0  # between two looks at what machines there are
_STOPS = (signal.SIGINT, signal.SIGTERM)


class Cluster:
    """An open connection to a Ray cluster. A context manager; at its end the connection is closed.

    A cluster that was started for this run ends with it. One that was found goes on; so does a
    connection that the process had before.

    Args:
        settings: Which cluster, and what a task takes of it.
        progress: Is told what was found.

    Raises:
        C2EError: Ray is not installed, or there is no cluster at the address.
    """

    def __init__(self, settings: ClusterSettings, progress: Progress) -> None:
        self.settings, self._progress = settings, progress
        self.ray: Any = _import_ray()
        self._is_own = False
        self._slots, self._looked = 0, -_LOOK_SECONDS

    def __enter__(self) -> Cluster:
        if not self.ray.is_initialized():
            self._is_own = True
            try:
                self._connect()
            except BaseException:
                self.ray.shutdown()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_own:
            self.ray.shutdown()

    def _connect(self) -> None:
        # The pool reports a worker that died, in one line and once.
        logging.getLogger("ray").setLevel(logging.ERROR)
        with suppress(AttributeError, ImportError):
            __import__("ray._private.worker")
            self.ray._private.worker._worker_logs_enabled = False
        handlers = {number: signal.getsignal(number) for number in _STOPS}
        try:
            found = self._init(self.settings.address)
        finally:
            with suppress(ValueError):  # not the main thread: Ray has left them alone
                for number, handler in handlers.items():
                    signal.signal(number, handler)
        self._progress.note(self._described(found))

    def _init(self, address: str) -> Any:
        quiet = {"log_to_driver": False, "configure_logging": False}
        if address == "auto":
            return self._find_or_start(quiet)
        try:
            return self.ray.init(address=address, **quiet)
        except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
            reason = str(error).strip().partition("\n")[0] or "no answer"
            raise C2EError(
                f"no Ray cluster at {address!r} ({reason}); start one with `ray start --head`, join it "
                "with `ray start --address=HOST:PORT`; RAY_AUTH_MODE=token is for one that asks for a token"
            ) from error

    def _find_or_start(self, quiet: Mapping[str, bool]) -> Any:
        """The cluster of RAY_ADDRESS or of `ray start`; else one of this run alone.

        Ray's own "auto" also joins what another program has started for itself, and which ends with it.
        """
        own = {"num_cpus": processors(), **quiet}
        try:
            return self.ray.init(address=None, **own)
        except ValueError:  # there is one, whose processors are its own affair
            pass
        try:
            return self.ray.init(address=None, **quiet)
        except ConnectionError:  # there was one
            return self.ray.init(address="local", **own)

    def _described(self, found: Any) -> str:
        machines = len(self.machines())
        resources = self.ray.cluster_resources()
        gpus = f", {resources['GPU']:g} GPUs" if resources.get("GPU") else ""
        dashboard = getattr(found, "dashboard_url", None)
        return (
            f"Ray: {machines} machine{'s' * (machines != 1)}, {resources.get('CPU', 0):g} processors{gpus}"
            + (f"; dashboard: http://{dashboard}" if dashboard else "")
        )

    def machines(self) -> list[Mapping[str, float]]:
        """The resources of each machine that is there now."""
        return [node["Resources"] for node in self.ray.nodes() if node["Alive"]]

    def device(self, asked: Device) -> Device:
        """The kind of device that all workers use: the one given; else GPUs where there are any."""
        if asked != "auto":
            return asked
        return "cuda" if self.ray.cluster_resources().get("GPU") else "cpu"

    def needs(self, device: Device) -> tuple[int, float]:
        """Processors and GPUs of a task that runs on ``device``."""
        gpus = self.settings.gpus
        if gpus is None:
            gpus = 1.0 if device == "cuda" else 0.0
        if self.settings.cpus is not None:
            return self.settings.cpus, gpus
        shares = [m["CPU"] * gpus // m["GPU"] for m in self.machines() if gpus and m.get("GPU")]
        return max(1, int(min(shares, default=1))), gpus

    def slots(self, cpus: int, gpus: float) -> int:
        """How many such tasks all machines can run at once, as of some seconds ago.

        While there is no machine that can run one, a note says so.
        """
        if time.monotonic() - self._looked >= _LOOK_SECONDS:
            first, self._looked = self._looked < 0, time.monotonic()
            machines = self.machines()
            self._slots = sum(_tasks_on(machine, cpus, gpus) for machine in machines)
            if first and not self._slots:
                self._progress.note(
                    f"no machine of the cluster has {cpus} processors and {gpus:g} GPUs for a task; "
                    "waiting for one"
                )
        return self._slots


def _tasks_on(machine: Mapping[str, float], cpus: int, gpus: float) -> int:
    tasks = machine.get("CPU", 0.0) // cpus
    if gpus:
        whole = machine.get("GPU", 0.0)
        tasks = min(tasks, whole * (1 // gpus) if gpus < 1 else whole // gpus)
    return int(tasks)


def _import_ray() -> ModuleType:
    try:
        import ray
    except ImportError:
        raise C2EError(
            "Ray is not installed, which deals a film to several machines; "
            "install it: pip install 'c2e-video[ray]'"
        ) from None
    return ray
