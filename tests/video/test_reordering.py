"""Films with B-frames in AVI, which has times of decoding only: frames follow each other evenly."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from c2e_video.video.decode import DecodeReport, frames_at
from c2e_video.video.decode.decoder import decode, probe
from c2e_video.video.decode.reordering import DisplayTimes
from tests import media
from tests.video.muxing import finish, picture_times

X264 = {"qp": "-1", "crf": "20", "preset": "medium"}
OPEN = X264 | {"x264-params": "open-gop=1:keyint=12:min-keyint=12:scenecut=0"}


@pytest.mark.parametrize(
    ("codec", "how"),
    [
        ("libx264", {"b_frames": 1, "options": X264}),
        ("libx264", {"b_frames": 2, "options": X264}),
        ("libx264", {"b_frames": 3, "options": X264}),
        ("libx264", {"b_frames": 3, "options": OPEN}),
        ("libx264", {"options": X264 | {"bf": "0"}}),
        ("mpeg4", {"b_frames": 2}),
        ("mpeg2video", {"b_frames": 2}),
        ("ffv1", {}),
    ],
)
def test_frames_in_avi_are_evenly_spaced(tmp_path: Path, codec: str, how: Any) -> None:
    film = media.write_film(tmp_path / "film.avi", 48, codec=codec, **how)
    info, report = probe(film), DecodeReport()
    frames = list(decode(film, info, report=report))
    pts = [frame.pts for frame in frames]
    assert len(pts) == 48
    assert {b - a for a, b in pairwise(pts)} == {1}
    with av.open(str(film)) as plain:
        assert pts[0] <= plain.streams.video[0].codec_context.reorder_depth + 1
    assert report.problems() == []
    for index, frame in enumerate(frames):  # in order of display
        assert np.abs(frame.luma.astype(float) - media.luma(index)).mean() < 8


def test_any_frame_is_found_again(tmp_path: Path) -> None:
    film = media.write_film(
        tmp_path / "film.avi", 48, codec="libx264", b_frames=3, gop=12, options=X264
    )
    info = probe(film)
    whole = list(decode(film, info))
    for first in (0, 5, 12, 30, 47):
        some = list(decode(film, info, start=whole[first].pts))
        assert [f.pts for f in some] == [f.pts for f in whole[first:]]
        np.testing.assert_array_equal(some[0].luma, whole[first].luma)
    wanted = [whole[k].pts for k in (3, 20, 40)]
    assert [f.pts for f in frames_at(film, info, wanted)] == wanted


def test_it_is_even_in_the_output(tmp_path: Path) -> None:
    source = media.write_film(
        tmp_path / "film.avi", 30, codec="libx264", b_frames=3, options=X264, audio="libmp3lame"
    )
    finish(source, tmp_path / "out.mp4")
    assert {b - a for a, b in pairwise(picture_times(tmp_path / "out.mp4"))} == {
        probe(source).time_base
    }


def test_a_damaged_packet_moves_no_frame_after_the_next_key_frame(tmp_path: Path) -> None:
    film = media.write_film(
        tmp_path / "film.avi", 48, codec="libx264", b_frames=2, gop=12, options=X264
    )
    info = probe(film)
    before = [frame.pts for frame in decode(film, info)]
    packet = media.packets(film, "video")[4]
    data = film.read_bytes()
    at = data.index(packet.data)
    film.write_bytes(data[:at] + bytes(len(packet.data)) + data[at + len(packet.data) :])
    after = [frame.pts for frame in decode(film, info)]
    assert after[-30:] == before[-30:]
    assert after == sorted(set(after))
    assert set(after) <= set(before)


# -- the order -------------------------------------------------------------------------------------


def picture(own: int, key: bool = False) -> Any:
    class Shown:
        pts, key_frame = own, key

    return Shown()


def test_the_nth_frame_shown_has_the_nth_time() -> None:
    times = DisplayTimes(2)
    for dts in range(4):
        times.sent(dts)
    assert [times.shown(picture(own, own == 0)) for own in (0, 3, 2, 1)] == [2, 3, 4, 5]


def test_lost_packets_count_until_they_are_told_or_a_key_frame_comes() -> None:
    times = DisplayTimes(1)
    for dts in range(3):
        times.sent(dts)
    times.failed(1)
    assert [times.shown(picture(own)) for own in (0, 2)] == [1, 3]
    for dts in (3, 4, 5):
        times.sent(dts)
    assert times.shown(picture(5, key=True)) == 6
