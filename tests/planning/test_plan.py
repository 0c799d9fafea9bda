"""The plan: why each shot has its reference, the table to edit, and the sheet to look at."""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from c2e_video import cli
from c2e_video.errors import BadReference, C2EError
from c2e_video.inference.colorizer import Colorizer
from c2e_video.inference.video_colorizer import VideoColorizer
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from c2e_video.planning import analysis, plan
from c2e_video.planning.contact_sheet import write_sheet, write_stills
from c2e_video.planning.plan import Plan, make_plan
from c2e_video.planning.shot_lists import read_shot_list
from c2e_video.references.image import load_references
from c2e_video.references.reference_map import ReferenceMap
from c2e_video.utils.progress import Silent
from c2e_video.video.decode.decoder import probe
from c2e_video.video.frames import Shot
from tests.media import luma_frames, write_film

SHOTS = (16, 16, 16)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_film(tmp_path / "film.mp4", shots=SHOTS, size=(160, 96))


@pytest.fixture
def video_colorizer(film: Path, tiny_weights: Path) -> VideoColorizer:
    colorizer = Colorizer(tiny_weights, device="cpu", precision="fp32", size=32)
    return VideoColorizer(colorizer, probe(film))


def keyframe(film: Path, index: int, name: str) -> Path:
    """Frame ``index`` with colour on it."""
    gray = np.clip((luma_frames(film)[index].astype(float) - 16) * 255 / 219, 0, 255)
    path = film.with_name(name)
    cv2.imwrite(str(path), np.clip(gray[..., None] * np.roll([0.8, 1.0, 1.15], index), 0, 255))
    return path


def planned(film: Path, video_colorizer: VideoColorizer, *pictures: Path) -> Plan:
    return make_plan(
        film, video_colorizer.info, load_references(pictures), video_colorizer, Silent()
    )


class Watched(Silent):
    """Keeps what it was told of: how far each stage came."""

    def __init__(self) -> None:
        self.stages: dict[str, list[int | None]] = {}

    def stage(self, name: str, total: int | None, unit: str = "frame") -> None:
        self.stages[name] = [0, total]
        self._here = self.stages[name]

    def advance(self, count: int) -> None:
        self._here[0] = (self._here[0] or 0) + count


def test_every_stage_of_planning_is_told(film: Path, video_colorizer: VideoColorizer) -> None:
    """Comparing each shot takes a second of it, minutes in a long film."""
    watched = Watched()
    given = load_references([keyframe(film, 8, "8.png")])
    make_plan(film, video_colorizer.info, given, video_colorizer, watched)
    assert watched.stages == {"analyzing": [48, 48], "comparing shots": [3, 3]}


def test_keyframes_serve_their_shot_at_their_frame(
    film: Path, video_colorizer: VideoColorizer
) -> None:
    pictures = [keyframe(film, index, f"{index}.png") for index in (40, 8, 27, 20)]
    made = planned(film, video_colorizer, *pictures)
    assert made.reference_map is not None
    pts = made.analysis.pts
    rows = [[(r.path.name, r.at) for r in row] for row in made.reference_map.references]
    assert rows == [
        [("8.png", pts[8])],
        [("20.png", pts[20]), ("27.png", pts[27])],
        [("40.png", pts[40])],
    ]
    assert [assignment.source for assignment in made.assignments] == ["frame"] * 3
    assert min(assignment.similarity for assignment in made.assignments) > 0.75
    assert not made.weak_matches
    assert "3 with a keyframe of their own" in made.summary()


def test_two_keyframes_of_one_frame_are_one(film: Path, video_colorizer: VideoColorizer) -> None:
    made = planned(film, video_colorizer, keyframe(film, 8, "a.png"), keyframe(film, 8, "b.png"))
    assert made.reference_map is not None
    assert len(made.reference_map.references[0]) == 1


