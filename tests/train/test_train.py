"""Training on a handful of tiny pictures: the scheme, the losses, exact resumption."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from c2e_video.color.lab import AB_SCALE, rgb_to_lab
from c2e_video.errors import BadWeights, C2EError, JobMismatch
from c2e_video.model import Color2Embed, load_weights
from c2e_video.train.augment import (
    FAR,
    Rng,
    blocky,
    degraded_lightness,
    flicker,
    make_example,
    places_of,
    recolored,
    scratched,
    warp_grid,
    with_objects,
)
from c2e_video.train.config import TrainConfig
from c2e_video.train.dataset import Sampler, open_cache
from c2e_video.train.loop import STATE, WEIGHTS, Trainer
from c2e_video.train.losses import (
    VGG16,
    VGG19,
    PerceptualLoss,
    _vgg,
    matching_loss,
    reconstruction_loss,
)
from c2e_video.train.processes import Processes
from c2e_video.train.train_wrapper import SelfReference
from tests.factories import TINY, random_model, write_picture

CPU = torch.device("cpu")
SMALL = TrainConfig(
    model=TINY, steps=4, batch=4, sizes=((0, 32),), perceptual_weight=0.0, lr=1e-3, ema=0.9
)
OURS = replace(
    SMALL,
    recolor_share=0.5,
    crop_share=0.5,
    old_film_share=0.5,
    object_share=0.5,
    matching_weight=0.1,
    consistency_weight=0.1,
    memory_dropout=0.3,
    mismatched_memory=0.3,
)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty colour pictures in two folders, a gray one, one that is hidden, and what is no picture."""
    folder = tmp_path_factory.mktemp("photos")
    for i in range(20):
        path = folder / ("a" if i % 2 else "b") / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        write_picture(path, i, 72, 96)
    cv2.imwrite(str(folder / "a" / "gray.png"), np.full((72, 96, 3), 90, np.uint8))
    (folder / "a" / "broken.jpg").write_bytes(b"no picture")
    (folder / "a" / ".1.png").write_bytes((folder / "a" / "1.png").read_bytes())
    return folder


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.randint(
        0, 256, (4, 32, 32, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )


def test_cache_is_decoded_once_from_folders_and_tars(photos: Path, tmp_path: Path) -> None:
    tar = tmp_path / "more.tar"
    with tarfile.open(tar, "w") as file:
        content = (photos / "b" / "0.png").read_bytes()
        entry = tarfile.TarInfo("c/0.png")
        entry.size = len(content)
        file.addfile(entry, io.BytesIO(content))
    cache = open_cache([photos, tar], tmp_path / "cache")
    assert len(cache) == 21
    assert "a/gray.png" not in cache.names
    index = list(cache.names).index("c/0.png")
    truth = cv2.imread(str(photos / "b" / "0.png"))
    assert truth is not None
    np.testing.assert_array_equal(cache[index], truth[:, :, ::-1])
    made = (tmp_path / "cache" / "photos.bin").stat().st_mtime_ns
    open_cache([photos, tar], tmp_path / "cache")
    assert (tmp_path / "cache" / "photos.bin").stat().st_mtime_ns == made


def test_no_photographs(tmp_path: Path) -> None:
    with pytest.raises(C2EError, match="no photographs at"):
        open_cache([tmp_path / "none"], tmp_path / "cache")
    (tmp_path / "empty").mkdir()
    with pytest.raises(C2EError, match="no colour pictures"):
        open_cache([tmp_path / "empty"], tmp_path / "cache")
    (tmp_path / "text").write_text("x")
    with pytest.raises(C2EError, match="neither a folder nor a tar"):
        open_cache([tmp_path / "text"], tmp_path / "cache")


def test_sampler_repeats_a_step_and_never_draws_what_is_held_out(
    photos: Path, tmp_path: Path
) -> None:
    cache = open_cache([photos], tmp_path)
    sampler = Sampler(cache, replace(SMALL, folder_weights=(("a", 0.0),)))
    np.testing.assert_array_equal(sampler.batch(3, 0, 4), sampler.batch(3, 0, 4))
    assert (sampler.batch(3, 0, 4) != sampler.batch(4, 0, 4)).any()
    drawn = np.diff(sampler.cumulative, prepend=0) > 1e-12
    assert cache.held_out().size == 2
    assert not drawn[cache.held_out()].any()
    assert not any(drawn[i] for i, name in enumerate(cache.names) if name.startswith("a/"))


def test_example_is_the_papers_scheme(pictures: torch.Tensor) -> None:
    example = make_example(pictures, SMALL, Rng(0, CPU))
    assert example.lightness.shape == (4, 1, 32, 32)
    assert example.lightness.abs().max() <= 1
    torch.testing.assert_close(example.ab, rgb_to_lab(example.truth)[:, 1:] / AB_SCALE)
    assert (example.reference - example.truth).abs().mean() > 0.05
    plain = make_example(pictures, replace(SMALL, self_augment=False), Rng(0, CPU))
    torch.testing.assert_close(plain.reference, plain.truth)


def test_the_same_dice_give_the_same_example(pictures: torch.Tensor) -> None:
    one, same, other = (make_example(pictures, OURS, Rng(seed, CPU)) for seed in (5, 5, 6))
    torch.testing.assert_close(one.reference, same.reference, rtol=0, atol=0)
    torch.testing.assert_close(one.lightness, same.lightness, rtol=0, atol=0)
    assert (one.reference - other.reference).abs().max() > 0.1


def test_warp_stays_near_the_picture() -> None:
    grid = warp_grid(64, 32, 0.0, Rng(1, CPU))
    assert grid.shape == (64, 32, 32, 2)
    assert grid.abs().mean() < 0.8
    assert grid.abs().max() < 3
    mirrored = (grid[:, :, 0, 0] > grid[:, :, -1, 0]).all(1)
    assert 0.2 < mirrored.float().mean() < 0.8


def test_origins_say_where_the_reference_comes_from(pictures: torch.Tensor) -> None:
    """The truth read at the origins is the reference, wherever the truth shows it."""
    smooth = F.interpolate(pictures.permute(0, 3, 1, 2).float(), scale_factor=4, mode="bicubic")
    large = smooth.clamp(0, 255).byte().permute(0, 2, 3, 1)
    settings = replace(SMALL, noise=0.0, object_share=1.0, crop_share=0.5)
    example = make_example(large, settings, Rng(4, CPU))
    shown = (example.correspondence.abs() < 1).all(1)
    assert 0.3 < shown.float().mean() < 0.98
    read = F.grid_sample(
        example.truth, example.correspondence.permute(0, 2, 3, 1), align_corners=False
    )
    away = (read - example.reference).abs().mean(1)[shown]
    # Along the outlines of things two pictures are mixed; an origin is one or the other's.
    assert away.median() < 0.05
    assert (away > 0.15).float().mean() < 0.1


def test_things_move_between_truth_and_reference(pictures: torch.Tensor) -> None:
    rgb = pictures.permute(0, 3, 1, 2).float() / 255
    truth, reference, correspondence = with_objects(rgb, 1.0, Rng(0, CPU))
    assert (truth != rgb).any(1).flatten(1).any(1).all()
    assert (truth - reference).abs().mean() > 0.01
    assert (correspondence == FAR).any()
    untouched = with_objects(rgb, 0.0, Rng(0, CPU))
    torch.testing.assert_close(untouched[0], rgb)
    torch.testing.assert_close(untouched[1], rgb)
    assert untouched[2].abs().max() < 1


def test_matching_loss_wants_each_place_found_where_it_is() -> None:
    side = 8
    places = places_of(side, CPU)
    mirrored = places.flip(3)
    here, there = (grid.flatten(2).transpose(1, 2) for grid in (places, mirrored))
    right = -(torch.cdist(here, there) * 4).square()
    found = float(matching_loss(right, mirrored))
    assert found < 0.7 * float(matching_loss(torch.zeros(1, 64, 64), mirrored))
    assert found < 0.5 * float(matching_loss(right, places))
    assert float(matching_loss(right, torch.full_like(places, FAR))) == 0  # nothing to be found


def test_matching_loss_leaves_out_places_torn_by_an_outline() -> None:
    """Half background and half hidden (or a thing from elsewhere) is no place of the truth."""
    places = places_of(64, CPU)
    wrong = torch.zeros(1, 64, 64)
    wrong[:, :, 0] = 20.0  # everything is said to lie in the first place
    whole = float(matching_loss(wrong, places))
    for other in (FAR, places[..., :4].roll(32, 2)):
        torn = torch.full_like(places, FAR)
        torn[..., :4] = places[..., :4]
        torn[..., 4:8] = other
        assert float(matching_loss(wrong, torn)) == 0
    assert whole > 10


def test_matching_loss_teaches_keys_and_sharpness() -> None:
    trainer = SelfReference(Color2Embed(TINY), matched=True)
    places = places_of(32, CPU).expand(2, -1, -1, -1)
    _, loss, _ = trainer(
        torch.rand(2, 1, 32, 32),
        torch.rand(2, 3, 32, 32),
        places,
        torch.ones(2),
        torch.zeros(2, dtype=torch.bool),
    )
    loss.backward()
    memory = trainer.model.pffn.memory
    assert memory is not None
    for taught in (memory.near.weight, memory.wide.weight, memory.log_sharpness):
        assert taught.grad is not None
        assert taught.grad.abs().sum() > 0


def test_consistency_is_how_differently_the_same_frame_is_painted() -> None:
    trainer = SelfReference(random_model().requires_grad_(True), matched=False)
    lightness, reference = torch.rand(2, 1, 32, 32), torch.rand(2, 3, 32, 32)
    places = places_of(32, CPU).expand(2, -1, -1, -1)
    settings = (reference, places, torch.ones(2), torch.zeros(2, dtype=torch.bool))
    ab, _, none = trainer(lightness, *settings)
    same, _, alike = trainer(lightness, *settings, lightness)
    _, _, differing = trainer(lightness, *settings, 1 - lightness)
    torch.testing.assert_close(same, ab)
    assert none == 0
    assert alike < 1e-6
    assert differing > 1e-4
    differing.backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in trainer.parameters())


