"""The map as a table: written, edited by hand, and read with every mistake named."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from c2e_video.errors import BadReference, C2EError
from c2e_video.references.image import load_reference
from c2e_video.references.reference_map import ReferenceMap
from c2e_video.references.reference_table import ReferenceTable
from c2e_video.references.table_file import read_table, write_table
from c2e_video.video.frames import Shot
from tests.factories import color_noise, video_info

HEADER = "shot,start,end,transition,reference,at\n"
WRITTEN = "shot,start,end,transition,reference,at,saturation,note,coverage"
INFO = video_info(path=Path("film"), time_base=Fraction(1, 1000))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed, name in enumerate(("a", "b")):
        Image.fromarray(color_noise(seed, 20, 20)).save(tmp_path / f"{name}.png")
    Image.new("L", (20, 20), 90).save(tmp_path / "g.png")
    return tmp_path


def read_shots(path: Path) -> tuple[Shot, ...]:
    return tuple(own.shot for own in read_table(path, INFO).shots)


def table(folder: Path, text: str) -> Path:
    path = folder / "map.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_round_trip(folder: Path) -> None:
    a, b = (load_reference(folder / f"{name}.png") for name in "ab")
    shots = (Shot(0, 0, 1200), Shot.after(400, 1, 1200, 3000))
    chosen = ReferenceMap(shots, ((a,), (a.moved(1500), b.moved(2800))))
    chosen.to_csv(folder / "map.csv", INFO)
    assert (folder / "map.csv").read_text().splitlines()[2] == (
        "2,00:00:01.200,00:00:03.000,dissolve 00:00:00.400,a.png,00:00:01.500,,,"
    )
    again = ReferenceMap.from_csv(folder / "map.csv", INFO)
    assert again.shots == shots
    assert [[(r.digest, r.at) for r in row] for row in again.references] == [
        [(r.digest, r.at) for r in row] for row in chosen.references
    ]


def test_pictures_are_named_as_seen_from_the_table(folder: Path) -> None:
    (folder / "plans").mkdir()
    chosen = ReferenceMap.single(load_reference(folder / "a.png"), [Shot(0, 0, 1000)])
    chosen.to_csv(folder / "plans" / "map.csv", INFO)
    assert ",../a.png," in (folder / "plans" / "map.csv").read_text()
    again = ReferenceMap.from_csv(folder / "plans" / "map.csv", INFO)
    assert again.distinct()[0].digest == chosen.distinct()[0].digest


def test_times_before_zero(folder: Path) -> None:
    """Where some films begin."""
    chosen = ReferenceMap.single(load_reference(folder / "a.png", at=-40), [Shot(0, -80, 1000)])
    chosen.to_csv(folder / "map.csv", INFO)
    again = ReferenceMap.from_csv(folder / "map.csv", INFO)
    assert again.shots == chosen.shots
    assert again.references[0][0].at == -40


def test_a_plan_is_filled_in_by_a_person(folder: Path) -> None:
    """It is read as shots; for painting it lacks its pictures, until they are there."""
    shots = (Shot(0, 0, 1200), Shot.after(400, 1, 1200, 3000))
    path = folder / "plan.csv"
    write_table(ReferenceTable.new(path, shots), INFO)
    assert path.read_text().splitlines() == [
        WRITTEN,
        "1,00:00:00.000,00:00:01.200,cut,,,,,",
        "2,00:00:01.200,00:00:03.000,dissolve 00:00:00.400,,,,,",
    ]
    assert read_shots(path) == shots
    with pytest.raises(BadReference) as error:
        ReferenceMap.from_csv(path, INFO)
    assert str(error.value) == (
        f"{path}:2: column 'reference': is empty; shot 1 needs a picture, or the word gray to be "
        "left uncoloured"
    )
    path.write_text(path.read_text().replace("cut,,", "cut,a.png,").replace("400,,", "400,b.png,"))
    assert ReferenceMap.from_csv(path, INFO).shots == shots


def test_a_plan_with_some_references(folder: Path) -> None:
    shots = (Shot(0, 0, 1200), Shot(1, 1200, 3000))
    a = load_reference(folder / "a.png", at=500)
    table = ReferenceTable.new(folder / "map.csv", shots)
    write_table(table.with_references(0, [a], Path()), INFO)
    with pytest.raises(BadReference, match=r"map\.csv:3: column 'reference': is empty"):
        ReferenceMap.from_csv(folder / "map.csv", INFO)


def test_a_table_that_cannot_be_written(folder: Path) -> None:
    with pytest.raises(C2EError, match="cannot be written: No such file or directory"):
        write_table(ReferenceTable.new(folder / "none" / "plan.csv", (Shot(0, 0, 1200),)), INFO)


EDITED = """\
shot,start,end,transition,reference,at
1,00:00:00.000,00:00:04.000,cut,a.png,00:00:01.000
2,00:00:04.000,00:00:06.000,cut,b.png,
3,00:00:06.000,00:00:10.000,dissolve 00:00:00.500,a.png,
"""
ROWS = EDITED.splitlines()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # merged: the third row is gone, the second reaches to its end
        ([ROWS[1], ROWS[2].replace("06.000", "10.000")], [(0, 4000, "a"), (4000, 10000, "b")]),
        # split: a new row below, with any free number
        (
            [ROWS[1], ROWS[2].replace("06.000", "05.000"), "9,5,6,,a.png,", ROWS[3]],
            [(0, 4000, "a"), (4000, 5000, "b"), (5000, 6000, "a"), (6000, 10000, "a")],
        ),
        # re-timed: the border moved in both rows, as seconds
        (
            [
                ROWS[1].replace("00:00:04.000", "3.5"),
                ROWS[2].replace("00:00:04.000", "3.5"),
                ROWS[3],
            ],
            [(0, 3500, "a"), (3500, 6000, "b"), (6000, 10000, "a")],
        ),
        # several references of a shot, in any order, their transition said once
        (
            [*ROWS[1:3], "3,6,10,,b.png,9", ROWS[3] + "7", "3,6,10,,b.png,8"],
            [(0, 4000, "a"), (4000, 6000, "b"), (6000, 10000, "abb")],
        ),
        # rows in any order
        (ROWS[:0:-1], [(0, 4000, "a"), (4000, 6000, "b"), (6000, 10000, "a")]),
    ],
    ids=["merged", "split", "re-timed", "several", "reversed"],
)
def test_edited_by_hand(
    folder: Path, rows: list[str], expected: list[tuple[int, int, str]]
) -> None:
    chosen = ReferenceMap.from_csv(table(folder, "\n".join([ROWS[0], *rows])), INFO)
    names = ["".join(r.path.stem for r in row) for row in chosen.references]
    times = [(shot.start, shot.stop) for shot in chosen.shots]
    assert [(*time, name) for time, name in zip(times, names, strict=True)] == expected
    assert [shot.index for shot in chosen.shots] == list(range(len(expected)))
    assert chosen.shots[-1].dissolve == (500 if len(expected) > 2 else 0)


def shuffled(text: str) -> str:
    """With the columns in another order, and one without a name."""
    order = (4, 2, 1, 5, 0, 3)
    rows = [line.split(",") for line in text.splitlines()]
    return "\n".join(",".join([*(row[i] for i in order), ""]) for row in rows)


@pytest.mark.parametrize(
    "text",
    [
        EDITED,
        EDITED.replace(",", ";"),
        EDITED.replace(",", "\t"),
        EDITED.replace(",", ";").replace("00.500", "00,500").replace(".000", ",000"),
        EDITED.replace("00:00:04.000", '"00:00:04,000"').replace("b.png", '"b.png"'),
        "\ufeff" + EDITED.replace("\n", "\r\n"),
        EDITED.replace("\n", "\r"),
        "\n \n" + EDITED.replace("\n", "\n\n,,,,,\n"),
        EDITED.replace(",", " , ").replace("shot", " Shot").replace("cut", "CUT"),
        shuffled(EDITED),
        EDITED.replace("00:00:0", "0:0"),
    ],
)
def test_other_spellings_of_one_table(folder: Path, text: str) -> None:
    path = folder / "map.csv"
    path.write_bytes(text.encode())
    chosen = ReferenceMap.from_csv(path, INFO)
    assert chosen.shots == (
        Shot(0, 0, 4000),
        Shot(1, 4000, 6000),
        Shot.after(500, 2, 6000, 10000),
    )
    assert [r.path.stem for row in chosen.references for r in row] == ["a", "b", "a"]
    assert chosen.references[0][0].at == 1000


def test_milliseconds_of_hole_are_rounding(folder: Path) -> None:
    path = table(folder, HEADER + "1,0,1.001,cut,a.png,\n2,1.002,2,cut,b.png,\n")
    assert ReferenceMap.from_csv(path, INFO).shots == (Shot(0, 0, 1002), Shot(1, 1002, 2000))


ROW = "1,0,1,cut,a.png,\n"
MISTAKES = [
    ("", 1, "is missing; the first line names the columns"),
    (HEADER, 1, "has no rows"),
    ("shot,start,end\n", 1, "column 'reference': is missing"),
    ("\nshot;start;end\n1;0;1\n", 2, "column 'reference': is missing"),
    (
        HEADER.replace("at", "sturation") + "1,0,1,cut,a.png,\n",
        1,
        "column 'sturation': is unknown; did you mean 'saturation'",
    ),
    (HEADER.replace("at", "end"), 1, "column 'end': is there twice"),
    (HEADER + "one,0,1,cut,a.png,\n", 2, "column 'shot': got 'one'; accepted: a whole number"),
    (HEADER + ",0,1,cut,a.png,\n", 2, "column 'shot': got ''; accepted: a whole number"),
    (HEADER + "1,soon,1,cut,a.png,\n", 2, "column 'start': got 'soon'; accepted: a time"),
    (HEADER + "1,0\n", 2, "column 'end': got ''; accepted: a time"),
    (HEADER + "1,0,1:75,cut,a.png,\n", 2, "column 'end': got '1:75'; accepted: a time"),
    (HEADER + "1,2,1,cut,a.png,\n", 2, "column 'end': shot 1 ends at 1, not after its start 2"),
    (HEADER + "1,0,1,wipe,a.png,\n", 2, "column 'transition': got 'wipe'; accepted: cut, or dis"),
    (HEADER + "1,0,1,dissolve x,a.png,\n", 2, "column 'transition': got 'dissolve x'"),
    (HEADER + "1,0,1,dissolve,a.png,\n", 2, "column 'transition': got 'dissolve'"),
    (HEADER + "1,0,1,cut 2,a.png,\n", 2, "column 'transition': got 'cut 2'"),
    (HEADER + "1,0,1,dissolve 2,a.png,\n", 2, "column 'transition': 'dissolve 2' is longer than"),
    (HEADER + "1,0,1,cut,none.png,\n", 2, "column 'reference': no reference at"),
    (HEADER + "1,0,1,cut,,\n", 2, "column 'reference': is empty"),
    (HEADER + "1,0,1,cut,a.png,5\n", 2, "column 'at': 5 lies outside shot 1"),
    (HEADER + "1,0,1,cut,a.png,now\n", 2, "column 'at': got 'now'; accepted: a time"),
    (
        HEADER + ROW + "2,3,4,cut,a.png,\n",
        3,
        "column 'start': shot 2 leaves a hole after shot 1 in line 2",
    ),
    (
        HEADER + ROW + "2,0.5,4,cut,a.png,\n",
        3,
        "column 'start': shot 2 overlaps shot 1 in line 2, which ends at",
    ),
    (
        HEADER + "1,0,0.001,cut,a.png,\n2,0,2,cut,a.png,\n",
        3,
        "column 'start': shot 2 overlaps shot 1 in line 2",
    ),
    (HEADER + "7,0.5,2,cut,a.png,\n" + ROW, 2, "column 'start': shot 7 overlaps shot 1 in line 3"),
    (
        HEADER + ROW + "2,0,1,cut,b.png,\n",
        3,
        "column 'shot': 2 has the times of shot 1 in line 2; references of",
    ),
    (HEADER + ROW + "1,0,2,cut,b.png,\n", 3, "column 'start': shot 1 has other times in line 2"),
    (
        HEADER + ROW + "2,1,2,,a.png,\n1,2,3,,b.png,\n",
        4,
        "column 'start': shot 1 has other times in line 2",
    ),
    (
        HEADER + ROW + "1,0,1,cut,b.png,0.5\n",
        2,
        "column 'at': shot 1 has several references; each needs its own time",
    ),
    (
        HEADER + "1,0,1,cut,a.png,0.5\n1,0,1,cut,b.png,0.5\n",
        3,
        "column 'at': shot 1 has several references; each needs its own time",
    ),
    (
        HEADER + ROW + "2,1,2,dissolve 0.2,a.png,1.2\n2,1,2,cut,b.png,1.6\n",
        4,
        "column 'transition': shot 2 has another one in line 3",
    ),
    (HEADER + "1,0,1,5,cut,a.png,,x\n", 2, "has 8 fields, and the first line names 6 columns"),
    (
        WRITTEN + "\n1,0,1,cut,a.png,,5,\n",
        2,
        "column 'saturation': got '5'; accepted: a number from 0",
    ),
    (WRITTEN + "\n1,0,1,cut,a.png,,red,\n", 2, "column 'saturation': got 'red'; accepted"),
    (
        WRITTEN + "\n1,0,1,cut,a.png,0.2,1,\n1,0,1,cut,b.png,0.5,2,\n",
        3,
        "column 'saturation': shot 1 has another one in line 2",
    ),
    (
        HEADER + "1,0,1,cut,gray,\n1,0,1,cut,a.png,0.5\n",
        3,
        "column 'reference': shot 1 is gray, and has another reference in line 2",
    ),
    (HEADER + "1,0,1,cut,g.png,\n", 2, "column 'reference': the reference"),
    (
        HEADER + "1,0,1,cut,g.png,\n",
        2,
        "is gray; give a picture with colours, or write the word gray",
    ),
    (HEADER + "1,0,1,cut,film.mp4#t=1,\n", 2, "column 'reference': no film at"),
    (HEADER + "1,0,1,cut,film.mp4#t=x,\n", 2, "column 'reference': 'film.mp4#t=x' names no frame"),
]


@pytest.mark.parametrize(("text", "line", "message"), MISTAKES)
def test_mistakes_are_named(folder: Path, text: str, line: int, message: str) -> None:
    path = table(folder, text)
    with pytest.raises(BadReference) as error:
        ReferenceMap.from_csv(path, INFO)
    assert str(error.value).startswith(f"{path}:{line}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_mutated_tables_never_give_a_traceback(folder: Path) -> None:
    chance = random.Random(0)
    path = folder / "map.csv"
    for _ in range(100):
        content = bytearray(EDITED.encode())
        for _ in range(chance.randint(1, 6)):
            content[chance.randrange(len(content))] = chance.choice(b'0123456789:;,."\n \tc\xff\0')
        path.write_bytes(bytes(content))
        try:
            lines = [str(ReferenceMap.from_csv(path, INFO))]
        except BadReference as error:
            lines = str(error).splitlines()
        assert len(lines) == 1


def test_files_that_are_no_tables(folder: Path) -> None:
    with pytest.raises(BadReference, match="cannot be read"):
        ReferenceMap.from_csv(folder / "none.csv", INFO)
    (folder / "latin.csv").write_bytes(HEADER.encode() + b"1,0,1,cut,caf\xe9.png,")
    with pytest.raises(BadReference, match=r"latin\.csv:2: is not UTF-8; save"):
        ReferenceMap.from_csv(folder / "latin.csv", INFO)


# -- what a person may write, and keeps --------------------------------------------------------------

KEPT = """\
Who;shot;start;end;transition;reference;at;saturation;note;Price;coverage
;1;00:00:00.000;00:00:04.000;cut;gray;;;titles;3;left gray
Ann;7;00:00:04.000;00:00:06.000;cut;a.png;00:00:05.000;1,5;red coat, see letter;;
;7;00:00:04.000;00:00:06.000;cut;b.png;00:00:05.500;;;4;
;3;00:00:06.000;00:00:10.000;dissolve 00:00:00.500;;;0.5;;;
"""


def test_gray_shots_saturation_notes_and_unknown_columns_are_kept(folder: Path) -> None:
    path = folder / "map.csv"
    path.write_bytes(b"\xef\xbb\xbf" + KEPT.encode())
    read = read_table(path, INFO)
    assert [own.is_gray for own in read.shots] == [True, False, False]
    assert [own.is_open for own in read.shots] == [False, False, True]
    assert [own.saturation for own in read.shots] == [1, 1.5, 0.5]
    write_table(read, INFO)
    assert path.read_bytes().decode("utf-8").replace("\r\n", "\n") == (
        "\ufeff" + KEPT.replace("1,5", "1.5")
    )


def test_a_shot_is_filled_and_the_rest_of_the_table_stays(folder: Path) -> None:
    path = table(folder, KEPT)
    read = read_table(path, INFO)
    c = load_reference(folder / "b.png", at=7000)
    write_table(read.with_references(2, [c, c.moved(8000)], Path()), INFO)
    lines = path.read_text().splitlines()
    assert lines[:4] == KEPT.replace("1,5", "1.5").splitlines()[:4]
    assert lines[4:] == [
        ";3;00:00:06.000;00:00:10.000;dissolve 00:00:00.500;b.png;00:00:07.000;0.5;;;",
        ";3;00:00:06.000;00:00:10.000;dissolve 00:00:00.500;b.png;00:00:08.000;0.5;;;",
    ]


def test_a_table_that_moves_still_names_its_pictures(folder: Path) -> None:
    (folder / "plans").mkdir()
    read = read_table(table(folder, KEPT), INFO)
    moved = read.moved_to(folder / "plans" / "map.csv")
    assert [row.reference for own in moved.shots for row in own.rows] == [
        "gray",
        "../a.png",
        "../b.png",
        "",
    ]
    assert len(moved.references(moved.shots[1])) == 2


def test_the_map_of_a_table_has_its_gray_shots_and_saturations(folder: Path) -> None:
    path = table(folder, KEPT.replace("500;;;0.5", "500;b.png;;0.5"))
    mapped = ReferenceMap.from_csv(path, INFO)
    assert [len(row) for row in mapped.references] == [0, 2, 1]
    assert [mapped.saturation(i) for i in range(3)] == [0, 1.5, 0.5]
    again = folder / "again.csv"
    mapped.to_csv(again, INFO)
    assert ReferenceMap.from_csv(again, INFO).saturations == (1, 1.5, 0.5)
