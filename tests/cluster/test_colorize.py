"""A film made by workers is the film that one machine makes, whatever happens to them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from c2e_video.cluster.colorize import colorize_on_cluster
from c2e_video.cluster.settings import ClusterSettings
from c2e_video.cluster.versions import versions
from c2e_video.cluster.worker import FilmOrder
from c2e_video.errors import C2EError, MediaError
from c2e_video.pipeline import planned_film
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from c2e_video.video.encode import EncodeSettings
from tests.cluster.watch import Watch, rendering, wait_for_workers
from tests.media import picture_digests, write_film

pytestmark = pytest.mark.cluster
ONE_CORE = ClusterSettings(cpus=1)
Workers = Callable[..., None]


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A film of 48 frames in six segments."""
    monkeypatch.setattr(planned_film, "SEGMENT_SECONDS", 0.4)
    return write_film(tmp_path / "film.mkv", shots=(16, 16, 16), codec="ffv1", audio="flac")


@pytest.fixture
def options(quick: Options) -> Options:
    return replace(quick, encode=EncodeSettings("ffv1"), batch=4)


@pytest.fixture
def whole(film: Path, reference: Path, options: Options) -> Any:
    """The frames of the film that this process makes."""
    output = film.with_name("whole.mkv")
    colorize_video(film, output, references=reference, options=options)
    return picture_digests(output)


def on_cluster(film: Path, reference: Path, options: Options, watch: Watch) -> Any:
    output = film.with_name("out.mkv")
    colorize_on_cluster(
        film, output, references=reference, options=options, cluster=ONE_CORE, progress=watch
    )
    assert not output.with_name("out.mkv.c2e").exists()
    return picture_digests(output)


def test_the_frames_are_those_of_one_machine(
    workers: Workers, film: Path, reference: Path, options: Options, whole: Any
) -> None:
    watch = Watch()
    assert on_cluster(film, reference, options, watch) == whole
    assert watch.frames == 48
    manifest = film.with_name("out.mkv.json").read_text()
    assert '"machines"' in manifest


def test_a_worker_that_reaches_no_file_is_sent_the_frames_and_sends_the_part(
    workers: Workers,
    film: Path,
    reference: Path,
    options: Options,
    whole: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def elsewhere(*values: Any) -> Any:
        return replace(FilmOrder(*values), source_digest="other", folder_digest="other")

    monkeypatch.setattr("c2e_video.cluster.pool.FilmOrder", elsewhere)
    watch = Watch()
    assert on_cluster(film, reference, options, watch) == whole
    assert sum("its frames are sent" in line for line in watch.notes) == 1


def test_a_killed_workers_segment_is_done_again_and_told_once(
    workers: Workers, film: Path, reference: Path, options: Options, whole: Any
) -> None:
    workers(delay=0.4)
    killed: list[int] = []

    def kill(frames: int) -> None:
        if not killed and (found := rendering()):
            killed.append(found[0])
            os.kill(found[0], signal.SIGKILL)

    watch = Watch(kill)
    assert on_cluster(film, reference, options, watch) == whole
    assert len(killed) == 1
    assert watch.frames == 48
    told = [line for line in watch.notes if "begun again" in line]
    assert len(told) == 1
    assert "its worker process was killed" in told[0]


def test_a_segment_that_fails_three_times_stops_the_run_with_its_own_error(
    workers: Workers, film: Path, reference: Path, options: Options, whole: Any
) -> None:
    workers(error="the disk is on fire")
    watch = Watch()
    with pytest.raises(MediaError, match="the disk is on fire"):
        on_cluster(film, reference, options, watch)
    wait_for_workers()
    workers()
    assert on_cluster(film, reference, options, Watch()) == whole


def test_a_run_on_a_cluster_is_finished_without_one(
    workers: Workers, film: Path, reference: Path, options: Options, whole: Any
) -> None:
    def stop(frames: int) -> None:
        if frames >= 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        on_cluster(film, reference, options, Watch(stop))
    wait_for_workers()
    output = film.with_name("out.mkv")
    assert list(output.with_name("out.mkv.c2e").glob("part-*.json"))
    assert not list(output.with_name("out.mkv.c2e").glob("*.partial*"))
    watch = Watch()
    colorize_video(film, output, references=reference, options=options, progress=watch)
    assert any("taking up" in line for line in watch.notes)
    assert picture_digests(output) == whole


def test_a_run_without_a_cluster_is_finished_on_one(
    workers: Workers, film: Path, reference: Path, options: Options, whole: Any
) -> None:
    def stop(frames: int) -> None:
        if frames >= 24:
            raise KeyboardInterrupt

    output = film.with_name("out.mkv")
    with pytest.raises(KeyboardInterrupt):
        colorize_video(film, output, references=reference, options=options, progress=Watch(stop))
    watch = Watch()
    assert on_cluster(film, reference, options, watch) == whole
    assert any("taking up" in line for line in watch.notes)


def test_a_worker_of_another_version_is_refused_with_both_named(
    workers: Workers,
    film: Path,
    reference: Path,
    options: Options,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = {**versions(), "c2e-video": "9.9.9 (code 0123456789ab)"}
    monkeypatch.setattr("c2e_video.cluster.pool.versions", lambda: here)
    with pytest.raises(C2EError, match=r"refused: c2e-video .* there, 9\.9\.9 .* here"):
        on_cluster(film, reference, options, Watch())
