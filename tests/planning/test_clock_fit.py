"""Lists and tables from another clock are fitted, with the offset named, or refused with both ranges."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from c2e_video.errors import C2EError
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from c2e_video.planning.clock_fit import Span, fit_map
from c2e_video.planning.shot_lists import read_shot_list
from c2e_video.references.image import load_reference
from c2e_video.references.reference_map import ReferenceMap
from c2e_video.utils.timecode import timecode_frames
from c2e_video.video.decode.decoder import probe
from c2e_video.video.frames import Shot, VideoInfo
from tests.factories import video_info, write_picture
from tests.media import write_film

MS = Fraction(1, 1000)
BY_CODE = "by the film's start timecode"
BY_0958 = f"{BY_CODE} 09:58:30:00"
AS_LONG = "from the film's first frame on, for it is as long as the film"


def described(seconds: float = 60, **other: Any) -> VideoInfo:
    usual: dict[str, Any] = {
        "time_base": MS,
        "frame_rate": Fraction(25),
        "duration_seconds": seconds,
    }
    return video_info(**(usual | other))


def edl(folder: Path, *times: str) -> Path:
    lines = [
        f"{n:03d}  AX  V  C  00:00:00:00 00:00:01:00 {start} {stop}"
        for n, (start, stop) in enumerate(pairwise(times), 1)
    ]
    path = folder / "a.edl"
    path.write_text("\n".join(lines))
    return path


def read(path: Path, info: VideoInfo, start: int = 0) -> tuple[list[int], list[str]]:
    """The starts of a list's shots in pts of the film, and the notes."""
    notes: list[str] = []
    shots = read_shot_list(path, info, start=start, note=notes.append)
    return [shot.start for shot in shots], notes


@pytest.mark.parametrize(
    ("times", "code", "starts", "reason"),
    [
        (("00:00:00:00", "00:00:20:00", "00:01:00:00"), None, [0, 20000], None),
        (("01:00:00:00", "01:00:20:00", "01:01:00:00"), None, [0, 20000], "1 h earlier"),
        (("10:00:00:00", "10:00:20:00", "10:01:00:00"), "10:00:00:00", [0, 20000], f"{BY_CODE} 10:00:00:00"),
        (("09:58:30:00", "09:58:50:00", "09:59:30:00"), "09:58:30:00", [0, 20000], BY_0958),
        # A part of the film: only its timecode tells which.
        (("09:58:40:00", "09:58:50:00", "09:59:00:00"), "09:58:30:00", [0, 10000, 20000], BY_0958),
        # The timecode of another tape does not fit, the usual hour does.
        (("01:00:00:00", "01:00:20:00", "01:01:00:00"), "23:11:02:00", [0, 20000], "1 h earlier"),
        (("00:58:30:00", "00:58:50:00", "00:59:30:00"), None, [0, 20000], AS_LONG),
        # A list that ends a little later is the film's own.
        (("00:00:00:00", "00:00:20:00", "00:01:09:00"), None, [0, 20000], None),
    ],
)  # fmt: skip
def test_an_edl_is_fitted_and_its_offset_is_named(
    tmp_path: Path, times: tuple[str, ...], code: str | None, starts: list[int], reason: str | None
) -> None:
    begins, notes = read(edl(tmp_path, *times), described(start_timecode=code))
    assert begins == starts
    if reason is None:
        assert not notes
    else:
        (note,) = notes
        assert note.startswith("a.edl begins at ")
        assert note.endswith(f"; its times are taken {reason}")


def test_an_hour_of_timecode_at_23_976_is_longer_than_a_clocks(tmp_path: Path) -> None:
    info = described(frame_rate=Fraction(24000, 1001))
    starts, _ = read(edl(tmp_path, "02:00:00:00", "02:00:10:00", "02:00:59:00"), info)
    assert starts == [0, 10010]


@pytest.mark.parametrize(
    ("code", "rate", "number"),
    [
        ("01:00:00:00", Fraction(25), 90000),
        ("01:00:00:00", Fraction(24000, 1001), 86400),
        ("00:01:00;02", Fraction(30000, 1001), 1800),
        ("01:00:00;00", Fraction(30000, 1001), 107892),
        ("00:00:00:00", Fraction(25), 0),
        (None, Fraction(25), 0),
        ("soon", Fraction(25), 0),
        ("01:00:00:00", None, 0),
    ],
)
def test_timecodes_count_frames(code: str | None, rate: Fraction | None, number: int) -> None:
    assert timecode_frames(code, rate) == number


