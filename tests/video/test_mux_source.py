"""The sources whose other tracks are not as they should be: joined, untidy, damaged, gone."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import av
import av.error
import pytest

import c2e_video.video.mux as module
from c2e_video.errors import MediaError
from c2e_video.video.decode.decoder import probe
from c2e_video.video.mux import mux, plan_mux
from c2e_video.video.mux import source_packets as reading
from tests import media
from tests.video.muxing import FFV1, H264, paint, tracks


def finished(source: Path, output: Path) -> list[str]:
    """Write the painted film; what was said of it meanwhile."""
    how = FFV1 if output.suffix == ".mkv" else H264
    plan = plan_mux(source, output, probe(source), how)
    return mux(plan, paint(source, how), output, {})


# -- untidy times ---------------------------------------------------------------------------------


def test_equal_times_stay_where_the_container_has_them(tmp_path: Path) -> None:
    """As of TrueHD in Matroska, whose clock is coarser than the packets are long."""

    def film(output: str) -> list[Any]:
        finished(source, tmp_path / output)
        return tracks(tmp_path / output, "audio")[0]

    plain = media.write_film(tmp_path / "plain.mkv", 10, audio="flac")
    source = tmp_path / "film.mkv"
    with av.open(str(plain)) as read, av.open(str(source), "w") as copy:
        streams = [copy.add_stream_from_template(s, opaque=True) for s in read.streams]
        for packet in read.demux():
            if packet.size:
                stream = streams[packet.stream.index]
                if packet.stream.type == "audio" and packet.pts is not None:
                    packet.pts = packet.dts = packet.pts // 200 * 200
                packet.stream = stream
                copy.mux(packet)
    (before,) = tracks(source, "audio")
    assert len({at for at, _ in before}) < len(before)
    assert film("out.mkv") == before
    assert [data for _, data in film("out.mp4")] == [data for _, data in before]


# -- errors ----------------------------------------------------------------------------------------


def test_what_the_container_refuses_late_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise av.error.ArgumentError(22, "Invalid argument")

    source = media.write_film(tmp_path / "film.mp4", 2, audio="aac")
    monkeypatch.setattr(module, "write_film", refuse)
    with pytest.raises(MediaError, match=r"mp4 does not take a track of film\.mp4 \(Invalid arg"):
        finished(source, tmp_path / "out.mp4")


class Failing:
    """An open film whose reading fails after so many packets."""

    def __init__(self, film: Any, error: Exception, after: int = 0) -> None:
        self.streams, self.film, self.error, self.after = film.streams, film, error, after

    def demux(self, streams: Any) -> Any:
        yield from islice(self.film.demux(streams), self.after)
        raise self.error


def test_a_source_that_cannot_be_read_is_named_and_no_other_disk(tmp_path: Path) -> None:
    source = media.write_film(tmp_path / "film.mp4", 2)
    plan = plan_mux(source, tmp_path / "out.mp4", probe(source), H264)
    with av.open(str(source)) as film:
        gone: Any = Failing(film, av.error.OSError(5, "Input/output error"))
        with pytest.raises(MediaError, match=r"cannot read '.*film\.mp4': Input/output error"):
            list(reading._read(plan, gone, [0], []))


def test_damage_that_ends_the_sound_is_told(tmp_path: Path) -> None:
    source = media.write_film(tmp_path / "film.mkv", 12, audio="flac")
    plan = plan_mux(source, tmp_path / "out.mkv", probe(source), FFV1)
    notes: list[str] = []
    with av.open(str(source)) as film:
        broken: Any = Failing(film, av.error.InvalidDataError(1, "Invalid data"), after=3)
        assert len(list(reading._read(plan, broken, [1], notes))) == 3
    assert notes == [
        "film.mkv is damaged after 0.192 s: what follows of audio stream 1 (flac) is lost"
    ]
