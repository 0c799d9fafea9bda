"""The plan: why each shot has its reference, the table to edit, and the sheet to look at."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from c2e_video import cli
from c2e_video.errors import BadReference, C2EError
from c2e_video.inference.colorizer import Colorizer
from c2e_video.inference.matching import Match, PictureMatcher
from c2e_video.inference.video_colorizer import VideoColorizer
from c2e_video.model import save_weights
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from c2e_video.planning import analysis, samples
from c2e_video.planning.contact_sheet import write_sheet
from c2e_video.planning.coverage import FilmMatcher
from c2e_video.planning.plan import Plan
from c2e_video.planning.planner import make_plan
from c2e_video.planning.proposals import Proposal
from c2e_video.planning.samples import FrameSample
from c2e_video.planning.shot_lists import read_shot_list
from c2e_video.planning.stills import write_stills
from c2e_video.references.image import Reference, load_references
from c2e_video.references.reference_map import ReferenceMap
from c2e_video.utils.progress import Silent
from c2e_video.video.decode.decoder import probe
from c2e_video.video.frames import Shot
from tests.factories import TINY, random_model
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
    assert watched.stages == {
        "analyzing": [48, 48],
        "comparing shots": [3, 3],
        "measuring coverage": [3, 3],
    }


def found_with(
    monkeypatch: pytest.MonkeyPatch, shares: dict[str, float], default: float = 0.0
) -> None:
    """Every comparison finds so much of a frame in the reference of that name."""

    def match(
        self: FilmMatcher, sample: FrameSample, key: object, load: Callable[[], Reference]
    ) -> Match:
        return Match(1.0, shares.get(load().path.name, default))

    monkeypatch.setattr(FilmMatcher, "match_candidate", match)


def test_keyframes_serve_their_shot_at_their_frame(
    film: Path, video_colorizer: VideoColorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    found_with(monkeypatch, {}, 0.9)
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
    assert not made.lacking
    assert "3 with a keyframe of their own" in made.summary()
    assert made.summary().endswith("100% of the frames covered")


def test_two_keyframes_of_one_frame_are_one(film: Path, video_colorizer: VideoColorizer) -> None:
    made = planned(film, video_colorizer, keyframe(film, 8, "a.png"), keyframe(film, 8, "b.png"))
    assert made.reference_map is not None
    assert len(made.reference_map.references[0]) == 1


def test_a_shot_without_one_takes_the_nearest_and_says_how_far_it_is_covered(
    film: Path, video_colorizer: VideoColorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, other = keyframe(film, 8, "own.png"), keyframe(film, 40, "other.png")
    found_with(monkeypatch, {"own.png": 0.6, "other.png": 0.8})
    made = planned(film, video_colorizer, other, own)
    assert made.reference_map is not None
    assert [row[0].path.name for row in made.reference_map.references] == [
        "own.png",
        "other.png",
        "other.png",
    ]
    assert made.remarks() == ["shot 1 at 00:00:00.000: fading (16 of 16 frames)"]
    found_with(monkeypatch, {"own.png": 0.4, "other.png": 0.3})
    made = planned(film, video_colorizer, other, own)
    assert made.remarks() == [
        "shot 1 at 00:00:00.000: uncovered (16 of 16 frames)",
        "shot 2 at 00:00:00.640: uncovered (16 of 16 frames; nearest reference own.png, 0.40)",
        "shot 3 at 00:00:01.280: uncovered (16 of 16 frames)",
    ]
    assert made.remarks(2) == [
        "3 of 3 shots are not covered throughout; `c2e-video plan` with --sheet shows which"
    ]


def test_the_best_candidates_of_a_shot_are_told_with_their_scores(
    film: Path, video_colorizer: VideoColorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = {f"{i}.png": 0.1 * i for i in range(1, 8)}
    found_with(monkeypatch, shares)
    made = planned(film, video_colorizer, *(keyframe(film, 5 * i, f"{i}.png") for i in range(1, 8)))
    best = made.assignments[1].candidates
    assert [c.candidate.path.name for c in best] == ["7.png", "6.png", "5.png", "4.png", "3.png"]
    assert [round(c.score, 2) for c in best] == [0.7, 0.6, 0.5, 0.4, 0.3]


def test_a_network_that_cannot_compare_says_so(film: Path, tmp_path: Path) -> None:
    weights = tmp_path / "plain.safetensors"
    save_weights(random_model(replace(TINY, memory=0)), weights)
    colorizer = Colorizer(weights, device="cpu", precision="fp32", size=32)
    made = planned(film, VideoColorizer(colorizer, probe(film)), keyframe(film, 8, "8.png"))
    assert not made.lacking
    assert {c.verdict(made.info) for c in made.coverage} == {"the network cannot tell"}
    assert not made.proposals(FilmMatcher(PictureMatcher(colorizer)), Silent())


def test_a_reference_that_colours_nothing_is_named(
    film: Path, video_colorizer: VideoColorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (96, 160, 3), dtype=np.uint8)
    stranger = film.with_name("stranger.png")
    cv2.imwrite(str(stranger), noise)
    found_with(monkeypatch, {"own.png": 0.9})
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
    own = keyframe(film, 8, "<b>&.png")
    found_with(monkeypatch, {}, 0.6)
    made = planned(film, video_colorizer, own)
    sheet = film.with_name("film.html")
    stills = [Proposal(made.samples[1][0].pts, 1, 9, (1,), 0.5)]
    write_sheet(made, stills, video_colorizer, sheet, Silent())
    page = sheet.read_text()
    rows = re.findall(r"<article .*?</article>", page)
    assert len(rows) == 3
    assert [row.count('src="data:image/webp;base64,') for row in rows] == [3] * 3
    assert [row.count('height="200"') for row in rows] == [3] * 3
    assert page.count('loading="lazy"') == 10
    assert page.count("background-image") == 1  # the one reference, however often it is shown
    assert all('class="fading"' in row and ">fading<" in row for row in rows)
    assert "mends 9 frames" in page
    assert "From 0.75 on the frame is covered" in page
    assert "&lt;b&gt;&amp;.png" in page
    assert "<b>&" not in page
    assert "http" not in page
    assert not list(film.parent.glob("*.partial"))


def test_planning_with_a_sheet_and_stills_reads_the_film_once(
    film: Path, video_colorizer: VideoColorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stills are sought; nothing else is decoded again."""
    made = planned(film, video_colorizer, keyframe(film, 8, "8.png"))
    decoded: list[object] = []

    def watched(*arguments: object, **how: object) -> object:
        decoded.append(arguments)
        raise AssertionError("the film is read again")

    for module in (analysis, samples):
        monkeypatch.setattr(module, "decode", watched, raising=False)
    write_sheet(made, (), video_colorizer, film.with_name("film.html"), Silent())
    assert not decoded