def test_a_frame_is_seen_again_as_old_film_only_where_that_counts(pictures: torch.Tensor) -> None:
    without = make_example(pictures, replace(OURS, consistency_weight=0.0), Rng(5, CPU))
    example = make_example(pictures, OURS, Rng(5, CPU))
    assert without.second_view is None
    torch.testing.assert_close(without.reference, example.reference)
    assert example.second_view is not None
    assert example.second_view.shape == example.lightness.shape
    assert example.second_view.abs().max() <= 1
    assert (example.second_view - example.lightness).abs().mean() > 0.02


def test_light_flickers_from_picture_to_picture() -> None:
    gains = flicker(200, 16, Rng(8, CPU))
    assert gains.shape == (200, 1, 16, 16)
    assert gains.mean().item() == pytest.approx(1, abs=0.02)
    assert gains.mean((1, 2, 3)).std() > 0.03
    assert gains.std((1, 2, 3)).mean() > 0.01


def test_blocks_lose_their_detail_and_keep_their_mean() -> None:
    gray = 0.5 + 0.02 * torch.rand(4, 1, 32, 32, generator=torch.manual_seed(0))
    coarse = blocky(gray, Rng(9, CPU))
    within, kept = (F.pixel_unshuffle(x, 8).std(1).mean() for x in (gray, coarse))
    assert kept < 0.5 * within
    torch.testing.assert_close(F.avg_pool2d(coarse, 8), F.avg_pool2d(gray, 8), atol=0.005, rtol=0)
    # One block does not know of another: hence the borders.
    alone = blocky(gray[:, :, :8, :8], Rng(9, CPU))
    torch.testing.assert_close(alone, coarse[:, :, :8, :8])


