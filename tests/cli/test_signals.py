"""Signals end a command, whatever it is at."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from c2e_video.cli.signals import Stop, Stopper


class StoppedAsItGoes:
    """A signal comes while this goes away, where Python drops whatever is raised."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


def test_a_stop_that_python_drops_comes_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def go_on() -> None:
        StoppedAsItGoes()
        signal.raise_signal(signal.SIGTERM)  # some shells send it twice
        time.sleep(30)

    monkeypatch.setattr(os, "_exit", sys.exit)
    Stopper.listen()
    began = time.monotonic()
    with pytest.raises(Stop) as stopped:
        go_on()
    assert stopped.value.code == 143
    assert time.monotonic() - began < 20
    assert not capsys.readouterr().err
