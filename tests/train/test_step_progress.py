"""A training run says early how long it takes, and a stop keeps its steps."""

from __future__ import annotations

import signal
import time

import pytest

from c2e_video.cli.signals import Stop, Stopper, postponed_stop
from c2e_video.train.step_progress import StepProgress, duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(7.4, "7 s"), (90, "1 min 30 s"), (12000, "3 h 20 min"), (200000, "2 d 7 h")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_the_time_left_is_told_after_the_first_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first step, which is slow, does not count."""
    now, notes = [0.0], list[str]()
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    progress = StepProgress(1010, 6, note=notes.append)
    for seconds in (60, 2, 2, 2, 5, 5):
        now[0] += seconds
        progress.advance()
    assert notes == ["a step takes 2 s: 1,000 more take 33 min 20 s"]


def test_a_postponed_stop_comes_at_the_end_of_the_block() -> None:
    Stopper.listen()
    done: list[int] = []

    def work() -> None:
        with postponed_stop() as stop_asked:
            while not stop_asked():
                signal.raise_signal(signal.SIGTERM)
                done.append(1)

    with pytest.raises(Stop) as stop:
        work()
    assert done == [1]
    assert stop.value.code == 143


def test_without_a_signal_nothing_is_stopped() -> None:
    Stopper.listen()
    with postponed_stop() as stop_asked:
        assert not stop_asked()