def test_stills_are_the_frames_worth_painting(
    film: Path, video_colorizer: VideoColorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Painted and given back, each is found as the frame it is."""
    folder = film.with_name("stills")
    found_with(monkeypatch, {}, 0.1)
    bare = planned(film, video_colorizer)
    wanted = [Proposal(bare.analysis.pts[i], i // 16, 1, (), 1.0) for i in (24, 3)]
    assert write_stills(bare, wanted, folder, Silent()) == 2
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["shot-0001_00-00-00.120.png", "shot-0002_00-00-00.960.png"]
    still = cv2.imread(str(folder / names[1]))
    assert still is not None
    assert still.shape == (96, 160, 3)
    colorized = film.with_name("colorized.png")
    cv2.imwrite(str(colorized), np.clip(still * [1.1, 0.9, 0.7], 0, 255))
    made = planned(film, video_colorizer, colorized)
    assert made.reference_map is not None
    assert made.reference_map.references[1][0].at == made.analysis.pts[24]
    mine = folder / names[0]
    mine.write_text("painted by hand")
    assert write_stills(made, wanted, folder, Silent()) == 2
    assert mine.read_text() == "painted by hand"


def test_a_sheet_without_references(film: Path, video_colorizer: VideoColorizer) -> None:
    sheet = film.with_name("film.html")
    write_sheet(planned(film, video_colorizer), (), video_colorizer, sheet, Silent())
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
    assert call("film.mp4", "--ref", "key.png", "--sheet", "film.html") == 0
    assert "film.csv is as it was" in capsys.readouterr().out
    assert Path("film.csv").read_text() == edited  # nothing is written over unasked
    Path("note.html").write_text("my notes")
    assert call("film.mp4", "--ref", "key.png", "--sheet", "note.html") == 1
    assert "exists; -y overwrites it" in capsys.readouterr().err
    assert call("film.mp4", "-o", "film.txt") == 1
    assert "shots are written to .csv, .edl, .otio" in capsys.readouterr().err
    assert call("film.mp4", "-o", "both.csv", "--sheet", "both.csv") == 1
    assert "give two names" in capsys.readouterr().err
    assert call("film.mp4", "--refs", "film.csv", "--sheet", "again.html") == 0
    assert Path("film.csv").read_text() == edited
    assert "as the table says" in Path("again.html").read_text()


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
    write_sheet(made, (), video_colorizer, film.with_name("film.html"), Silent())
    assert video_colorizer.colorizer.embeddings_made == 1
