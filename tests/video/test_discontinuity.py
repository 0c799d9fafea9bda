"""Joined recordings: at each join, all tracks are moved by one shift."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

from c2e_video.video.decode.decoder import decode, probe
from c2e_video.video.decode.discontinuity import Discontinuities, find_discontinuities
from c2e_video.video.decode.packet_scan import discontinuities_of
from c2e_video.video.decode.track_times import TrackTimes
from c2e_video.video.mux import mux, plan_mux
from tests import media
from tests.video.muxing import FFV1, H264, paint, tracks

TICK = Fraction(1, 90000)
KINDS: dict[str, dict[str, Any]] = {
    ".ts": {"audio": "mp2"},
    ".m2ts": {"audio": "ac3"},
    ".mpg": {"audio": "mp2"},
    ".vob": {"audio": "ac3", "codec": "mpeg2video"},
    ".mkv": {"audio": "flac"},
    ".nut": {"audio": "flac"},
}


def joined(path: Path, pieces: list[Path]) -> Path:
    path.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    return path


def colorized(source: Path, output: Path) -> list[str]:
    how = FFV1 if output.suffix == ".mkv" else H264
    plan = plan_mux(source, output, probe(source), how)
    return [*plan.notes, *mux(plan, paint(source, how), output, {})]


def starts(path: Path) -> tuple[list[float], list[float]]:
    """The times of all frames and all packets of sound, in seconds."""
    with av.open(str(path)) as film:
        picture = [float(f.pts * f.time_base) for f in film.decode(video=0)]  # type: ignore[operator]
    return picture, [float(at) for at, _ in tracks(path, "audio")[0]]


def assert_in_step(pieces: list[Path], output: Path) -> list[tuple[float, float]]:
    """The shift of each piece, the same for picture and sound; nothing lost, nothing overlapping."""
    picture, sound = starts(output)
    shifts = []
    for piece in pieces:
        own_picture, own_sound = starts(piece)
        here, picture = picture[: len(own_picture)], picture[len(own_picture) :]
        heard, sound = sound[: len(own_sound)], sound[len(own_sound) :]
        moved = [a - b for a, b in zip(here, own_picture, strict=True)]
        moved += [a - b for a, b in zip(heard, own_sound, strict=True)]
        assert max(moved) - min(moved) < 0.003
        shifts.append((min(here[0], heard[0]), max(here[-1], heard[-1])))
    assert not picture
    assert not sound
    for (_, end), (start, _) in pairwise(shifts):
        assert end < start
    return shifts


@pytest.mark.parametrize("seconds", [1.0, 1.5, 0.6], ids=["as long", "longer", "shorter"])
@pytest.mark.parametrize("suffix", KINDS)
def test_sound_and_picture_keep_their_distance_at_every_join(
    tmp_path: Path, suffix: str, seconds: float
) -> None:
    piece = media.write_film(
        tmp_path / f"piece{suffix}", 25, sound_seconds=seconds, **KINDS[suffix]
    )
    pieces = [piece] * (2 if suffix == ".mkv" else 3)  # FFmpeg reads no third one in Matroska
    source = joined(tmp_path / f"film{suffix}", pieces)
    output = tmp_path / ("out.mp4" if suffix in (".ts", ".vob") else "out.mkv")
    notes = colorized(source, output)
    assert [n for n in notes if f"starts again {len(pieces) - 1} time" in n]
    assert_in_step(pieces, output)


@pytest.mark.parametrize("first", [0, 60 * 90000, 36000 * 90000], ids=["0 s", "1 min", "10 h"])
def test_pieces_whose_clocks_are_far_apart_follow_each_other(tmp_path: Path, first: int) -> None:
    """The second clock begins before the first or long after; past 60 s FFmpeg takes that for a wrap."""
    far = media.write_film(
        tmp_path / "far.ts", 25, pts=[first + 3600 * k for k in range(25)], time_base=TICK
    )
    near = media.write_film(
        tmp_path / "near.ts", 25, pts=[3600 * 500 + 3600 * k for k in range(25)], time_base=TICK
    )
    source = joined(tmp_path / "film.ts", [far, near, far])
    info = probe(source)
    pts = [frame.pts for frame in decode(source, info)]
    assert len(pts) == 75
    assert {b - a for a, b in pairwise(pts)} == {3600}


@pytest.mark.parametrize("b_frames", [(0, 2), (2, 0), (2, 2)], ids=str)
@pytest.mark.parametrize("suffix", [".mpg", ".vob", ".ts"])
def test_no_frame_is_late_at_the_end_of_a_piece(
    tmp_path: Path, suffix: str, b_frames: tuple[int, int]
) -> None:
    """FFmpeg takes the time of a last frame from the next piece's clock."""
    pieces = [
        media.write_film(
            tmp_path / f"{n}{suffix}", 26 - n, b_frames=count, codec="mpeg2video", audio="mp2"
        )
        for n, count in enumerate(b_frames)
    ]
    source = joined(tmp_path / f"film{suffix}", pieces)
    info = probe(source)
    pts = [frame.pts for frame in decode(source, info)]
    assert len(pts) == 51
    steps = [b - a for a, b in pairwise(pts)]
    assert steps[:25] + steps[26:] == [3600] * 49
    assert 3600 <= steps[25] < 2 * 3600  # at the join the longer sound may leave a gap
    colorized(source, tmp_path / "out.mkv")
    assert_in_step(pieces, tmp_path / "out.mkv")


