"""Files that are no films end in one line, whatever is in them."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from c2e_video.errors import MediaError
from c2e_video.video.decode import DecodeReport
from c2e_video.video.decode.decoder import decode, probe
from c2e_video.video.decode.demuxer import Demuxer
from tests.factories import six_containers
from tests.media import (
    packets,
    write_film,
)
from tests.video.decoding import folder, frames_of


def empty(path: Path) -> None:
    path.touch()


def letter(path: Path) -> None:
    path.write_text("Dear Sir or Madam,\n" * 100)


def noise(path: Path) -> None:
    path.write_bytes(random.Random(0).randbytes(5000))


def song(path: Path) -> None:
    with av.open(str(path), "w", format="matroska") as output:
        stream: Any = output.add_stream("flac", rate=48000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), "s16", "mono")
        sound.sample_rate = 48000
        output.mux(stream.encode(sound))
        output.mux(stream.encode())


def header(path: Path) -> None:
    film = write_film(path.with_suffix(".mkv"), 3)
    first = film.read_bytes().index(packets(film, "video")[0].data)
    path.write_bytes(film.read_bytes()[: first - 4])


def rubble(path: Path) -> None:
    film = write_film(path.with_suffix(".mkv"), 20)
    data = bytearray(film.read_bytes())
    for packet in packets(film, "video"):
        at = data.index(packet.data)
        data[at : at + len(packet.data)] = bytes(len(packet.data))
    path.write_bytes(data)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def playlist(path: Path) -> None:
    path.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda path: None, "no such film"),
        (folder, "is a folder"),
        (empty, "is empty"),
        (letter, "not a film"),
        (noise, "not a film"),
        (song, "holds no video, only audio"),
        (header, "holds no picture"),
        (rubble, r"none of the first 20 packets of its video \(h264\)"),
        (pipe, "is a device or a pipe"),
        (playlist, "film"),
    ],
)
@pytest.mark.parametrize("name", ["film", "fi\nlm\x1b[2J"])
def test_what_is_no_film_is_told_in_one_line(
    tmp_path: Path, make: Callable[[Path], None], line: str, name: str
) -> None:
    path = tmp_path / f"{name}.mkv"
    make(path)
    with pytest.raises(MediaError, match=line) as caught:
        probe(path)
    assert str(caught.value).isprintable()
    assert "film" in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("text", ["a\0b", "x" * 5000, "", "\udcff.mkv", "film.mkv/inside"])
def test_impossible_names_are_no_films(tmp_path: Path, text: str) -> None:
    write_film(tmp_path / "film.mkv", 1)
    with pytest.raises(MediaError) as caught:
        probe(f"{tmp_path}/{text}")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "name",
    ["-i.mkv", "a:b.mkv", "http:x.mkv", "pipe:0", 'it\'s "so".mkv', "new\nline.mkv", "фильм 🎞.mkv"],
)
def test_names_mean_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    write_film(tmp_path / "plain.mkv", 3).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert len(frames_of(Path(name))) == 3


def test_metadata_that_is_not_text(tmp_path: Path) -> None:
    film = write_film(tmp_path / "f.mkv", 2, metadata={"title": "caf\u00e9 at night"})
    film.write_bytes(film.read_bytes().replace("caf\u00e9".encode(), b"caf\xff\xfe"))
    assert len(frames_of(film)) == 2


def test_giant_pictures_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("c2e_video.video.decode.demuxer.MAX_SAMPLES", 64 * 48)
    assert len(frames_of(write_film(tmp_path / "a.mkv", 2, (64, 48)))) == 2
    with pytest.raises(MediaError, match="pictures of 64x50, more than 3,072 samples"):
        probe(write_film(tmp_path / "b.mkv", 2, (64, 50)))
    grown = tmp_path / "c.ts"  # a damaged header in the middle
    films = [write_film(tmp_path / f"{h}.ts", 10, (64, h), pts=range(h, h + 10)) for h in (48, 80)]
    grown.write_bytes(b"".join(film.read_bytes() for film in films))
    report = DecodeReport()
    assert len(frames_of(grown, report=report)) == 10
    assert report.corrupt_packets == 10


def mutants(count: int, seed: int, films: Sequence[Path]) -> None:
    chance, lines = random.Random(seed), []
    for number in range(count):
        film = films[number % len(films)]
        data = bytearray(film.read_bytes())
        reach = chance.choice((300, 2000, len(data)))
        for _ in range(chance.choice((1, 3, 10, 50))):
            at = chance.randrange(min(reach, len(data)))
            data[at] = chance.choice((0, 255, chance.randrange(256), data[at] ^ 1))
        if chance.random() < 0.2:
            del data[chance.randrange(1, len(data)) :]
        mutant = film.with_name(f"mutant{film.suffix}")
        mutant.write_bytes(data)
        mode: Any = chance.choice(("off", "auto", "on"))
        start = chance.choice((None, 100, 5000))
        try:
            info, last = probe(mutant), None
            for frame in decode(mutant, info, deinterlace=mode, start=start):
                assert frame.luma.shape == (info.height, info.width)
                assert frame.duration > 0
                assert last is None or frame.pts > last
                last = frame.pts
        except MediaError as error:
            lines.append(str(error))
    assert all(line.isprintable() for line in lines)


def test_mutated_films_end_in_frames_or_one_line(tmp_path: Path) -> None:
    mutants(60, 1, six_containers(tmp_path))


@pytest.mark.slow
def test_many_mutated_films_end_in_frames_or_one_line(tmp_path: Path) -> None:
    mutants(600, 2, six_containers(tmp_path))


def test_leaving_early_closes_the_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film, closed = write_film(tmp_path / "f.mkv", 60), []
    info = probe(film)
    leave = Demuxer.__exit__

    def leaving(self: Demuxer, *error: object) -> None:
        leave(self, *error)
        closed.append(self)

    monkeypatch.setattr(Demuxer, "__exit__", leaving)
    frames = decode(film, info)
    next(frames)
    assert not closed
    frames.close()
    assert closed
