"""Damaged and cut-off films give every frame that can be decoded."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from c2e_video.errors import MediaError
from c2e_video.video.decode import DecodeReport
from c2e_video.video.decode.decoder import decode, probe
from c2e_video.video.decode.luma import luma_of
from tests.media import (
    luma,
    packets,
    picture,
    video_pts,
    write_film,
)
from tests.video.decoding import frames_of, made_info, same


def one_thread(path: Path) -> list[tuple[int | None, bytes]]:
    """What plain PyAV gets out of a film with one decoder thread, errors passed over."""
    got = []
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        stream.codec_context.thread_count = 1
        for packet in [*(p for p in film.demux(stream) if p.size), None]:
            try:
                got += [(f.pts, bytes(f.planes[0])) for f in stream.decode(packet)]
            except av.error.InvalidDataError:
                continue
    return got


def test_a_damaged_packet_costs_itself_and_no_more(tmp_path: Path) -> None:
    film = write_film(tmp_path / "f.mkv", 30, b_frames=2, gop=10)
    data = bytearray(film.read_bytes())
    for number in (8, 15):  # packets in file order; neither is a key frame
        payload = packets(film, "video")[number].data
        data[(at := data.index(payload)) : at + len(payload)] = bytes(len(payload))
    whole = video_pts(film)
    film.write_bytes(data)
    reports = [DecodeReport() for _ in range(3)]
    runs = [frames_of(film, report=report) for report in reports]
    assert reports[0].corrupt_packets == 2
    assert reports[0].frames == len(runs[0]) == 28
    assert not reports[0].truncated
    assert any("too damaged to decode: 2" in line for line in reports[0].problems())
    assert [frame.pts for frame in runs[0]] == [pts for pts, _ in one_thread(film)]
    assert {frame.pts for frame in runs[0]} < set(whole)
    assert all(report == reports[0] for report in reports)
    assert all(same(run, runs[0]) for run in runs)


@pytest.mark.parametrize("name", ["f.mkv", "f.ts", "f.mp4", "f.avi", "f.nut", "f.webm"])
@pytest.mark.parametrize("share", [0.5, 0.73])
def test_a_film_cut_off_is_decoded_as_far_as_it_goes(
    tmp_path: Path, name: str, share: float
) -> None:
    options = {"f.mp4": {"movflags": "faststart"}}.get(name)
    film = write_film(tmp_path / name, 75, b_frames=2, container_options=options)
    whole = video_pts(film)
    data = film.read_bytes()
    film.write_bytes(data[: int(len(data) * share) + 7])
    report = DecodeReport()
    frames = frames_of(film, report=report)
    assert 20 < len(frames) < 70
    assert [frame.pts for frame in frames] == [pts for pts, _ in one_thread(film)]
    assert {frame.pts for frame in frames} <= set(whole)
    assert report.truncated
    assert "cut off" in report.problems()[-1]


def test_an_unfinished_mp4_says_so(tmp_path: Path) -> None:
    film = write_film(tmp_path / "f.mp4", 75)
    film.write_bytes(film.read_bytes()[:2000])
    with pytest.raises(MediaError, match="cut off"):
        probe(film)


@pytest.mark.parametrize("audio", [None, "aac"])
@pytest.mark.parametrize("name", ["f.mkv", "f.ts", "f.mp4", "f.mov"])
def test_a_whole_film_is_not_called_cut_off(tmp_path: Path, name: str, audio: str | None) -> None:
    film = write_film(tmp_path / name, 40, audio=audio, chapters=[(0, 1, "one"), (1, 1.5, "two")])
    report = DecodeReport()
    frames_of(film, report=report)
    assert report.problems() == []


def test_only_the_end_can_be_missing(tmp_path: Path) -> None:
    film = write_film(tmp_path / "f.ts", 60)
    film.write_bytes(film.read_bytes()[:-77])
    report, info = DecodeReport(), probe(film)
    early = list(decode(film, info, stop=20 * 3600, report=report))
    assert early
    assert not report.truncated


def test_a_change_of_size_is_scaled_to_the_film(tmp_path: Path) -> None:
    film = tmp_path / "f.ts"
    first = write_film(tmp_path / "1.ts", 10, (64, 48))
    later = write_film(tmp_path / "2.ts", 10, (32, 24), pts=range(10, 20))
    film.write_bytes(first.read_bytes() + later.read_bytes())
    report = DecodeReport()
    frames = frames_of(film, report=report)
    assert report.rescaled == 10
    assert [frame.luma.shape for frame in frames] == [(48, 64)] * 20
    assert np.array_equal(frames[9].luma, luma(9))
    small = luma(0, size=(32, 24)).astype(float)
    assert abs(frames[10].luma.mean() - small.mean()) < 2
    assert "another size, depth or range: 10" in report.problems()[0]


def test_a_change_of_depth_or_range_keeps_black_and_white() -> None:
    frame = picture(np.array([[64, 940], [502, 64]], np.uint16), "gray10le")
    frame.color_range = 1
    info = made_info(2, 2, "yuv420p", 8)
    report = DecodeReport()
    assert luma_of(frame, info, report).tolist() == [[16, 235], [126, 16]]
    frame = picture(np.array([[0, 255], [128, 0]], np.uint8), "gray")
    frame.color_range = 2
    assert luma_of(frame, info, report).tolist() == [[16, 235], [126, 16]]
    assert report.rescaled == 2