def test_a_shorter_sound_follows_the_picture_though_its_own_clock_goes_on(tmp_path: Path) -> None:
    """Picture 0 to 2 s, sound to 1 s; then both from 1.2 s: only the picture's clock steps back."""
    one = media.write_film(tmp_path / "one.ts", 50, audio="mp2", sound_seconds=1.0)
    plain = media.write_film(tmp_path / "plain.ts", 25, audio="mp2")
    two = tmp_path / "two.ts"
    with av.open(str(plain)) as film, av.open(str(two), "w") as copy:
        streams = [copy.add_stream_from_template(s, opaque=True) for s in film.streams]
        for packet in film.demux():
            if packet.size and packet.pts is not None and packet.dts is not None:
                packet.pts, packet.dts = packet.pts + 108000, packet.dts + 108000
                packet.stream = streams[packet.stream.index]
                copy.mux(packet)
    source = joined(tmp_path / "film.ts", [one, two])
    colorized(source, tmp_path / "out.mkv")
    assert_in_step([one, two], tmp_path / "out.mkv")


def test_subtitles_go_by_their_own_piece(tmp_path: Path) -> None:
    lines = [(0.2, 0.5, "one"), (0.6, 0.9, "two")]
    piece = media.write_film(tmp_path / "piece.mkv", 50, audio="flac", subtitles=lines)
    source = joined(tmp_path / "film.mkv", [piece] * 2)
    colorized(source, tmp_path / "out.mkv")
    (words,) = tracks(tmp_path / "out.mkv", "subtitle")
    assert [float(at) for at, _ in words] == pytest.approx([0.2, 0.6, 2.2, 2.6], abs=0.003)


def test_any_frame_of_a_joined_film_is_found_again(tmp_path: Path) -> None:
    for suffix in (".ts", ".mkv"):
        piece = media.write_film(tmp_path / f"piece{suffix}", 20)
        source = joined(tmp_path / f"film{suffix}", [piece] * 2)
        info = probe(source)
        whole = [frame.pts for frame in decode(source, info)]
        assert len(set(whole)) == 40
        assert [f.pts for f in decode(source, info, start=whole[25])] == whole[25:]


@pytest.mark.parametrize("suffix", [".ts", ".mkv", ".mp4", ".avi", ".mpg"])
def test_a_film_with_one_clock_has_no_join(tmp_path: Path, suffix: str) -> None:
    source = media.write_film(
        tmp_path / f"film{suffix}", 40, audio="mp2", b_frames=0 if suffix == ".avi" else 2
    )
    assert not discontinuities_of(source)


# -- what is a join, and what is not ---------------------------------------------------------------


def times(*seconds: float, duration: float = 1.0, first: int = 0, step: int = 2) -> TrackTimes:
    """A track with a packet at each of some times, every ``step`` bytes of the file."""
    track = TrackTimes(Fraction(1, 10))
    for number, at in enumerate(seconds):
        packet: Any = av.Packet(b"x")
        packet.pts = packet.dts = round(at * 10)
        packet.duration = round(duration * 10)
        track.add(packet)
        track.offset[-1] = first + step * number
    return track


def find(*found: TrackTimes) -> Discontinuities:
    return find_discontinuities(dict(enumerate(found)), leaps=True)


def test_time_that_leaps_in_all_tracks_is_a_join_and_in_one_a_hole() -> None:
    ahead = (0, 1, 2, 500, 501, 502)
    both = find(times(*ahead), times(*ahead, first=1))
    assert both.shifts == (Fraction(0), Fraction(-497))
    assert not find(times(*ahead), times(*range(6), first=1))
    tracks_of_a_file = {0: times(*ahead), 1: times(*ahead, first=1)}
    assert not find_discontinuities(tracks_of_a_file, leaps=False)


def test_a_packet_with_a_wrong_time_is_no_join() -> None:
    assert not find(times(0, 1, 900, 3, 4, 5), times(*range(6), first=1))
    assert not find(times(5, 6, 1, 8, 9, 10), times(*range(5, 11), first=1))


def test_the_shift_is_the_smallest_that_overlaps_no_track() -> None:
    found = find(times(0, 1, 2, 0, 1), times(0, 1, 2, 0.5, 1.5, first=1))
    assert found.shifts == (Fraction(0), Fraction(3))
    found = find(times(0, 1, 0, 1), times(0, 1, 2, 3, 0, 1, first=1, step=1))
    assert found.shifts == (Fraction(0), Fraction(4))


def test_a_track_that_is_in_one_piece_only_does_not_count() -> None:
    alone = times(0, 5, 9, first=1)
    assert find(times(0, 1, 2, 0, 1, 2, step=10), alone).shifts == (Fraction(0), Fraction(3))


def test_a_segment_that_claims_more_than_a_file_can_hold_is_one_recording(tmp_path: Path) -> None:
    film = media.write_film(tmp_path / "film.mkv", 10)
    data = film.read_bytes()
    length = data.index(bytes.fromhex("18538067")) + 4  # the size of the segment follows its name
    film.write_bytes(data[:length] + bytes.fromhex("01fefffffffffffe") + data[length + 8 :])
    assert not colorized(film, tmp_path / "out.mkv")
    assert media.video_pts(tmp_path / "out.mkv") == media.video_pts(film)
