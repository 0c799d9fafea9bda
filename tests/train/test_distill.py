"""Film pairs, the color prior and the semantic encoder's training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from c2e_video.errors import BadWeights, C2EError
from c2e_video.model import load_weights, save_weights
from c2e_video.model.color_prior import BINS, bin_centers
from c2e_video.model.semantic_memory import SemanticMemory
from c2e_video.train import distill, prior
from c2e_video.train.augment import FAR, FilmBatch, Rng, make_example
from c2e_video.train.config import TrainConfig
from c2e_video.train.dataset import open_cache
from c2e_video.train.distill import Distiller
from c2e_video.train.film_pairs import FilmPairs, pair_of
from c2e_video.train.losses import VGG16, _vgg
from tests.factories import TINY, random_model
from tests.model.test_semantic_memory import SEMANTIC


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty shots of three frames, each shot of one lightness."""
    folder = tmp_path_factory.mktemp("film")
    for shot in range(40):
        for number in (0, 2, 30):
            path = folder / f"shot-{shot}" / f"{number:03d}.png"
            path.parent.mkdir(exist_ok=True)
            color = np.array([40 + 4 * shot, 40, 200 - 4 * shot], np.uint8)
            cv2.imwrite(str(path), np.tile(color, (72, 96, 1)))
    return folder


def test_a_pair_is_of_one_shot_and_some_shots_are_kept_for_validation(
    film: Path, tmp_path: Path
) -> None:
    pairs = FilmPairs(open_cache([film], tmp_path))
    assert len(pairs.shots) + len(pairs.validation) == 40
    assert pairs.validation
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(200):
        frame, reference = pairs.draw(32, rng)
        assert frame.shape == reference.shape == (32, 32, 3)
        assert np.abs(frame.astype(int) - reference).max() <= 1
        seen.add(round((200 - int(frame[0, 0, 0])) / 4))
    kept = {int(pairs.frames.names[own[0][1]].split("/")[0][5:]) for own in pairs.validation}
    assert not seen & kept


def test_pairs_are_near_and_far_and_either_comes_first() -> None:
    shot = [(0, 10), (1, 11), (4, 12), (90, 13)]
    rng = np.random.default_rng(0)
    pairs = [pair_of(shot, rng) for _ in range(300)]
    numbers = {10: 0, 11: 1, 12: 4, 13: 90}
    distances = np.array([numbers[b] - numbers[a] for a, b in pairs])
    assert (distances > 0).mean() == pytest.approx(0.5, abs=0.15)
    assert {1, 90} <= set(np.abs(distances))
    assert 0 not in distances


def test_a_frame_keeps_its_own_reference() -> None:
    pictures = torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8)
    pairs = FilmBatch(255 - pictures, torch.tensor([True, False]))
    config = TrainConfig(recolor_share=1.0, object_share=1.0)
    example = make_example(pictures, config, Rng(0, torch.device("cpu")), pairs)
    torch.testing.assert_close(example.truth[0].permute(1, 2, 0) * 255, pictures[0].float())
    wanted = 1 - example.truth[0]
    assert np.corrcoef(example.reference[0].flatten(), wanted.flatten())[0, 1] > 0.95
    assert (example.correspondence[0] == FAR).all()
    assert (example.correspondence[1] != FAR).any()


def test_the_prior_learns_what_color_such_places_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dark pictures are red and light ones blue: two cells, each with its color."""
    semantic = random_model(SEMANTIC).semantic
    assert isinstance(semantic, SemanticMemory)
    monkeypatch.setattr(prior, "LIGHT", 50.0)
    monkeypatch.setattr(prior, "NEAREST", 1)
    dark = torch.tensor([0.45, 0.1, 0.1]).view(1, 3, 1, 1).expand(4, 3, 64, 64)
    light = torch.tensor([0.7, 0.75, 1.0]).view(1, 3, 1, 1).expand(4, 3, 64, 64)
    learned = prior.learn_prior(semantic, [dark, light], 2)
    torch.testing.assert_close(learned.histograms.sum(1), torch.ones(2))
    order = learned.lightness.argsort()
    red, blue = bin_centers(torch.device("cpu")).float()[learned.histograms[order].argmax(1)]
    assert red[0] > 15
    assert blue[1] < -10
    assert learned.histograms.shape == (2, BINS)


def test_a_distilled_network_has_features_and_a_prior_and_paints_as_before_on_its_own_scene(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Teacher, student, prior and joined weights, and the run is taken up where it was."""
    torch.manual_seed(0)
    save_file({f"features.{k}": v for k, v in _vgg(VGG16).state_dict().items()}, tmp_path / "vgg")
    save_weights(random_model(), tmp_path / "init.safetensors")
    monkeypatch.setattr(distill, "WIDTH", 8)
    monkeypatch.setattr(distill, "BASIS_PICTURES", 8)
    config = TrainConfig(steps=3, batch=4, sizes=((0, 64),), lr=1e-3, film_share=0.5)
    options = {"teacher": tmp_path / "vgg", "init": tmp_path / "init.safetensors", "cells": 5}
    out = tmp_path / "out"
    run = Distiller([film], out, config, film=[film], **options)  # type: ignore[arg-type]
    run.run(save_every=1)
    model = load_weights(out / "weights.safetensors")
    assert model.config == replace(TINY, semantic=8, prior=5)
    old = load_weights(tmp_path / "init.safetensors").state_dict()
    for name, tensor in model.state_dict().items():
        if name in old:
            torch.testing.assert_close(tensor, old[name], atol=2e-3, rtol=2e-3)
    with pytest.raises(C2EError, match="resume=True"):
        Distiller([film], out, config, film=[film], **options)  # type: ignore[arg-type]
    longer = replace(config, steps=4)
    again = Distiller([film], out, longer, film=[film], resume=True, **options)  # type: ignore[arg-type]
    assert again.step == 3

    prior.relearn_prior(
        [film], tmp_path / "prior", config, init=out / "weights.safetensors", cells=7
    )
    with_other = load_weights(tmp_path / "prior" / "weights.safetensors")
    assert with_other.config == replace(TINY, semantic=8, prior=7)
    for name, tensor in model.state_dict().items():
        if not name.startswith("semantic.prior."):
            torch.testing.assert_close(with_other.state_dict()[name], tensor)
    with pytest.raises(BadWeights, match="--teacher"):
        prior.relearn_prior([film], tmp_path, config, init=tmp_path / "init.safetensors")

    options["init"] = out / "weights.safetensors"  # another run goes on from its encoder
    further = Distiller([film], tmp_path / "further", config, film=[film], **options)  # type: ignore[arg-type]
    assert model.semantic is not None
    own = model.semantic.encoder.state_dict()
    for name, tensor in further.student.state_dict().items():
        torch.testing.assert_close(tensor, own[name])
