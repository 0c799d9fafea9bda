"""A cluster of this machine alone, with two workers of one processor each."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.hooks import FILE

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="package")
def ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Ray, connected to the cluster."""
    ray = pytest.importorskip("ray")
    file = tmp_path_factory.mktemp("cluster") / "workers.json"
    file.write_text("{}")
    os.environ[FILE] = str(file)
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    logging.getLogger("ray").setLevel(logging.ERROR)
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        configure_logging=False,
        runtime_env={
            "worker_process_setup_hook": "tests.cluster.hooks.install",
            "env_vars": {"PYTHONPATH": os.pathsep.join(paths), FILE: str(file)},
        },
    )
    yield ray
    ray.shutdown()


@pytest.fixture
def workers(ray: Any) -> Iterator[Callable[..., None]]:
    """Says how workers behave: ``workers(delay=0.1)``, ``workers(error="no")``."""

    def behave(**wanted: Any) -> None:
        Path(os.environ[FILE]).write_text(json.dumps(wanted))

    behave()
    yield behave
    behave()
