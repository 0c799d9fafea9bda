"""Tensors that are computed once, however many there are."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import torch

from c2e_video.utils import tensor_cache
from c2e_video.utils.tensor_cache import TensorCache, Tensors


def made(number: int) -> Tensors:
    """Of two number formats, one of them not contiguous."""
    random = torch.Generator().manual_seed(number)
    keys = torch.randn(3, 5, 4, generator=random)
    return keys.bfloat16().movedim(0, 2), keys[0] / 3


def asked_twice(count: int) -> list[int]:
    """The numbers that were computed, when each of ``count`` is asked for twice."""
    computed: list[int] = []
    cache = TensorCache()

    def compute(number: int) -> Tensors:
        computed.append(number)
        return made(number)

    for number in [*range(count), *range(count)]:
        found = cache.once(number, lambda n=number: compute(n))  # type: ignore[misc]
        for tensor, expected in zip(found, made(number), strict=True):
            assert tensor.dtype == expected.dtype
            assert torch.equal(tensor, expected)
    return computed


def test_threads_that_ask_for_one_key_compute_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensor_cache, "IN_MEMORY", 2)
    computed: list[int] = []
    cache = TensorCache()

    def compute(number: int) -> Tensors:
        time.sleep(0.002)
        computed.append(number)
        return made(number)

    numbers = [*range(6)] * 4
    with ThreadPoolExecutor(4) as pool:
        for number, found in zip(
            numbers, pool.map(lambda n: cache.once(n, lambda: compute(n)), numbers), strict=True
        ):
            assert all(map(torch.equal, found, made(number)))
    assert sorted(computed) == [*range(6)]


def test_more_than_memory_holds_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensor_cache, "IN_MEMORY", 2)
    assert asked_twice(6) == list(range(6))


def test_where_the_disk_is_full_tensors_are_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensor_cache, "IN_MEMORY", 2)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=0))
    assert asked_twice(6) == 2 * list(range(6))


def test_where_nothing_can_be_written_tensors_are_computed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused() -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(tensor_cache, "IN_MEMORY", 2)
    monkeypatch.setattr("tempfile.TemporaryFile", refused)
    assert asked_twice(4) == 2 * list(range(4))
