"""Progress counts what it says, ends where its stage ends, and keeps bars out of log files."""

from __future__ import annotations

import io
import sys
import time
from fractions import Fraction

import click
import pytest

from c2e_video.cli.progress_bar import ProgressBar
from c2e_video.cli.streams import QUIET
from c2e_video.planning.analysis import frames_expected
from tests.factories import video_info


class Terminal(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_bar_counts_in_its_unit_and_ends_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the total was an estimate that was too high."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with ProgressBar() as bar:
        bar.stage("comparing shots", 8, "shot")
        bar.advance(7)
        bar.note("a line")
        bar.stage("colorizing", 3)
        bar.advance(3)
    stages = terminal.getvalue().replace("\r", "\n").splitlines()
    assert any("comparing shots: 100%" in line and "7/7" in line for line in stages)
    assert any("shot" in line.split("comparing shots")[-1] for line in stages)
    assert any("colorizing: 100%" in line and "3/3" in line for line in stages)
    assert "c2e-video: a line" in stages


def test_a_bar_of_a_stage_that_failed_stays_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    bar = ProgressBar()
    bar.stage("colorizing", 8)
    bar.advance(4)
    bar.__exit__(KeyboardInterrupt)
    assert "100%" not in terminal.getvalue()


def test_a_log_file_gets_lines_and_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    log, now = io.StringIO(), [0.0]
    monkeypatch.setattr(sys, "stderr", log)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with ProgressBar() as bar:
        bar.stage("colorizing", 100)
        for _ in range(9):
            now[0] += 20
            bar.advance(10)
    assert log.getvalue().splitlines() == [
        "c2e-video: colorizing: 30 of 100 frames",
        "c2e-video: colorizing: 60 of 100 frames",
        "c2e-video: colorizing: 90 of 100 frames",
        "c2e-video: colorizing: 90 frames",
    ]


def test_a_stage_without_units_is_named_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    with ProgressBar() as bar:
        bar.stage("measuring time", None)
        bar.stage("colorizing", 0)
    lines = log.getvalue().splitlines()
    assert lines == ["c2e-video: measuring time", "c2e-video: colorizing: 0 frames"]


def test_quiet_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with click.Context(click.Command("x")) as context:
        context.meta[QUIET] = True
        with ProgressBar() as bar:
            bar.stage("colorizing", 3)
            bar.advance(3)
            bar.note("a line")
    assert not terminal.getvalue()


def test_a_closed_standard_error_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with ProgressBar() as bar:
        bar.stage("colorizing", 3)
        bar.advance(3)
        bar.note("a line")


@pytest.mark.parametrize(
    ("window", "count"),
    [
        ((None, None), 100),
        ((0, 50), 50),
        ((25, None), 75),
        ((90, 500), 10),  # asked for more than there is
        ((None, 10), 10),
    ],
)
def test_a_stretch_has_the_frames_of_the_stretch(
    window: tuple[int | None, int | None], count: int
) -> None:
    info = video_info(frame_rate=Fraction(25), frame_count=100, duration_seconds=4.0)
    assert frames_expected(info, window) == count
    assert frames_expected(video_info(), (0, 9)) is None
