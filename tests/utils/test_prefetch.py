"""prefetch and Sink: order, bounds, errors, and no thread left behind."""

from __future__ import annotations

import contextlib
import gc
import signal
import threading
import weakref
from collections.abc import Iterator
from itertools import count

import pytest

from c2e_video.errors import C2EError
from c2e_video.utils import prefetch as module
from c2e_video.utils.prefetch import Sink, prefetch


@pytest.fixture(autouse=True)
def _no_thread_survives() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def test_items_come_in_order_and_end() -> None:
    assert list(prefetch(range(100), 3)) == list(range(100))
    assert list(prefetch([], 1)) == []


def test_none_is_an_item() -> None:
    assert list(prefetch([None, 0, False], 2)) == [None, 0, False]


def test_the_iterable_runs_in_one_other_thread() -> None:
    seen = []

    def items() -> Iterator[int]:
        try:
            seen.append(threading.get_ident())
            yield from count()
        finally:
            seen.append(threading.get_ident())

    ahead = prefetch(items(), 2)
    assert next(ahead) == 0
    ahead.close()
    assert len(seen) == 2
    assert seen[0] == seen[1] != threading.get_ident()


def test_nothing_runs_before_it_is_asked_for() -> None:
    started = threading.Event()

    def items() -> Iterator[int]:
        started.set()
        yield 1

    ahead = prefetch(items(), 2)
    assert not started.is_set()
    assert list(ahead) == [1]


def test_the_producers_own_error_follows_its_items() -> None:
    failure = KeyError("own")

    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise failure

    got: list[int] = []
    with pytest.raises(KeyError) as caught:
        got.extend(prefetch(items(), 1))
    assert caught.value is failure
    ahead = prefetch(items(), 1)
    assert [next(ahead), next(ahead)] == [1, 2]


def test_what_is_not_iterable_is_an_error_of_the_consumer() -> None:
    with pytest.raises(TypeError):
        list(prefetch(7, 1))  # type: ignore[arg-type]


def test_a_consumers_error_ends_the_producer() -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            yield from count()
        finally:
            closed.set()

    def consume() -> None:
        for item in prefetch(items(), 4):
            if item == 3:
                raise RuntimeError("consumer")

    with pytest.raises(RuntimeError, match="consumer"):
        consume()
    assert closed.is_set()


@pytest.mark.parametrize("depth", [1, 3])
def test_the_producer_is_never_more_than_depth_ahead(depth: int) -> None:
    made = 0
    full = threading.Event()

    def items() -> Iterator[int]:
        nonlocal made
        for number in range(20):
            made += 1
            if made == depth + 2:
                full.set()
            yield number

    for taken, _ in enumerate(prefetch(items(), depth), start=1):
        if taken == 1:
            assert full.wait(10)  # it does run ahead: one taken, depth waiting, one in its hand
        assert made <= taken + depth + 1
    assert made == 20


def test_prefetch_can_be_nested() -> None:
    doubled = (2 * item for item in prefetch(iter(range(50)), 2))
    assert list(prefetch(doubled, 2)) == [2 * item for item in range(50)]


