"""A table's times on the film's frames, and what a spreadsheet did to them."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from c2e_video.errors import BadReference
from c2e_video.references.table_file import read_table
from c2e_video.references.table_on_film import fit_to_film
from c2e_video.video.frames import Shot
from tests.factories import video_info

HEADER = "shot,start,end,transition,reference,at\n"
INFO = video_info(time_base=Fraction(1, 24000), duration_seconds=1.0)
PTS = range(0, 24000, 1000)  # one second of 24 frames
CUTS = (0, 6000)


def fitted(
    path: Path, text: str | None, info: Any = INFO, pts: Any = PTS, cuts: Any = CUTS
) -> tuple[list[tuple[int, int]], list[str]]:
    if text is not None:
        path.write_text(text)
    table, remarks = fit_to_film(read_table(path, info), info, pts, cuts)
    return [(own.shot.start, own.shot.stop) for own in table.shots], remarks


def test_milliseconds_go_to_their_frame_without_a_word(tmp_path: Path) -> None:
    text = HEADER + "1,00:00:00.000,00:00:00.292,cut,,\n2,00:00:00.292,00:00:01.000,cut,,\n"
    assert fitted(tmp_path / "m.csv", text) == ([(0, 7000), (7000, 24000)], [])


def test_a_time_without_its_last_digits_goes_to_the_cut_and_says_so(tmp_path: Path) -> None:
    """Excel shows 00:00:00.250 as 00:00.3, and saves that."""
    path = tmp_path / "m.csv"
    spans, remarks = fitted(path, HEADER + "1,00:00.0,00:00.3,cut,,\n2,00:00.3,00:01.0,cut,,\n")
    assert spans == [(0, 6000), (6000, 24000)]
    assert remarks == [
        f"{path}:3: column 'start': shot 2 begins at 00:00:00.250, where a cut was found, "
        "not at 00:00:00.300"
    ]


def test_a_time_between_two_frames_says_where_it_went(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    far = video_info(time_base=Fraction(1, 1000), duration_seconds=30.0)
    text = HEADER + "1,0:00:00.000,0:00:10.400,cut,,\n2,0:00:10.400,0:00:30.000,cut,,\n"
    spans, remarks = fitted(path, text, far, [0, 10000, 20000, 29000], (0,))
    assert spans[1][0] == 10000
    assert not remarks  # by less than half a frame
    spans, remarks = fitted(path, text, far, [0, 10300, 10350, 20000, 29000], (0,))
    assert spans[1][0] == 10350
    assert remarks == [
        f"{path}:3: column 'start': shot 2 begins at 00:00:10.350, on the nearest frame, "
        "not at 00:00:10.400"
    ]


def test_a_cut_far_from_the_time_is_left_alone(tmp_path: Path) -> None:
    text = HEADER + "1,00:00.0,00:00.5,cut,,\n2,00:00.5,00:01.0,cut,,\n"
    assert fitted(tmp_path / "m.csv", text) == ([(0, 12000), (12000, 24000)], [])


def test_many_moved_times_are_a_number(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    info = video_info(time_base=Fraction(1, 100), duration_seconds=9.0)
    rows = [f"{i},00:0{i}.0,00:0{i + 1}.0,cut,,\n" for i in range(9)]
    cuts = [100 * i + 4 for i in range(9)]
    spans, remarks = fitted(path, HEADER + "".join(rows), info, range(0, 900, 4), cuts)
    assert [start for start, _ in spans[1:]] == cuts[1:]
    assert len(remarks) == 6
    assert remarks[-1] == f"{path}: and 3 more times moved by more than half a frame"


@pytest.mark.parametrize(
    ("rows", "line", "column", "message"),
    [
        ("2,0.5,1,cut,,\n", 2, "start", "the first shot begins at 00:00:00.500, and the film at"),
        ("1,0,0.5,cut,,\n", 2, "end", "the last shot ends at 00:00:00.500, and the film at"),
        ("1,0,0.5,cut,,\n2,0.5,0.75,cut,,\n", 3, "end", "a row after it is missing"),
    ],
)
def test_a_missing_first_or_last_row_is_said_like_a_hole(
    tmp_path: Path, rows: str, line: int, column: str, message: str
) -> None:
    path = tmp_path / "m.csv"
    with pytest.raises(BadReference) as error:
        fitted(path, HEADER + rows)
    assert str(error.value).startswith(f"{path}:{line}: column {column!r}: ")
    assert message in str(error.value)


def test_a_table_of_the_whole_film_serves_a_part_of_it(tmp_path: Path) -> None:
    text = HEADER + "1,0,0.5,cut,,\n2,0.5,1,cut,,\n"
    assert fitted(tmp_path / "m.csv", text, pts=range(6000, 11000, 1000))[0] == [(6000, 11000)]


def test_hours_that_a_spreadsheet_dropped_are_counted_on(tmp_path: Path) -> None:
    """Excel saves 0:59:58 and 1:00:00 as 59:58.0 and 00:00.0."""
    path = tmp_path / "m.csv"
    info = video_info(time_base=Fraction(1, 10), duration_seconds=3602.0)
    text = HEADER + "1,59:58.0,00:00.0,cut,,59:59.0\n2,00:00.0,00:02.0,cut,,00:01.0\n"
    path.write_text(text)
    table, remarks = fit_to_film(read_table(path, info), info, range(35980, 36020))
    assert [(own.shot.start, own.shot.stop) for own in table.shots] == [
        (35980, 36000),
        (36000, 36020),
    ]
    assert [own.rows[0].at for own in table.shots] == [35990, 36010]
    assert remarks == [
        f"{path}: the table's times have no hours, and were counted on past each full hour"
    ]


def test_rows_of_one_shot_do_not_make_an_hour(tmp_path: Path) -> None:
    info = video_info(time_base=Fraction(1, 10), duration_seconds=8000.0)
    rows = (
        "1,00:00.0,40:00.0,cut,,10:00.0\n1,00:00.0,40:00.0,cut,,20:00.0\n2,40:00.0,10:00.0,cut,,\n"
    )
    (tmp_path / "m.csv").write_text(HEADER + rows)
    shots = read_table(tmp_path / "m.csv", info).shots
    assert [own.shot.stop for own in shots] == [24000, 42000]


@pytest.mark.parametrize(
    "text",
    [
        "1,0,2.89351851851852E-06,cut,,\n2,2.89351851851852E-06,1.15740740740741E-05,cut,,\n",
        "1,0,0.0000028935185,cut,,\n2,0.0000028935185,0.0000115740741,cut,,\n",
        '1,0,"0,0000028935185",cut,,\n2,"0,0000028935185","0,0000115740741",cut,,\n',
    ],
)
def test_numbers_of_days_are_times(tmp_path: Path, text: str) -> None:
    spans, remarks = fitted(tmp_path / "m.csv", HEADER + text)
    assert spans == [(0, 6000), (6000, 24000)]
    assert "numbers of days" in remarks[0]


def test_plain_seconds_below_one_stay_seconds(tmp_path: Path) -> None:
    text = HEADER + "1,0,0.25,cut,,\n2,0.25,0.999,cut,,\n"
    assert fitted(tmp_path / "m.csv", text)[0][0] == (0, 6000)


def test_digits_left_out_until_a_shot_is_empty_name_the_cause(tmp_path: Path) -> None:
    with pytest.raises(
        BadReference, match=r"m\.csv:2: column 'end': .* left digits out: show times"
    ):
        fitted(
            tmp_path / "m.csv", HEADER + "1,00:00:00,00:00:00,cut,,\n2,00:00:00,00:00:01,cut,,\n"
        )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
def test_encodings_of_spreadsheets(tmp_path: Path, encoding: str) -> None:
    text = HEADER.replace(",", "\t") + "1\t0\t0,25\tcut\t\t\r\n2\t0,25\t1\tcut\t\t\r\n"
    (tmp_path / "m.csv").write_bytes(text.encode(encoding))
    assert fitted(tmp_path / "m.csv", None) == ([(0, 6000), (6000, 24000)], [])


def test_a_workbook_of_excel(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    quarter = dt.timedelta(milliseconds=250)
    for row in (
        ["shot", "start", "end", "reference", "at", "Price"],
        [1, dt.time(0), (dt.datetime.min + quarter).time(), "gray", None, 3.5],
        [2, quarter, "00:00:01.000", None, None, None],
    ):
        book.active.append(row)
    path = tmp_path / "m.xlsx"
    book.save(path)
    assert fitted(path, None) == ([(0, 6000), (6000, 24000)], [])
    table = read_table(path, INFO)
    assert table.shots[0].is_gray
    assert table.shots[0].rows[0].extra == {"price": "3.5"}


def test_a_workbook_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "m.xlsx"
    path.write_text("shot,start")
    with pytest.raises(BadReference, match="is no workbook that can be read"):
        read_table(path, INFO)


def test_keyframes_go_to_their_frames(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(HEADER + "1,0,1,cut,a.png,0.124\n1,0,1,cut,b.png,0.51\n")
    table, _ = fit_to_film(read_table(path, INFO), INFO, PTS)
    assert [row.at for row in table.shots[0].rows] == [3000, 12000]
    assert table.shots[0].shot == Shot(0, 0, 24000)


def test_a_shot_between_two_frames_is_left_out_and_named(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    spans, remarks = fitted(
        path, HEADER + "1,0,0.5,cut,,\n2,0.5,0.505,cut,,\n3,0.505,1,cut,,\n", cuts=()
    )
    assert spans == [(0, 12000), (12000, 24000)]
    assert remarks == [f"{path}:3: column 'start': shot 2 has no frame of its own"]
