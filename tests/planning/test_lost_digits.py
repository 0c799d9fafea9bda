"""A time that lost its last digits in a spreadsheet goes to its cut, however short the shot, or is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from c2e_video.planning.lost_digits import cuts_within
from c2e_video.references.reference_table import ReferenceTable
from c2e_video.references.table_file import read_table
from c2e_video.video.decode.decoder import probe
from c2e_video.video.frames import VideoInfo
from tests.media import write_film

HEADER = "shot,start,end,transition,reference,at\n"


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """One second at 24 frames a second; the first shot has 6 frames, 0.25 s."""
    return write_film(tmp_path / "film.mkv", shots=[6, 18], rate=24, codec="ffv1")


def read(film: Path, text: str, info: VideoInfo) -> ReferenceTable:
    path = film.with_name("m.csv")
    path.write_text(HEADER + text)
    return read_table(path, info)


def test_a_short_shots_cut_is_found(film: Path) -> None:
    info = probe(film)
    table = read(film, "1,00:00.0,00:00.3,cut,,\n2,00:00.3,00:01.0,cut,,\n", info)
    assert cuts_within(table, film, info, [0]) == ([0, 250], [])


def test_where_nothing_changes_the_time_is_told(film: Path) -> None:
    info = probe(film)
    table = read(film, "1,00:00.0,00:00.6,cut,,\n2,00:00.6,00:01.0,cut,,\n", info)
    cuts, remarks = cuts_within(table, film, info, [0])
    assert cuts == [0]
    assert remarks == [
        f"{table.path}:3: column 'start': shot 2 begins at about 00:00:00.600: the time lacks digits, and "
        "no cut is near it; write it with three digits after the point"
    ]


def test_whole_times_are_taken_as_they_are(film: Path) -> None:
    info = probe(film)
    table = read(film, "1,0:00:00.000,0:00:00.300,cut,,\n2,0:00:00.300,0:00:01.000,cut,,\n", info)
    assert cuts_within(table, film, info, [0]) == ([0], [])
