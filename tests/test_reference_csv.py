"""The map as a table: written, edited by hand, and read with every mistake named."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from c2e_video.errors import BadReference
from c2e_video.frames import Shot, VideoInfo
from c2e_video.reference_pictures import load_reference
from c2e_video.references import ReferenceMap

HEADER = "shot,start,end,transition,reference,at\n"
INFO = VideoInfo(
    Path("film"),
    64,
    48,
    "gray",
    8,
    "bt601",
    False,
    2,
    2,
    Fraction(1),
    0,
    Fraction(1, 1000),
    None,
    None,
    None,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        Image.fromarray(rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)).save(
            tmp_path / f"{name}.png"
        )
    return tmp_path


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
        "2,00:00:01.200,00:00:03.000,dissolve 00:00:00.400,a.png,00:00:01.500"
    )
    again = ReferenceMap.from_csv(folder / "map.csv", INFO)
    assert again.shots == shots
    assert [[(r.digest, r.at) for r in row] for row in again.references] == [
        [(r.digest, r.at) for r in row] for row in chosen.references
    ]


def test_spreadsheets_and_hands(folder: Path) -> None:
    """Another separator, a BOM, Windows line ends, any order, short times, empty lines and columns."""
    text = "\ufeffShot;Start;End;Reference\r\n2;0:05;10;b.png\r\n\r\n1;0;5;a.png\r\n"
    path = folder / "map.csv"
    path.write_bytes(text.encode())
    assert ReferenceMap.from_csv(path, INFO).shots == (Shot(0, 0, 5000), Shot(1, 5000, 10000))


def test_milliseconds_of_hole_are_rounding(folder: Path) -> None:
    path = table(folder, HEADER + "1,0,1.001,cut,a.png,\n2,1.002,2,cut,b.png,\n")
    assert ReferenceMap.from_csv(path, INFO).shots == (Shot(0, 0, 1002), Shot(1, 1002, 2000))


ROW = "1,0,1,cut,a.png,\n"
MISTAKES = [
    ("", 1, "is missing; the first line names the columns"),
    (HEADER, 1, "has no rows"),
    ("shot,start,end\n", 1, "column 'reference': is missing"),
    (HEADER.replace("at", "time"), 1, "is unknown"),
    (HEADER + "one,0,1,cut,a.png,\n", 2, "column 'shot': got 'one'; accepted: a whole number"),
    (HEADER + "1,soon,1,cut,a.png,\n", 2, "column 'start': got 'soon'; accepted: a time"),
    (HEADER + "1,2,1,cut,a.png,\n", 2, "column 'end': shot 1 ends at 1, not after its start 2"),
    (HEADER + "1,0,1,wipe,a.png,\n", 2, "column 'transition': got 'wipe'"),
    (HEADER + "1,0,1,dissolve x,a.png,\n", 2, "column 'transition': got 'dissolve x'"),
    (HEADER + "1,0,1,cut,none.png,\n", 2, "column 'reference': no reference at"),
    (HEADER + "1,0,1,cut,,\n", 2, "column 'reference': is empty"),
    (HEADER + "1,0,1,cut,a.png,5\n", 2, "column 'at': 5 lies outside shot 1"),
    (HEADER + ROW + "2,3,4,cut,a.png,\n", 3, "leaves a hole after"),
    (HEADER + ROW + "2,0.5,4,cut,a.png,\n", 3, "overlaps"),
    (HEADER + ROW + "1,0,2,cut,b.png,\n", 3, "has other times in line 2"),
    (HEADER + ROW + "1,0,1,cut,b.png,\n", 3, "needs its own time"),
    (HEADER + "1,0,1,cut,a.png,0.5\n1,0,1,cut,b.png,0.5\n", 3, "needs its own time"),
]


@pytest.mark.parametrize(("text", "line", "message"), MISTAKES)
def test_mistakes_are_named(folder: Path, text: str, line: int, message: str) -> None:
    path = table(folder, text)
    with pytest.raises(BadReference) as error:
        ReferenceMap.from_csv(path, INFO)
    assert str(error.value).startswith(f"{path}:{line}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_files_that_are_no_tables(folder: Path) -> None:
    with pytest.raises(BadReference, match="cannot be read"):
        ReferenceMap.from_csv(folder / "none.csv", INFO)
    (folder / "latin.csv").write_bytes(b"shot,start\xe9")
    with pytest.raises(BadReference, match="not UTF-8"):
        ReferenceMap.from_csv(folder / "latin.csv", INFO)