@pytest.mark.parametrize("depth", [0, -1])
def test_a_depth_below_one_is_refused(depth: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        list(prefetch([], depth))
    with pytest.raises(ValueError, match="at least 1"):
        Sink(print, depth)


def test_sink_works_in_order_in_another_thread() -> None:
    done: list[int] = []
    threads = set()

    def work(item: int) -> None:
        threads.add(threading.get_ident())
        done.append(item)

    with Sink(work, 2) as sink:
        for item in range(50):
            sink.put(item)
    assert done == list(range(50))
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_sink_holds_no_more_than_depth() -> None:
    go = threading.Event()
    put: list[int] = []
    done: list[int] = []

    def work(item: int) -> None:
        assert go.wait(10)
        assert len(put) <= len(done) + 4  # one at work, two waiting, one being put
        done.append(item)

    with Sink(work, 2) as sink:
        for item in range(3):
            put.append(item)
            sink.put(item)
        assert not done
        go.set()
        for item in range(3, 20):
            put.append(item)
            sink.put(item)
    assert done == list(range(20))


def test_sinks_own_error_is_raised_at_a_put() -> None:
    failure = OSError("disk full")

    def work(item: int) -> None:
        raise failure

    with pytest.raises(OSError, match="disk full") as caught, Sink(work, 1) as sink:  # noqa: PT012
        for item in count():
            sink.put(item)
    assert caught.value is failure


def test_sinks_own_error_is_raised_at_the_end() -> None:
    def work(item: int) -> None:
        raise OSError("late")

    with pytest.raises(OSError, match="late"), Sink(work, 5) as sink:
        sink.put(1)


def test_an_error_in_the_block_drops_what_waits_and_is_the_one_raised() -> None:
    begun, go = threading.Event(), threading.Event()
    done = []

    def work(item: int) -> None:
        begun.set()
        assert go.wait(10)
        done.append(item)
        raise OSError("of the sink")

    with pytest.raises(KeyError), Sink(work, 5) as sink:  # noqa: PT012
        for item in range(5):
            sink.put(item)
        assert begun.wait(10)
        go.set()
        raise KeyError("of the block")
    assert done in ([0], [])


def test_a_closed_sink_takes_nothing() -> None:
    with Sink(print, 1) as sink:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        sink.put(1)


def test_what_worked_is_freed_at_once() -> None:
    class Encoder:
        def write(self, item: int) -> None: ...

    gc.disable()  # an encoder holds many pictures: its end must not wait for the collector
    try:
        encoder = Encoder()
        freed = weakref.ref(encoder)
        with Sink(encoder.write, 1) as sink:
            sink.put(1)
        del encoder, sink
        assert freed() is None
    finally:
        gc.enable()


def test_a_reader_that_stands_still_does_not_hide_the_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    go, items = threading.Event(), 0

    def hangs() -> Iterator[int]:
        yield 1
        go.wait(60)

    with pytest.raises(KeyError), contextlib.closing(prefetch(hangs(), 2)) as ahead:  # noqa: PT012
        items += next(ahead)
        raise KeyError("of the painter")
    assert items == 1
    (left,) = (thread for thread in threading.enumerate() if thread.name == "c2e-worker")
    go.set()
    left.join(10)


def test_ctrl_c_in_the_consumer_ends_the_thread() -> None:
    def consume() -> None:
        for _ in prefetch(count(), 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        consume()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")
def test_a_signal_while_the_end_is_waited_for_leaves_no_work_behind() -> None:
    done, going_on = [], threading.Event()

    def work(item: int) -> None:
        going_on.wait(0.3)
        done.append(item)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, stop)
    try:
        with pytest.raises(KeyboardInterrupt), Sink(work, 1) as sink:  # noqa: PT012
            sink.put(1)
            signal.setitimer(signal.ITIMER_REAL, 0.1)
        assert done == [1]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("side", ["reading", "writing", "the end of writing"])
def test_a_thread_that_stands_still_is_given_up(monkeypatch: pytest.MonkeyPatch, side: str) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    disk_is_back = threading.Event()

    def reading() -> Iterator[int]:
        yield 1
        disk_is_back.wait()

    def write(item: int) -> None:
        disk_is_back.wait()

    def work() -> None:
        if side == "reading":
            assert list(prefetch(reading(), 1))
        with Sink(write, 1) as sink:
            for item in range(1 if side == "the end of writing" else 5):
                sink.put(item)

    try:
        with pytest.raises(C2EError, match=r"has stood still for .* minutes"):
            work()
    finally:
        disk_is_back.set()
        for thread in threading.enumerate():
            if thread.name == "c2e-worker":
                thread.join()


@pytest.mark.parametrize("side", ["reading", "writing"])
def test_slow_work_is_no_stillness(monkeypatch: pytest.MonkeyPatch, side: str) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    ready = threading.Event()
    looks = count()

    def computed() -> float:
        """A second between looks."""
        poll = next(looks)
        if poll == 20:
            ready.set()
        return float(poll)

    def reading() -> Iterator[int]:
        assert ready.wait(10)
        yield 1

    def write(item: int) -> None:
        assert ready.wait(10)

    monkeypatch.setattr(module, "process_time", computed)
    if side == "reading":
        assert list(prefetch(reading(), 1)) == [1]
        return
    with Sink(write, 1) as sink:
        sink.put(1)
    assert ready.is_set()