def test_some_old_film_is_scratched() -> None:
    gray = torch.full((30, 1, 32, 32), 0.5)
    hurt = (scratched(gray, Rng(7, CPU)) != gray).flatten(1).float().mean(1)
    assert 0.1 < (hurt > 0).float().mean() < 0.6
    assert hurt.max() < 0.4


def test_recoloring_changes_hue_not_lightness_much(pictures: torch.Tensor) -> None:
    soft = pictures.permute(0, 3, 1, 2).float() / 255 * 0.3 + 0.35
    other = recolored(soft, Rng(2, CPU))
    assert (rgb_to_lab(other)[:, 1:] - rgb_to_lab(soft)[:, 1:]).abs().mean() > 3
    assert other.min() >= 0
    assert other.max() <= 1


def test_old_film_is_gray_with_another_contrast(pictures: torch.Tensor) -> None:
    rgb = pictures.permute(0, 3, 1, 2).float() / 255
    lightness = degraded_lightness(rgb, Rng(3, CPU))
    assert lightness.shape == (4, 1, 32, 32)
    assert lightness.min() >= 0
    assert lightness.max() <= 100
    assert (lightness - rgb_to_lab(rgb)[:, :1]).abs().mean() > 2


def test_reconstruction_loss_has_its_knee_at_one_ab_unit() -> None:
    """Equation 8 in ab units, over 110: half a square below one unit, a straight line above."""
    zero = torch.zeros(1)
    for distance, loss in ((0.5, 0.125), (1.0, 0.5), (10.0, 9.5)):
        found = reconstruction_loss(torch.tensor([distance / AB_SCALE]), zero)
        assert float(found) * AB_SCALE == pytest.approx(loss, rel=1e-4)