def test_a_shot_without_one_takes_the_nearest_and_says_if_it_is_far(
    film: Path, video_colorizer: VideoColorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, other = keyframe(film, 8, "own.png"), keyframe(film, 40, "other.png")
    nearness = {"own.png": 0.16, "other.png": 0.1}
    monkeypatch.setattr(
        video_colorizer, "similarities", lambda frame, given: [nearness[r.path.name] for r in given]
    )
    made = planned(film, video_colorizer, other, own)
    assert made.reference_map is not None
    assert [row[0].path.name for row in made.reference_map.references] == [
        "own.png",
        "own.png",
        "other.png",
    ]
    (line,) = made.remarks()
    assert line == "shot 2 at 00:00:00.640: nearest reference is far (0.16), 16 frames"


def test_the_longest_far_shots_come_first_and_many_are_a_number(film: Path) -> None:
    info = probe(film)
    shots = tuple(Shot(i, 10 * i * i, 10 * (i + 1) ** 2) for i in range(4))
    analyze = analysis.VideoAnalysis(shots, range(160), (), ())
    assignments = tuple(plan.Assignment(shot, "nearest", 0.1) for shot in shots)
    made = Plan(film, info, analyze, shots, None, assignments)
    assert [assignment.shot.index for assignment in made.weak_matches] == [3, 2, 1, 0]
    assert len(made.remarks()) == 4
    (line,) = made.remarks(3)
    assert line.startswith("4 of 4 shots are far")


def test_a_network_that_cannot_tell_calls_nothing_far() -> None:
    assert not plan.Assignment(Shot(0, 0, 1), "nearest", math.nan).is_weak


def test_a_reference_that_colours_nothing_is_named(
    film: Path, video_colorizer: VideoColorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (96, 160, 3), dtype=np.uint8)
    stranger = film.with_name("stranger.png")
    cv2.imwrite(str(stranger), noise)
    monkeypatch.setattr(video_colorizer, "similarities", lambda frame, given: [0.9, 0.1])
    made = planned(film, video_colorizer, keyframe(film, 8, "own.png"), stranger)
    assert made.remarks() == ["stranger.png colours no shot: others are nearer to each"]


def test_the_table_paints_the_film_as_the_plan_would(
    film: Path, video_colorizer: VideoColorizer, tiny_weights: Path
) -> None:
    pictures = [keyframe(film, index, f"{index}.png") for index in (40, 8, 24)]
    made = planned(film, video_colorizer, *pictures)
    table = film.with_name("film.csv")
    made.write(table)
    options = Options(weights=tiny_weights, device="cpu", precision="fp32", size=32)
    result = colorize_video(film, references=table, options=options)
    assert made.reference_map is not None
    assert result.references.shots == made.reference_map.shots
    assert [[(r.digest, r.at) for r in row] for row in result.references.references] == [
        [(r.digest, r.at) for r in row] for row in made.reference_map.references
    ]


def test_a_plan_without_references_waits_for_them(
    film: Path, video_colorizer: VideoColorizer
) -> None:
    made = planned(film, video_colorizer)
    table = film.with_name("film.csv")
    made.write(table)
    assert len(table.read_text().splitlines()) == 4
    assert made.summary().endswith("no references yet")
    with pytest.raises(BadReference, match=r"film\.csv:2: column 'reference'"):
        ReferenceMap.from_csv(table, video_colorizer.info)


def test_the_sheet_shows_every_shot_and_needs_nothing_else(
    film: Path, video_colorizer: VideoColorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_colorizer, "similarities", lambda frame, given: [0.16] * len(given))
    own = keyframe(film, 8, "<b>&.png")
    made = planned(film, video_colorizer, own)
    sheet = film.with_name("film.html")
    write_sheet(made, video_colorizer, sheet, Silent())
    page = sheet.read_text()
    rows = re.findall(r"<tr id=.*?</tr>", page)
    assert len(rows) == 3
    # first, middle, last, reference, painted
    assert [row.count("data:image/jpeg;base64,") for row in rows] == [5] * 3
    assert ["far" in row.partition(">")[0] for row in rows] == [False, True, True]
    assert page.count("nearest reference is far (0.16)") == 2
    assert "&lt;b&gt;&amp;.png" in page
    assert "<b>" not in page
    assert "http" not in page
    assert not list(film.parent.glob("*.partial"))


def test_stills_are_the_frames_worth_painting(
    film: Path, video_colorizer: VideoColorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Painted and given back, each is found as the frame it is."""
    folder = film.with_name("stills")
    assert write_stills(planned(film, video_colorizer), folder, Silent()) == 3
    names = sorted(path.name for path in folder.iterdir())
    assert names[1] == "shot-0002_00-00-00.960.png"
    still = cv2.imread(str(folder / names[1]))
    assert still is not None
    assert still.shape == (96, 160, 3)
    colorized = film.with_name("painted.png")
    cv2.imwrite(str(colorized), np.clip(still * [1.1, 0.9, 0.7], 0, 255))
    monkeypatch.setattr(video_colorizer, "similarities", lambda frame, given: [0.1] * len(given))
    made = planned(film, video_colorizer, colorized)
    assert made.reference_map is not None
    assert made.reference_map.references[1][0].at == made.analysis.pts[24]
    is_weak = film.with_name("far")
    is_weak.mkdir()
    mine = is_weak / "shot-0001_00-00-00.320.png"
    mine.write_text("painted by hand")
    assert write_stills(made, is_weak, Silent()) == 2
    assert mine.read_text() == "painted by hand"
    assert sorted(path.name[:9] for path in is_weak.iterdir()) == ["shot-0001", "shot-0003"]


def test_a_sheet_without_references(film: Path, video_colorizer: VideoColorizer) -> None:
    sheet = film.with_name("film.html")
    write_sheet(planned(film, video_colorizer), video_colorizer, sheet, Silent())
    assert sheet.read_text().count("no reference yet") == 3


def test_the_command_writes_table_and_sheet(
    film: Path,
    tiny_weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(film.parent)
    keyframe(film, 8, "key.png")

    def call(*arguments: str) -> object:
        common = ["--weights", str(tiny_weights), "--size", "32", "--device", "cpu"]
        monkeypatch.setattr(sys, "argv", ["c2e-video", "plan", *arguments, *common])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return stop.value.code

    assert call("film.mp4", "--ref", "key.png", "--sheet", "film.html") == 0
    assert "film.mp4: 48 frames, 3 shots" in capsys.readouterr().out
    assert Path("film.html").exists()
    edited = Path("film.csv").read_text()
    assert call("film.mp4", "-o", "film.edl", "--shots", "film.csv") == 0
    assert "film.edl" in capsys.readouterr().out
    assert call("film.mp4", "--ref", "key.png") == 1  # nothing is overwritten unasked
    assert "exists; -y overwrites it" in capsys.readouterr().err
    assert call("film.mp4", "-o", "film.txt") == 1
    assert "shots are written to .csv, .edl, .otio" in capsys.readouterr().err
    assert call("film.mp4", "-o", "both.csv", "--sheet", "both.csv") == 1
    assert "give two names" in capsys.readouterr().err
    assert call("film.mp4", "--refs", "film.csv", "--sheet", "again.html") == 0
    assert Path("film.csv").read_text() == edited
    assert "as the map says" in Path("again.html").read_text()


def test_shots_of_others_are_taken_and_given(
    film: Path, video_colorizer: VideoColorizer, tmp_path: Path
) -> None:
    found = planned(film, video_colorizer)
    found.write(tmp_path / "film.edl")
    listed = read_shot_list(tmp_path / "film.edl", video_colorizer.info)[1:]
    given = load_references([keyframe(film, 20, "key.png")])
    joined = (Shot(0, 0, listed[0].stop), *listed[1:])  # its first two shots as one
    made = make_plan(film, video_colorizer.info, given, video_colorizer, Silent(), shots=joined)
    assert [shot.start for shot in made.shots] == [found.shots[0].start, found.shots[2].start]
    assert made.assignments[0].source == "frame"


def test_a_map_and_a_list_of_shots_exclude_each_other(
    film: Path, video_colorizer: VideoColorizer
) -> None:
    shots = (Shot(0, 0, 100),)
    given = ReferenceMap.single(load_references([keyframe(film, 8, "key.png")])[0], shots)
    with pytest.raises(C2EError, match="not both"):
        make_plan(film, video_colorizer.info, given, video_colorizer, Silent(), shots=shots)


def test_equal_pictures_are_read_once(film: Path, video_colorizer: VideoColorizer) -> None:
    """However many shots, names and passes: the color encoder reads a picture once."""
    one = keyframe(film, 8, "one.png")
    same = film.with_name("same.png")
    same.write_bytes(one.read_bytes())
    made = planned(film, video_colorizer, one, same)
    write_sheet(made, video_colorizer, film.with_name("film.html"), Silent())
    assert video_colorizer.colorizer.embeddings_made == 1
