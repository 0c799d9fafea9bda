"""What a person wrote into a table stays: planning again, planning with more pictures, planning anew."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from c2e_video import cli
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from tests.media import luma_frames, write_film

EDITED = """\
shot,start,end,transition,reference,at,saturation,note,Reel
1,00:00:00.000,00:00:00.640,cut,gray,,,title,1
9,00:00:00.640,00:00:01.000,cut,mine.png,,1.5,"red, see letter",
2,00:00:01.000,00:00:01.280,cut,,,,,
3,00:00:01.280,00:00:01.920,cut,20.png,00:00:01.480,,,2
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A film of three shots of 16 frames, a table with a cut that a person added, pictures."""
    film = write_film(tmp_path / "film.mp4", shots=(16, 16, 16), size=(160, 96))
    frames = luma_frames(film)

    def keyframe(index: int, name: str) -> None:
        gray = np.clip((frames[index].astype(float) - 16) * 255 / 219, 0, 255)
        cv2.imwrite(str(tmp_path / name), np.clip(gray[..., None] * [0.8, 1.0, 1.15], 0, 255))

    keyframe(3, "mine.png")
    (tmp_path / "more").mkdir()
    for index in (28, 37, 44):
        keyframe(index, f"more/{index}.png")
    keyframe(37, "20.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(
    monkeypatch: pytest.MonkeyPatch, weights: Path, *arguments: str, command: str = "plan"
) -> object:
    common = ["--weights", str(weights), "--size", "32", "--device", "cpu", "--precision", "fp32"]
    monkeypatch.setattr(sys, "argv", ["c2e-video", command, *arguments, *common])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return stop.value.code


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_planning_again_fills_what_is_open_and_keeps_the_rest(
    folder: Path,
    tiny_weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = folder / "film.csv"
    table.write_text(EDITED)
    assert call(monkeypatch, tiny_weights, "film.mp4", "--ref", "more") == 0
    written, before = lines(table), EDITED.splitlines()
    assert written[0] == f"{before[0]},coverage"
    assert written[1] == f"{before[1]},left gray"
    assert [line.rpartition(",")[0] for line in written[2:]] == [
        before[2],
        "2,00:00:01.000,00:00:01.280,cut,more/28.png,00:00:01.120,,,",
        before[4],
        # a frame of a shot whose reference has its time is added to it
        "3,00:00:01.280,00:00:01.920,cut,more/44.png,00:00:01.760,,,",
    ]
    told = capsys.readouterr().out
    assert "3 shots kept as they are written, 1 filled, 1 keyframes added" in told
    assert "film.1.csv" not in {path.name for path in folder.iterdir()}
    assert call(monkeypatch, tiny_weights, "film.mp4", "--ref", "more") == 0
    assert lines(table) == written
    assert "is as it was" in capsys.readouterr().out


def test_a_keyframe_of_a_shot_with_another_picture_is_set_aside_and_named(
    folder: Path,
    tiny_weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = folder / "film.csv"
    table.write_text(EDITED.replace("20.png,00:00:01.480", "mine.png,"))
    assert call(monkeypatch, tiny_weights, "film.mp4", "--ref", "more") == 0
    assert "shot 4 keeps mine.png, as the table says; 37.png is one of its frames" in (
        capsys.readouterr().out
    )


def test_planning_anew_keeps_the_table_under_a_number(
    folder: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = folder / "film.csv"
    table.write_text(EDITED)
    (folder / "film.1.csv").write_text("older")
    assert call(monkeypatch, tiny_weights, "film.mp4", "--ref", "more", "-y") == 0
    assert (folder / "film.1.csv").read_text() == "older"
    assert (folder / "film.2.csv").read_text() == EDITED
    assert len(lines(table)) == 5  # three shots, the last with two keyframes


def test_a_table_and_more_pictures_colorize_together(
    folder: Path, quick: Options, capsys: pytest.CaptureFixture[str]
) -> None:
    table = folder / "edited.csv"
    table.write_text(EDITED)
    result = colorize_video("film.mp4", references=[table, folder / "more"], options=quick)
    rows = [[r.path.name for r in row] for row in result.references.references]
    assert rows == [[], ["mine.png"], ["28.png"], ["20.png", "44.png"]]
    assert [result.references.saturation(i) for i in range(4)] == [0, 1.5, 1, 1]
    assert table.read_text() == EDITED  # colorizing writes no table


def test_an_open_shot_is_named_before_anything_is_colorized(
    folder: Path,
    tiny_weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (folder / "edited.csv").write_text(EDITED)
    code = call(monkeypatch, tiny_weights, "film.mp4", "--ref", "edited.csv", command="colorize")
    assert code == 1
    told = capsys.readouterr().err
    assert "edited.csv:4: column 'reference': is empty; shot 2 needs a picture, or the word" in told
    assert not (folder / "film.color.mp4.c2e").exists()


def test_a_broken_table_is_said_and_left_alone(
    folder: Path,
    tiny_weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = folder / "film.csv"
    broken = EDITED.replace("2,00:00:01.000", "2,00:00:01.100")
    table.write_text(broken)
    assert call(monkeypatch, tiny_weights, "film.mp4", "--ref", "more") == 1
    assert "film.csv:4: column 'start': shot 2 leaves a hole after shot 9 in line 3" in (
        capsys.readouterr().err
    )
    assert table.read_text() == broken


def test_two_tables_are_one_too_many(
    folder: Path,
    tiny_weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text(EDITED)
    assert call(monkeypatch, tiny_weights, "film.mp4", "--ref", "a.csv", "--ref", "b.csv") == 1
    assert "two tables of references: 'a.csv' and 'b.csv'" in capsys.readouterr().err
