"""From any place on, the frames are those of the whole film."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from c2e_video.video import decode as decoding
from c2e_video.video.decode import DecodeReport, decoder
from c2e_video.video.decode.decoder import probe
from c2e_video.video.decode.demuxer import Demuxer
from c2e_video.video.decode.seeking import pictures_from
from tests.media import (
    luma,
    write_film,
)
from tests.video.decoding import HOLES, frames_of, same

SEEKS: dict[str, dict[str, Any]] = {
    "closed.mp4": {"b_frames": 2},
    "open.mkv": {"b_frames": 3, "options": {"x264-params": "open-gop=1"}},
    "open.ts": {"b_frames": 3, "options": {"x264-params": "open-gop=1"}},
    "dvd.mpg": {"b_frames": 2},
    "mpeg2.ts": {"b_frames": 2, "codec": "mpeg2video"},
    "xvid.avi": {"b_frames": 2, "codec": "mpeg4"},
    "hevc.mp4": {
        "codec": "libx265",
        "b_frames": 3,
        "options": {"x265-params": "open-gop=1:log-level=none", "preset": "ultrafast"},
    },
    "vp9.webm": {"options": {"deadline": "realtime", "cpu-used": "8"}},
    "ffv1.nut": {},
    "holes.mkv": {"pts": [3 * i + i % 2 + 40 * (i > 30) for i in range(60)], "b_frames": 2},
    "refresh.mkv": {"options": {"x264-params": "intra-refresh=1"}},
}


@pytest.mark.parametrize("name", SEEKS)
def test_from_anywhere_the_frames_are_those_of_the_whole_film(tmp_path: Path, name: str) -> None:
    film = write_film(tmp_path / name, 60, gop=9, **SEEKS[name])
    whole = frames_of(film)
    assert len(whole) == 60
    for first in (0, 1, 8, 9, 10, 17, 31, 44, 59):
        last = min(first + 5, 59)
        part = frames_of(film, start=whole[first].pts, stop=whole[last].pts)
        assert same(part, whole[first:last]), first


@pytest.mark.parametrize("name", ["closed.mp4", "open.mkv", "open.ts", "mpeg2.ts", "vp9.webm"])
def test_a_seek_does_not_decode_the_film_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    film = write_film(tmp_path / name, 300, (32, 16), gop=9, **SEEKS[name])
    whole, decoded = frames_of(film), []
    real = Demuxer._decode

    def counting(self: Demuxer, packet: Any) -> Any:
        decoded.append(packet)
        return real(self, packet)

    monkeypatch.setattr(Demuxer, "_decode", counting)
    part = frames_of(film, start=whole[280].pts, stop=whole[284].pts)
    assert same(part, whole[280:284])
    assert len(decoded) < 200  # of 300, as a second try may begin five seconds earlier


def test_start_and_stop_are_half_open_and_need_be_no_frames_time(tmp_path: Path) -> None:
    film = write_film(tmp_path / "f.mkv", pts=HOLES, time_base=Fraction(1, 50))
    whole = frames_of(film)
    assert same(frames_of(film, start=-(10**6)), whole)
    assert same(frames_of(film, start=whole[5].pts - 3, stop=whole[8].pts + 1), whole[5:9])
    assert same(frames_of(film, start=whole[5].pts, stop=whole[5].pts + 1), whole[5:6])
    assert frames_of(film, start=whole[5].pts, stop=whole[5].pts) == []
    assert frames_of(film, start=whole[-1].pts + 1) == []
    assert frames_of(film, start=1 << 70) == []


def test_recordings_joined_end_to_end(tmp_path: Path) -> None:
    """Time begins anew in the middle: a seek alone would find the wrong half."""
    film = tmp_path / "joined.ts"
    halves = [write_film(tmp_path / f"{i}.ts", shots=[0] * i + [30], gop=9) for i in range(2)]
    film.write_bytes(b"".join(half.read_bytes() for half in halves))
    report = DecodeReport()
    whole = frames_of(film, report=report)
    assert len(whole) == 60
    assert report.problems() == []
    assert all(a.pts < b.pts for a, b in pairwise(whole))
    assert np.array_equal(whole[45].luma, luma(15, shot=1))
    for first in (5, 20, 35, 50):
        assert same(frames_of(film, start=whole[first].pts), whole[first:])


def test_chosen_frames_are_found_in_one_pass_where_no_seek_is_sure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan looks at a frame of hundreds of shots; each from the beginning would take a day."""
    film = write_film(tmp_path / "film.mkv", 30, gop=9)
    joined = tmp_path / "joined.ts"
    part = write_film(tmp_path / "part.ts", 30, gop=9).read_bytes()
    joined.write_bytes(part * 2)
    passes = []
    from_there = pictures_from

    def counted(path: Path, *rest: Any) -> Any:
        passes.append(path)
        return from_there(path, *rest)

    monkeypatch.setattr(decoder, "pictures_from", counted)
    for path, most in ((film, 3), (joined, 1)):
        whole = frames_of(path)
        chosen = [whole[k] for k in (4, 11, 29)]
        passes.clear()
        got = list(decoding.frames_at(path, probe(path), [frame.pts for frame in chosen]))
        assert same(got, chosen)
        assert len(passes) == most
    assert list(decoding.frames_at(film, probe(film), [])) == []
