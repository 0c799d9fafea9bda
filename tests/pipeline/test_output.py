"""Where a film is written: through links, never over another film, and known before the work."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from c2e_video.errors import C2EError
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from c2e_video.pipeline.output import check_places, outputs_for, written_to
from c2e_video.video.encode import EncodeSettings
from tests.media import video_pts

H264 = EncodeSettings()


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_written_through(
    film: Path, reference: Path, quick: Options, there: bool
) -> None:
    disk = film.with_name("big-disk")
    disk.mkdir()
    target, link = disk / "target.mp4", film.with_name("out.mp4")
    link.symlink_to(Path("big-disk") / "target.mp4")
    if there:
        target.touch()
    result = colorize_video(film, link, references=reference, options=quick, overwrite=there)
    assert link.is_symlink()
    assert result.output == target
    assert video_pts(target) == video_pts(film)
    assert sorted(p.name for p in disk.iterdir()) == ["target.mp4", "target.mp4.json"]


def test_links_that_lead_nowhere(film: Path) -> None:
    link = film.with_name("out.mp4")
    link.symlink_to("none/out.mp4")
    with pytest.raises(C2EError, match="no folder"):
        check_places(film, link, False)
    link.unlink()
    link.symlink_to(link.name)
    with pytest.raises(C2EError, match=r"is a link that leads nowhere; choose another output=…"):
        written_to(link)


def test_a_link_to_the_film_itself_is_the_film(film: Path) -> None:
    link = film.with_name("out.mp4")
    link.symlink_to(film.name)
    with pytest.raises(C2EError, match="is the film itself"):
        check_places(film, link, True)


def test_a_device_is_no_output(film: Path) -> None:
    """It would be replaced by the film, by one who may."""
    pipe = film.with_name("pipe.mp4")
    os.mkfifo(pipe)
    with pytest.raises(C2EError, match="is a device or a pipe"):
        check_places(film, pipe, True)


def test_each_of_several_films_has_its_own_output(tmp_path: Path) -> None:
    films = [tmp_path / "a.mp4", tmp_path / "b.mkv", tmp_path / "c.avi"]
    assert [p.name for p in outputs_for(films, None, H264)] == [
        "a.color.mp4",
        "b.color.mkv",
        "c.color.mp4",
    ]
    (tmp_path / "out").mkdir()
    inside = outputs_for(films, tmp_path / "out", H264)
    assert {p.parent for p in inside} == {tmp_path / "out"}
    assert outputs_for(films[:1], tmp_path / "out", H264) == inside[:1]
    assert outputs_for(films[:1], tmp_path / "x.mp4", H264) == [tmp_path / "x.mp4"]


@pytest.mark.parametrize(
    ("films", "output", "message"),
    [
        (("a.mp4", "a.avi"), None, "'a.avi' would be written to 'a.color.mp4', which is the place of"),
        (("a.mp4", "a.mp4"), None, "'a.mp4' would be written to 'a.color.mp4', which is the place of"),
        (("x/a.mp4", "y/a.mp4"), "out", "'y/a.mp4' would be written to 'out/a.color.mp4'"),
        (("a.mp4", "a.color.mp4"), None, "'a.mp4' would be written to 'a.color.mp4', which is the place"),
        (("a.mp4", "b.mp4"), "out.mp4", "'out.mp4' is one file, and there are 2 films"),
    ],
)  # fmt: skip
def test_films_that_would_collide_are_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    films: tuple[str, ...],
    output: str | None,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    with pytest.raises(C2EError) as error:
        outputs_for([Path(film) for film in films], output and Path(output), H264)  # type: ignore[arg-type]
    assert message in str(error.value)


def test_without_a_temporary_folder_the_outputs_own_serves(
    film: Path, reference: Path, quick: Options, no_temporary_folder: None
) -> None:
    out = film.with_name("out")
    out.mkdir()
    result = colorize_video(film, out / "o.mp4", references=reference, options=quick)
    assert result.frames == 14
    assert sorted(p.name for p in out.iterdir()) == ["o.mp4", "o.mp4.json"]


def test_a_temporary_folder_that_is_full_is_not_needed(
    film: Path, reference: Path, quick: Options, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing large is written there: the parts lie beside the output."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    colorize_video(film, references=reference, options=quick)
    assert not list(folder.iterdir())
    shutil.rmtree(folder)
