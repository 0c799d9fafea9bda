"""A stop at any moment loses none of the frames that were finished, and says truly where work goes on."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from c2e_video.errors import MediaError
from c2e_video.inference.interpolation import context_frames
from c2e_video.inference.video_colorizer import VideoColorizer
from c2e_video.pipeline import planned_film
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from c2e_video.utils.progress import Silent
from c2e_video.video.encode import Encoder
from tests.factories import write_picture
from tests.media import picture_digests, write_film


class Watched(Silent):
    """Keeps what it is told; raises ``error`` once so many frames are done."""

    def __init__(self, stop_after: int = 1 << 30, error: type[BaseException] = KeyboardInterrupt):
        self.notes: list[str] = []
        self.counts: list[int] = []
        self.stop_after, self.error, self.colorizing = stop_after, error, False

    def stage(self, name: str, total: int | None, unit: str = "frame") -> None:
        self.colorizing = name == "colorizing"

    def advance(self, count: int) -> None:
        if self.colorizing:
            self.counts.append(count)
            if sum(self.counts) >= self.stop_after:
                raise self.error

    def note(self, line: str) -> None:
        self.notes.append(line)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """50 frames of one shot at 25 a second: 2 s."""
    return write_film(tmp_path / "film.mp4", 50, b_frames=2)


@pytest.fixture
def keyframe(tmp_path: Path) -> Path:
    return write_picture(tmp_path / "keyframe.png", 0)


def frames_predicted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The pts of every frame the network is given from now on."""
    seen: list[int] = []
    embedding_at = VideoColorizer.embedding_at

    def counted(self: VideoColorizer, pts: int, *rest: Any) -> Any:
        seen.append(pts)
        return embedding_at(self, pts, *rest)

    monkeypatch.setattr(VideoColorizer, "embedding_at", counted)
    return seen


@pytest.mark.parametrize("segment_seconds", [10, 0.4])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MediaError, SystemExit])
def test_no_finished_frame_is_colorized_again_and_the_film_is_the_same(
    film: Path,
    keyframe: Path,
    quick: Options,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
    segment_seconds: float,
) -> None:
    """In one segment, and across segments; with a lossy codec that reorders frames."""
    monkeypatch.setattr(planned_film, "SEGMENT_SECONDS", segment_seconds)
    options = replace(quick, anchor_interval=1)
    whole = colorize_video(film, film.with_name("whole.mp4"), references=keyframe, options=options)
    watched = Watched(stop_after=29, error=error)
    with pytest.raises(error) as stopped:
        colorize_video(film, references=keyframe, options=options, progress=watched)
    finished = sum(watched.counts)
    (note,) = stopped.value.__notes__
    at = re.fullmatch(r"finished frames are kept; the next run goes on at (\S+)", note)
    assert at is not None
    assert at[1] == f"00:00:0{finished / 25:.3f}"
    seen = frames_predicted(monkeypatch)
    again = Watched()
    result = colorize_video(film, references=keyframe, options=options, progress=again)
    assert f"taking up the interrupted run in film.color.mp4.c2e at {at[1]}" in again.notes
    assert len(seen) == 50 - finished + context_frames(1)
    assert sum(again.counts) == 50
    assert picture_digests(result.output) == picture_digests(whole.output)
    assert not film.with_name("film.color.mp4.c2e").exists()


def test_a_run_stopped_twice_in_one_segment(
    film: Path, keyframe: Path, quick: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = replace(quick, anchor_interval=1)
    whole = colorize_video(film, film.with_name("whole.mp4"), references=keyframe, options=options)
    for stop_after in (9, 30):
        with pytest.raises(KeyboardInterrupt):
            colorize_video(film, references=keyframe, options=options, progress=Watched(stop_after))
    seen = frames_predicted(monkeypatch)
    result = colorize_video(film, references=keyframe, options=options)
    assert len(seen) <= 50 - 30 + context_frames(1)
    assert picture_digests(result.output) == picture_digests(whole.output)


def test_an_encoder_that_fails_loses_no_finished_frame(
    film: Path, keyframe: Path, quick: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a full disk: the part is gone, what is in the journal is not."""
    write = Encoder.write

    def full(self: Encoder, batch: Any) -> None:
        if batch.gray.pts[0] > 20 * 512:
            raise MediaError("cannot write: No space left on device")
        write(self, batch)

    monkeypatch.setattr(Encoder, "write", full)
    options = replace(quick, anchor_interval=1)
    with pytest.raises(MediaError) as failed:
        colorize_video(film, references=keyframe, options=options)
    monkeypatch.setattr(Encoder, "write", write)
    seen = frames_predicted(monkeypatch)
    colorize_video(film, references=keyframe, options=options)
    assert "the next run goes on at 00:00:0" in failed.value.__notes__[0]
    assert len(seen) < 50 - 20 + context_frames(1)


def test_a_stop_before_the_first_frame_leaves_nothing(
    film: Path, keyframe: Path, quick: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(VideoColorizer, "embedding_at", stopped)
    with pytest.raises(KeyboardInterrupt) as error:
        colorize_video(film, references=keyframe, options=quick)
    assert error.value.__notes__ == ["no frame was finished yet"]
    assert sorted(p.name for p in film.parent.iterdir()) == ["film.mp4", "keyframe.png"]


def test_a_stop_while_the_film_is_joined_says_that_all_is_finished(
    film: Path, keyframe: Path, quick: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any) -> Any:
        raise KeyboardInterrupt

    mux = vars(planned_film)["mux"]
    monkeypatch.setattr(planned_film, "mux", stopped)
    with pytest.raises(KeyboardInterrupt) as error:
        colorize_video(film, references=keyframe, options=quick)
    assert error.value.__notes__ == ["all frames are finished and kept; the next run joins them"]
    monkeypatch.setattr(planned_film, "mux", mux)
    seen = frames_predicted(monkeypatch)
    colorize_video(film, references=keyframe, options=quick)
    assert not seen
