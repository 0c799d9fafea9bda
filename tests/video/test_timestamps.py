"""Frame times are the film's own; missing and wrong ones are repaired."""

from __future__ import annotations

import gc
import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
from av.sidedata.sidedata import SideDataContainer

from c2e_video.video.decode import DecodeReport
from c2e_video.video.decode.decoder import probe
from c2e_video.video.decode.timestamps import timed
from tests.media import (
    packets,
    video_pts,
    write_film,
)
from tests.video.decoding import HOLES, frames_of, made_info, same


@pytest.mark.parametrize("name", ["f.mp4", "f.mkv", "f.nut", "f.mov"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_variable_rate_with_holes(tmp_path: Path, name: str, b_frames: int) -> None:
    film = write_film(
        tmp_path / name, pts=HOLES, time_base=Fraction(1, 50), b_frames=b_frames, codec="libx264"
    )
    info, report = probe(film), DecodeReport()
    frames = frames_of(film, report=report)
    assert [frame.pts for frame in frames] == video_pts(film)
    shift = frames[0].pts * info.time_base - Fraction(HOLES[0], 50)  # nut moves the whole film
    for frame, time in zip(frames, HOLES, strict=True):
        assert abs(frame.pts * info.time_base - shift - Fraction(time, 50)) <= Fraction(1, 1000)
    for frame, after in pairwise(frames):
        assert 0 < frame.duration <= after.pts - frame.pts
    assert frames[-1].duration > 0
    assert report.repaired_timestamps == 0


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), 25, Fraction(30000, 1001), 18])
def test_durations_fill_a_steady_film(tmp_path: Path, rate: Fraction | int) -> None:
    film = write_film(tmp_path / "f.mp4", rate=rate, b_frames=2)
    info, frames = probe(film), frames_of(film)
    for frame, after in pairwise(frames):
        assert frame.pts + frame.duration == after.pts
    end = (frames[-1].pts + frames[-1].duration - frames[0].pts) * info.time_base
    assert abs(end - Fraction(12) / rate) < Fraction(1, 1000)


def pictures(*times: int | None, duration: int = 0) -> list[av.VideoFrame]:
    made = []
    for time in times:
        frame = av.VideoFrame(2, 2, "gray")
        frame.pts, frame.duration = time, duration
        made.append(frame)
    return made


def times(*raw: int | None, duration: int = 0) -> list[int]:
    return [
        pts for _, pts, _ in timed(pictures(*raw, duration=duration), made_info(2, 2, "gray", 8))
    ]


def test_good_times_are_kept() -> None:
    assert times(3, 4, 9, 20) == [3, 4, 9, 20]
    assert times(-2, -1, 0) == [-2, -1, 0]
    assert times(7) == [7]
    assert times() == []


def test_missing_times_follow_the_frame_before() -> None:
    assert times(None, None, None) == [0, 1, 2]
    assert times(None, None, duration=512) == [0, 512]
    assert times(10, None, None, 40, duration=10) == [10, 20, 30, 40]
    assert times(None, 100, duration=10) == [90, 100]


def test_times_that_go_back_or_stand_still_are_moved() -> None:
    assert times(0, 10, 10, 30, duration=10) == [0, 10, 20, 30]
    assert times(0, 10, 10, 12, 20, duration=10) == [0, 10, 11, 12, 20]
    assert times(0, 10, 20, 0, 10, 20, duration=10) == [0, 10, 20, 30, 40, 50]


def test_a_stray_time_does_not_push_the_rest() -> None:
    assert times(0, 10, 10**9, 30, 40, duration=10) == [0, 10, 20, 30, 40]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_after_a_seek_a_stray_time_is_not_taken_for_the_first(tmp_path: Path, suffix: str) -> None:
    """One packet's time leaps ahead; from any frame on the film's are those of the whole."""
    source, film = write_film(tmp_path / f"in{suffix}", 60, gop=30), tmp_path / f"film{suffix}"
    with av.open(str(source)) as whole, av.open(str(film), "w") as copy:
        stream = copy.add_stream_from_template(whole.streams.video[0], opaque=True)
        for number, packet in enumerate(whole.demux(video=0)):
            if packet.size and packet.pts is not None and packet.time_base is not None:
                packet.pts += round(5 / packet.time_base) if number == 16 else 0
                packet.stream = stream
                copy.mux(packet)
    frames = frames_of(film)
    for first in (14, 15, 16, 17, 18):
        assert same(frames_of(film, start=frames[first].pts), frames[first:])


def test_durations() -> None:
    info = made_info(2, 2, "gray", 8)

    def durations(frames: list[av.VideoFrame]) -> list[int]:
        return [duration for _, _, duration in timed(frames, info)]

    assert durations(pictures(0, 3, 10)) == [3, 7, 1]  # the gap; at the end one of 25 a second
    assert durations(pictures(0, 3, 10, duration=5)) == [3, 5, 5]  # its own, but not past the next


def test_a_raw_stream_without_times(tmp_path: Path) -> None:
    stream = tmp_path / "film.h264"
    stream.write_bytes(b"".join(p.data for p in packets(annex_b(tmp_path), "video")))
    info, report = probe(stream), DecodeReport()
    frames = frames_of(stream, report=report)
    assert report.repaired_timestamps == len(frames) == 30
    seconds = [float(frame.pts * info.time_base) for frame in frames]
    assert seconds == pytest.approx([i / 25 for i in range(30)])
    assert "without a usable time: 30" in report.problems()[0]
    assert same(frames_of(stream, start=frames[17].pts), frames[17:])


def test_captions_inside_the_pictures_are_told(tmp_path: Path) -> None:
    """As American television has them (ATSC A/53, part 4): they have no packets that could be copied."""
    caption = b"\xb5\x00\x31GA94\x03\x41\xff\xfc\x94\x2c\xff"
    note = b"\x00\x00\x01\x06\x04" + bytes([len(caption)]) + caption + b"\x80"
    stream = tmp_path / "film.h264"
    with open(stream, "wb") as file:
        for packet in packets(annex_b(tmp_path), "video"):
            slices = re.search(rb"\x00\x00\x01[\x01\x21\x41\x61\x65]", packet.data)
            assert slices
            file.write(packet.data[: slices.start()] + note + packet.data[slices.start() :])
    report = DecodeReport()
    assert len(frames_of(stream, report=report)) == 30
    assert "closed captions inside them: 30" in report.problems()[-1]


def test_a_picture_goes_as_soon_as_its_frame_is_given(tmp_path: Path) -> None:
    """Pictures in cycles would wait for the collector, a hundred at a time: gigabytes of large ones."""
    film = write_film(tmp_path / "film.mp4", 30)
    gc.collect()
    gc.disable()
    try:
        frames_of(film)
        alive = [thing for thing in gc.get_objects() if type(thing) is SideDataContainer]
    finally:
        gc.enable()
    assert len(alive) < 5


def annex_b(folder: Path) -> Path:
    return write_film(folder / "annexb.ts", 30, b_frames=2, gop=8)
