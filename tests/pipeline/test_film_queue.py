"""A queue says what is done, what failed and what is left, and a second start goes on."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from c2e_video.errors import C2EError
from c2e_video.pipeline.film_queue import QueuedFilm, make_queue, run_queue, table
from c2e_video.pipeline.options import Options
from c2e_video.utils.progress import Silent
from tests.media import write_film


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two films, of which the second is broken, and what is no film."""
    folder = tmp_path / "films"
    folder.mkdir()
    write_film(folder / "a.mp4", 8)
    (folder / "b.mkv").write_bytes(b"no film")
    (folder / "notes.txt").write_text("")
    (folder / "._a.mp4").write_bytes(b"")
    return folder


def states(films: list[QueuedFilm]) -> list[tuple[str, str]]:
    return [(film.source.name, film.state) for film in films]


def work_off(folder: Path, reference: Path, options: Options, **how: bool) -> list[QueuedFilm]:
    films = make_queue([folder], [reference], options, restart=how.get("restart", False))
    run_queue(films, options, Silent(), **how)
    return films


def test_a_broken_film_does_not_stop_the_others(
    folder: Path, reference: Path, quick: Options
) -> None:
    (folder / "b.mkv").rename(folder / "0.mkv")
    films = work_off(folder, reference, quick)
    assert states(films) == [("0.mkv", "failed"), ("a.mp4", "done")]
    assert (folder / "a.color.mp4").exists()
    lines = table(films)
    assert len(lines) == 3
    assert "is not a film that can be read" in lines[0]
    assert "a.color.mp4: 8 frames, 1 shot" in lines[1]
    assert lines[2] == "1 done, 1 failed, 0 left"


def test_a_second_start_makes_only_what_is_not_made(
    folder: Path, reference: Path, quick: Options
) -> None:
    work_off(folder, reference, quick)
    output = folder / "a.color.mp4"
    made = output.stat().st_mtime_ns
    write_film(folder / "b.mkv", 8, codec="ffv1")
    films = make_queue([folder], [reference], quick)
    assert states(films) == [("a.mp4", "done"), ("b.mkv", "left")]
    run_queue(films, quick, Silent())
    assert states(films) == [("a.mp4", "done"), ("b.mkv", "done")]
    assert output.stat().st_mtime_ns == made


def test_other_options_or_a_newer_reference_are_another_film(
    folder: Path, reference: Path, quick: Options
) -> None:
    work_off(folder, reference, quick)
    other = replace(quick, saturation=1.0)
    assert states(make_queue([folder], [reference], other))[0] == ("a.mp4", "left")
    assert states(make_queue([folder], [reference], replace(quick, batch=3)))[0][1] == "done"
    assert states(make_queue([folder], [reference], quick, restart=True))[0][1] == "left"
    after = (folder / "a.color.mp4.json").stat().st_mtime + 5
    os.utime(reference, (after, after))
    films = work_off(folder, reference, quick)
    assert films[0].state == "failed"
    assert "exists; overwrite=True overwrites it" in films[0].line
    assert work_off(folder, reference, quick, overwrite=True)[0].state == "done"


def test_a_film_takes_its_own_table(folder: Path, reference: Path, quick: Options) -> None:
    own = folder / "a.csv"
    header, row = "shot,start,end,transition,reference,at", f"1,0,0.32,cut,{reference.name},"
    own.write_text(f"{header}\n{row}\n")
    shutil.copy(reference, folder)
    films = make_queue([folder], [], quick)
    assert films[0].references == (own,)
    assert films[1].state == "failed"
    assert films[1].line == "no table b.csv beside it, and no references=… for all films"
    run_queue(films, quick, Silent())
    assert films[0].state == "done"


def test_what_cannot_be_a_queue_is_refused(folder: Path, reference: Path, quick: Options) -> None:
    empty = folder.with_name("empty")
    empty.mkdir()
    with pytest.raises(C2EError, match="holds no film"):
        make_queue([empty], [reference], quick)
    write_film(folder / "a.avi", 8, codec="mpeg4")
    with pytest.raises(C2EError, match="which is the place of"):
        make_queue([folder], [reference], quick)
    with pytest.raises(C2EError, match="no folder"):
        make_queue([folder / "a.mp4"], [reference], quick, output=folder / "none")


def test_a_fault_of_the_program_fails_one_film_and_shows_where(
    folder: Path,
    reference: Path,
    quick: Options,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("odd")

    monkeypatch.setattr("c2e_video.pipeline.film_queue.colorize_video", broken)
    films = work_off(folder, reference, quick)
    assert films[0].line == "a fault of c2e-video (RuntimeError: odd); please report it"
    assert "Traceback" in capsys.readouterr().err