@pytest.mark.parametrize(("kind", "layout"), [("VGG-16", VGG16), ("VGG-19", VGG19)])
def test_perceptual_loss_takes_both_networks(
    tmp_path: Path, kind: str, layout: tuple[int | str, ...]
) -> None:
    state = _vgg(layout).state_dict()
    path = tmp_path / "vgg.safetensors"
    save_file({f"features.{k}": v.half() for k, v in state.items()}, path)
    loss = PerceptualLoss(path)
    assert loss.kind == kind
    picture = torch.rand(1, 3, 32, 32)
    assert float(loss(picture, picture)) == 0
    assert float(loss(picture, 1 - picture)) > 0


def test_perceptual_loss_refuses_what_is_no_vgg(tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match="no VGG weights"):
        PerceptualLoss(tmp_path / "none")
    save_file({"features.0.weight": torch.zeros(2)}, tmp_path / "bad.safetensors")
    with pytest.raises(BadWeights, match="missing or of another shape"):
        PerceptualLoss(tmp_path / "bad.safetensors")


def run(photos: Path, out: Path, config: TrainConfig, **options: Any) -> Trainer:
    trainer = Trainer([photos], out, config, cache=photos.parent / "cache", **options)
    trainer.run(sheet_every=4, save_every=2)
    return trainer


def test_training_learns_and_leaves_its_files(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path, replace(SMALL, steps=160, lr=5e-3, matching_weight=0.01))
    rows = list(csv.DictReader((tmp_path / "losses.csv").read_text().splitlines()))
    assert len(rows) == 160
    for name in ("reconstruction", "matching"):
        losses = [float(row[name]) for row in rows]
        assert sum(losses[-40:]) < 0.95 * sum(losses[:40])
    assert load_weights(tmp_path / WEIGHTS).config == TINY
    sheet = cv2.imread(str(tmp_path / "sheet-000080.png"))
    assert sheet is not None
    assert sheet.shape == (2 * 32, 4 * 32, 3)
    assert sheet.std() > 10


def test_a_killed_run_resumes_exactly(photos: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run(photos, whole, OURS)
    with pytest.MonkeyPatch.context() as patch:
        step = Trainer._step

        def dies(self: Trainer, number: int, parts: Any) -> Any:
            if number == 3:
                raise KeyboardInterrupt
            return step(self, number, parts)

        patch.setattr(Trainer, "_step", dies)
        with pytest.raises(KeyboardInterrupt):
            run(photos, killed, OURS)
    resumed = run(photos, killed, OURS, resume=True)
    assert resumed.progress["pictures"] == 16
    one, two = load_file(whole / STATE), load_file(killed / STATE)
    assert one.keys() == two.keys()
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=0, atol=0, msg=name)


def test_a_stopped_run_keeps_every_step_and_resumes_exactly(photos: Path, tmp_path: Path) -> None:
    """Between two checkpoints, with the step told at which it goes on."""
    whole, stopped, notes = tmp_path / "whole", tmp_path / "stopped", list[str]()
    run(photos, whole, OURS)
    answers = iter((False, False, True))
    trainer = Trainer([photos], stopped, OURS)
    trainer.run(note=notes.append, should_stop=lambda: next(answers))
    assert trainer.progress["step"] == 3
    assert notes[-1] == "step 3 is saved; resume=True goes on from there"
    run(photos, stopped, OURS, resume=True)
    one, two = load_file(whole / STATE), load_file(stopped / STATE)
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=0, atol=0, msg=name)


def test_a_run_of_an_older_version_keeps_its_columns(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path, replace(SMALL, steps=2))
    table = tmp_path / "losses.csv"
    header = table.read_text().splitlines()[0]
    table.write_text(f"{header.replace(',consistency', '')}\n")
    run(photos, tmp_path, replace(SMALL, steps=4), resume=True)
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["step"] for row in rows] == ["3", "4"]
    assert {float(row["lr"]) for row in rows} == {SMALL.lr}


