"""A film without references: each shot's colors are guessed, once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from c2e_video import cli
from c2e_video.errors import BadReference
from c2e_video.inference.colorizer import Colorizer
from c2e_video.inference.semantic_matching import SemanticMatcher
from c2e_video.inference.video_colorizer import VideoColorizer
from c2e_video.model import save_weights
from c2e_video.model.color_prior import bins_of
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from c2e_video.planning import assign
from c2e_video.planning.contact_sheet import write_sheet
from c2e_video.planning.guesses import NOTE, guess_references, write_guesses
from c2e_video.planning.planner import make_plan
from c2e_video.references.image import load_references
from c2e_video.references.reference_map import ReferenceMap
from c2e_video.utils.progress import Silent
from c2e_video.video.decode.decoder import probe
from tests.factories import TINY, random_model, write_picture
from tests.media import write_film

SHOTS = (16, 16)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_film(tmp_path / "film.mp4", shots=SHOTS, size=(160, 96))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny network with a color prior."""
    model = random_model(replace(TINY, semantic=8, prior=6))
    assert model.semantic is not None
    assert model.semantic.prior is not None
    prior = model.semantic.prior
    prior.histograms.zero_()[:, bins_of(torch.tensor([40.0, 20.0]))] = 1.0
    path = tmp_path_factory.mktemp("weights") / "semantic.safetensors"
    save_weights(model, path)
    return path


@pytest.fixture
def colorizer(weights: Path) -> Colorizer:
    return Colorizer(weights, device="cpu", precision="fp32", size=32)


class Noted(Silent):
    """Progress that keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, line: str) -> None:
        self.notes.append(line)


def test_each_shot_has_one_guess_which_is_kept_where_it_was_corrected(
    film: Path, colorizer: Colorizer, tmp_path: Path
) -> None:
    info = probe(film)
    plan = make_plan(film, info, (), VideoColorizer(colorizer, info), Silent())
    guessed = guess_references(plan, colorizer, Silent())
    assert len(guessed.references) == 2
    for shot, row in zip(guessed.shots, guessed.references, strict=True):
        (reference,) = row
        assert reference.at is not None
        assert reference.at in shot
        assert reference.image.shape == (96, 160, 3)
    folder = tmp_path / "guesses"
    written = write_guesses(guessed, folder, Silent())
    for row in written.references:
        read = cv2.imread(str(row[0].path))
        assert read is not None
        assert (read[..., ::-1] == row[0].image).all()
    corrected = written.references[0][0].path
    corrected.write_bytes(b"corrected")
    progress = Noted()
    write_guesses(guessed, folder, progress)
    assert corrected.read_bytes() == b"corrected"
    assert len(progress.notes) == 2
    plan.with_guesses(written).write(tmp_path / "map.csv")
    corrected.unlink()
    write_guesses(guessed, folder, Silent())
    again = ReferenceMap.from_csv(tmp_path / "map.csv", info)
    assert [row[0].at for row in again.references] == [row[0].at for row in guessed.references]


def test_a_film_without_references_is_painted_and_told_to_be_guessed(
    film: Path, quick: Options, weights: Path
) -> None:
    progress = Noted()
    result = colorize_video(film, options=replace(quick, weights=weights), progress=progress)
    assert result.frames == 32
    assert NOTE in progress.notes
    assert NOTE in result.notes
    assert all(len(row) == 1 for row in result.references.references)


def test_without_a_prior_a_reference_is_needed(film: Path, quick: Options, weights: Path) -> None:
    with pytest.raises(BadReference, match="no color prior"):
        colorize_video(film, options=quick)
    with pytest.raises(BadReference, match="prior is off"):
        colorize_video(film, options=replace(quick, weights=weights, prior=0.0))


def test_plan_writes_proposals_and_names_them(film: Path, weights: Path, tmp_path: Path) -> None:
    folder, table = tmp_path / "stills", tmp_path / "film.csv"
    options = ["--weights", str(weights), "--size", "32", "--device", "cpu", "--precision", "fp32"]
    arguments = ["plan", str(film), "--propose", str(folder), "-o", str(table), *options]
    result = CliRunner().invoke(cli.cli, arguments)
    assert result.exit_code == 0, result.output
    mapped = ReferenceMap.from_csv(table, probe(film))
    names = sorted(path.name for path in folder.iterdir())
    assert [row[0].path.name for row in mapped.references] == names
    assert len(names) == 2


def test_a_shot_takes_the_references_that_together_are_most_alike(colorizer: Colorizer) -> None:
    """The one that shows most of the frame, then the one that shows the rest; not one that adds nothing."""
    cells = np.eye(6, dtype=np.float32)
    frame, useless = cells[:4], cells[5:]
    matcher = SemanticMatcher(colorizer)
    references = [useless, cells[3:4], cells[:3], cells[:2]]
    assert matcher.choose([frame], references, 4) == [2, 1]
    assert matcher.choose([frame], references, 1) == [2]


def test_pictures_of_other_scenes_serve_a_shot_together(
    film: Path, colorizer: Colorizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assign, "SAME_SCENE", 2.0)  # nothing is the same scene
    monkeypatch.setattr(SemanticMatcher, "choose", lambda self, frames, refs, limit: [1, 0])
    pictures = [write_picture(tmp_path / f"{k}.png", k) for k in range(3)]
    info = probe(film)
    references = load_references(pictures)
    plan = make_plan(film, info, references, VideoColorizer(colorizer, info), Silent())
    assert plan.reference_map is not None
    assert all(len(row) == 2 for row in plan.reference_map.references)
    weights = plan.reference_map.weights_at(plan.analysis.pts[0])
    assert [weight for _, weight in weights] == [0.5, 0.5]
    write_sheet(plan, (), VideoColorizer(colorizer, info), tmp_path / "film.html", Silent())
    assert "2 references of other scenes; the nearest has" in (tmp_path / "film.html").read_text()
    plan.write(tmp_path / "map.csv")
    again = ReferenceMap.from_csv(tmp_path / "map.csv", info)
    assert [len(row) for row in again.references] == [2, 2]
