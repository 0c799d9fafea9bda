"""What a task takes, and how many there is room for."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from c2e_video.cluster.connection import Cluster
from c2e_video.cluster.settings import ClusterSettings
from c2e_video.errors import C2EError
from tests.cluster.watch import Watch

TWO_GPUS = {"CPU": 12.0, "GPU": 2.0}
PLAIN = {"CPU": 8.0}


def cluster(
    monkeypatch: pytest.MonkeyPatch, machines: list[dict[str, float]], **settings: Any
) -> Cluster:
    """A cluster of these machines, as Ray describes them."""
    total: dict[str, float] = {}
    for machine in machines:
        for name, number in machine.items():
            total[name] = total.get(name, 0) + number
    ray = SimpleNamespace(
        is_initialized=lambda: True,
        cluster_resources=lambda: total,
        nodes=lambda: [{"Alive": True, "Resources": machine} for machine in machines],
    )
    monkeypatch.setitem(sys.modules, "ray", ray)
    return Cluster(ClusterSettings(**settings), Watch())


def test_one_processor_a_task_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    found = cluster(monkeypatch, [PLAIN, PLAIN])
    assert found.device("auto") == "cpu"
    assert found.needs("cpu") == (1, 0.0)
    assert found.slots(1, 0.0) == 16


def test_a_gpu_and_its_share_of_the_processors_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    found = cluster(monkeypatch, [TWO_GPUS, PLAIN])
    assert found.device("auto") == "cuda"
    assert found.device("cpu") == "cpu"
    assert found.needs("cuda") == (6, 1.0)
    assert found.slots(6, 1.0) == 2


@pytest.mark.parametrize(("gpus", "cpus", "slots"), [(0.5, 3, 4), (2, 4, 1), (1, 13, 0)])
def test_what_a_task_takes_can_be_given(
    monkeypatch: pytest.MonkeyPatch, gpus: float, cpus: int, slots: int
) -> None:
    found = cluster(monkeypatch, [TWO_GPUS], gpus=gpus, cpus=cpus)
    assert found.needs("cuda") == (cpus, gpus)
    assert found.slots(cpus, gpus) == slots


def test_a_cluster_without_room_for_a_task_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    found = cluster(monkeypatch, [PLAIN])
    assert found.slots(9, 0.0) == 0
    assert found._progress.notes == [  # type: ignore[attr-defined]
        "no machine of the cluster has 9 processors and 0 GPUs for a task; waiting for one"
    ]


def test_without_ray_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(C2EError, match=r"pip install 'c2e-video\[ray\]'"):
        Cluster(ClusterSettings(), Watch())


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"address": "ray://head:10001"}, "ray start --address"),
        ({"gpus": -1}, "got -1"),
        ({"gpus": 1.5}, r"got 1\.5"),
        ({"cpus": 0}, "got 0"),
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any], line: str) -> None:
    with pytest.raises(C2EError, match=line):
        ClusterSettings(**wrong)


@pytest.mark.parametrize(
    ("state", "calls"),
    [
        ("none", [(None, 3)]),
        ("alive", [(None, 3), (None, None)]),
        ("gone", [(None, 3), (None, None), ("local", 3)]),
    ],
)
def test_auto_takes_the_cluster_there_is_or_starts_one(
    monkeypatch: pytest.MonkeyPatch, state: str, calls: list[tuple[str | None, int | None]]
) -> None:
    made: list[tuple[str | None, int | None]] = []

    def init(address: str | None, num_cpus: int | None = None, **_: object) -> Any:
        made.append((address, num_cpus))
        if address is None and num_cpus is not None and state != "none":
            raise ValueError("num_cpus must not be provided")
        if address is None and num_cpus is None and state == "gone":
            raise ConnectionError("no answer")
        return SimpleNamespace(dashboard_url="127.0.0.1:8265")

    found = cluster(monkeypatch, [PLAIN])
    found.ray.is_initialized, found.ray.init = lambda: False, init
    found.ray.shutdown = lambda: made.append(("shutdown", None))
    monkeypatch.setattr("c2e_video.cluster.connection.processors", lambda: 3)
    with found:
        assert made == calls
    assert made[-1] == ("shutdown", None)
    assert found._progress.notes == [  # type: ignore[attr-defined]
        "Ray: 1 machine, 8 processors; dashboard: http://127.0.0.1:8265"
    ]


def test_no_cluster_at_an_address_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def init(address: str, **_: object) -> None:
        raise ConnectionError("nobody answers\nmuch more")

    found = cluster(monkeypatch, [PLAIN], address="10.0.0.1:6379")
    found.ray.is_initialized, found.ray.init = lambda: False, init
    found.ray.shutdown = lambda: None
    with (
        pytest.raises(C2EError, match=r"no Ray cluster at '10\.0\.0\.1:6379' \(nobody answers\)"),
        found,
    ):
        pass