@pytest.mark.parametrize(
    "times",
    [
        ("00:05:00:00", "00:05:20:00", "00:06:30:00"),
        ("10:05:00:00", "10:05:20:00", "10:07:00:00"),
    ],
)
def test_a_list_of_another_film_is_refused_with_both_ranges(
    tmp_path: Path, times: tuple[str, ...]
) -> None:
    message = (
        r"a.edl:2: its shots run from \S+ to \S+, and the film runs from 00:00:00.000 to "
        r"00:01:00.000 \(start timecode 23:00:00:00\); give a list of this film"
    )
    with pytest.raises(C2EError, match=message):
        read(edl(tmp_path, *times), described(start_timecode="23:00:00:00"))


@pytest.mark.parametrize(
    ("zero", "begins", "reason"),
    [
        (0, 0, None),
        (0, 10400, "from the film's first frame on"),
        (36000000, 0, "10 h earlier"),
        (10400, 0, AS_LONG),
        (0, 400, "from the film's first frame on"),  # less than the slack
        (33510000, 0, f"{BY_CODE} 09:18:30:00"),
    ],
)
def test_a_table_from_another_clock_is_fitted(
    tmp_path: Path, zero: int, begins: int, reason: str | None
) -> None:
    """Of a film whose clock begins at ``begins``, a table that counts from ``zero``."""
    info = described(start_timecode="09:18:30:00")
    path = tmp_path / "a.csv"
    rows = [(0, 20000), (20000, 60000)]
    lines = [f"{n},{(zero + a) / 1000},{(zero + b) / 1000},a.png" for n, (a, b) in enumerate(rows)]
    path.write_text("\n".join(["shot,start,end,reference", *lines]))
    if zero > 3600000:
        path.write_text(path.read_text().replace(f"{zero / 1000}", info.timecode(zero)))
    starts, notes = read(path, info, begins)
    assert starts == [begins, begins + 20000]
    assert [note.partition("taken ")[2] for note in notes] == ([reason] if reason else [])


def test_a_maps_keyframes_move_with_its_shots(tmp_path: Path) -> None:
    picture = load_reference(write_picture(tmp_path / "a.png", 0))
    given = ReferenceMap(
        (Shot(0, 3600000, 3620000), Shot(1, 3620000, 3660000)),
        ((picture.moved(3605000),), (picture,)),
    )
    fitted, note = fit_map(given, described(), Span(0, 60000))
    assert [(shot.start, shot.stop) for shot in fitted.shots] == [(0, 20000), (20000, 60000)]
    assert [row[0].at for row in fitted.references] == [5000, None]
    assert note is not None
    assert "1 h earlier" in note
    same, nothing = fit_map(fitted, described(), Span(0, 60000))
    assert same is fitted
    assert nothing is None


def test_a_map_of_another_film_is_refused_before_anything_is_colorized(
    film: Path, reference: Path, quick: Options
) -> None:
    table = film.with_name("map.csv")
    table.write_text("shot,start,end,reference\n1,100,101,reference.png\n2,101,150,reference.png\n")
    message = (
        r"map.csv:2: its shots run from 00:01:40.000 to 00:02:30.000, and the film runs "
        r"from 00:00:00.000 to 00:00:00.560"
    )
    with pytest.raises(C2EError, match=message):
        colorize_video(film, references=table, options=quick)
    assert not film.with_name("film.color.mp4.c2e").exists()


def test_a_films_start_timecode_is_known(tmp_path: Path) -> None:
    fields = {"timecode": "01:02:03:04"}
    assert probe(write_film(tmp_path / "a.mov", 5, metadata=fields)).start_timecode == "01:02:03:04"
    assert probe(write_film(tmp_path / "a.mkv", 5, metadata=fields)).start_timecode == "01:02:03:04"
    assert probe(write_film(tmp_path / "b.mkv", 5)).start_timecode is None
