"""The function that Ray runs on a worker, made so that a worker of another version can refuse it."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from typing import Any


def make_task(ray: Any, cpus: int, gpus: float) -> Any:
    """A remote generator that renders a segment, with the arguments of :func:`order_arguments`.

    A failed task is not repeated by Ray: the pool does that, and counts. Workers are kept between tasks,
    with the network they have loaded, on GPUs as well.
    """

    # A nested function is sent as code, not by its name: it runs where this module is another, or not there.
    def render(
        expected: Mapping[str, str],
        key: str,
        order: list[Any],
        weights: list[Any],
        segment: bytes,
        attempt: int,
        frames: list[Any],
    ) -> Iterator[Any]:
        import pickle
        import socket

        import ray

        try:
            from c2e_video.cluster.versions import versions
        except ImportError:
            yield socket.gethostname(), {}
            return
        if versions() != expected:
            yield socket.gethostname(), versions()
            return
        from c2e_video.cluster.worker import render_segment

        yield from render_segment(
            key,
            lambda: pickle.loads(ray.get(order[0])),
            lambda: ray.get(weights[0]),
            pickle.loads(segment),
            attempt,
            (lambda: ray.get(frames[0])) if frames else None,
        )

    return ray.remote(
        num_cpus=cpus,
        num_gpus=gpus,
        max_retries=0,
        max_calls=0,
        num_returns="streaming",
    )(render)


def pickled(value: Any) -> bytes:
    """An argument that only a worker of the same version reads."""
    return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