def test_resume_refuses_another_run(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(C2EError, match="nothing to resume"):
        run(photos, tmp_path, SMALL, resume=True)
    run(photos, tmp_path, SMALL)
    with pytest.raises(JobMismatch, match=r"begun with batch = 4, now it is 8"):
        run(photos, tmp_path, replace(SMALL, batch=8), resume=True)
    longer = run(photos, tmp_path, replace(SMALL, steps=5), resume=True)
    assert longer.progress["step"] == 5
    with safe_open(tmp_path / STATE, "pt") as file:
        metadata = file.metadata()
    older = load_file(tmp_path / STATE)
    older["model.of.another.version"] = older.pop("model.pffn.head.0.weight")
    save_file(older, tmp_path / STATE, metadata)
    with pytest.raises(JobMismatch, match="another version"):
        run(photos, tmp_path, replace(SMALL, steps=6), resume=True)


@pytest.mark.slow
def test_two_processes_share_a_run(photos: Path, tmp_path: Path) -> None:
    """As several GPUs do, here on the processor: torchrun, gloo, gradients shared once a step."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"]
    command += ["-m", "c2e_video", "train", "--photos", str(photos), "--out", str(tmp_path / "out")]
    command += ["--width", "8", "--memory", "8", "--steps", "3", "--batch", "8"]
    command += ["--accumulate", "2", "--sizes", "32", "--perceptual", "0"]
    command += ["--matching", "0.1", "--objects", "0.5", "--consistency", "0.1"]
    subprocess.run(command, check=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"})
    with open(tmp_path / "out" / "losses.csv") as file:
        assert [row["pictures"] for row in csv.DictReader(file)] == ["8", "16", "24"]
    assert load_weights(tmp_path / "out" / WEIGHTS).config.width == 8


def test_a_run_is_not_begun_over_another(photos: Path, tmp_path: Path) -> None:
    Trainer([photos], tmp_path, replace(SMALL, steps=1)).run()
    with pytest.raises(C2EError, match="resume=True"):
        Trainer([photos], tmp_path, replace(SMALL, steps=1))


def test_one_wild_batch_does_not_spoil_a_run(photos: Path, tmp_path: Path) -> None:
    trainer = Trainer([photos], tmp_path, replace(SMALL, steps=1))
    before = {name: weight.clone() for name, weight in trainer.model.state_dict().items()}
    parameter: Any = next(trainer.model.parameters())
    parameter.register_hook(lambda gradient: gradient * torch.nan)
    step, parts = next(iter(trainer._steps(0)))
    trainer._step(step, parts)
    for name, weight in trainer.model.named_parameters():
        torch.testing.assert_close(weight.detach(), before[name])


def test_a_batch_is_dealt_out_whole(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(C2EError, match="batch 4 is no multiple of accumulate 3"):
        Trainer([photos], tmp_path, replace(SMALL, accumulate=3))
    three = Processes(0, 3, torch.device("cpu"))
    monkeypatch.setattr("c2e_video.train.loop.join_processes", lambda: three)
    with pytest.raises(C2EError, match="batch 4 is no multiple of accumulate 1 times 3 processes"):
        Trainer([photos], tmp_path, SMALL)


def test_pictures_that_come_deep_in_a_folder_are_seen(photos: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    shutil.copytree(photos, folder)
    (folder / "a" / "deep").mkdir()
    before = len(open_cache([folder], tmp_path / "cache"))
    shutil.copy(photos / "b" / "0.png", folder / "a" / "deep" / "new.png")
    cache = open_cache([folder], tmp_path / "cache")
    assert len(cache) == before + 1
    assert "a/deep/new.png" in cache.names


def test_accumulation_sees_as_many_pictures(photos: Path, tmp_path: Path) -> None:
    trainer = run(photos, tmp_path, replace(SMALL, steps=1, accumulate=2))
    assert trainer.progress["pictures"] == 4


def test_init_takes_weights_of_the_same_shape(photos: Path, tmp_path: Path) -> None:
    first = run(photos, tmp_path / "a", SMALL)
    weights = tmp_path / "a" / WEIGHTS
    second = Trainer([photos], tmp_path / "b", SMALL, cache=photos.parent / "cache", init=weights)
    for name, tensor in first.average.state_dict().items():
        torch.testing.assert_close(second.model.state_dict()[name], tensor, atol=1e-2, rtol=1e-2)
    wide = replace(SMALL, model=replace(TINY, width=16))
    with pytest.raises(BadWeights, match="the run asks for"):
        Trainer([photos], tmp_path / "c", wide, cache=photos.parent / "cache", init=weights)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"schedule": "linear"}, "constant or cosine"),
        ({"batch": 5, "accumulate": 2}, "no multiple"),
        ({"sizes": ((5, 64),)}, "starts at step 0"),
        ({"sizes": ((0, 50),)}, "multiples of 16"),
    ],
)
def test_config_refuses_nonsense(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(C2EError, match=message):
        TrainConfig(**wrong)


def test_sizes_by_step() -> None:
    config = TrainConfig(sizes=((0, 128), (10, 256)))
    assert [config.size_at(step) for step in (0, 9, 10, 99)] == [128, 128, 256, 256]
