"""The training loop: on one CPU core, on a GPU, or on several through ``torchrun``."""

from __future__ import annotations

import copy
import csv
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ..color.lab import AB_SCALE, lab_to_rgb
from ..errors import BadWeights, C2EError
from ..model import Color2Embed, load_weights, save_weights
from ..utils.devices import bf16_is_faster, channels_last
from ..utils.prefetch import prefetch
from .augment import Example, FilmBatch, Rng, make_example
from .config import TrainConfig
from .dataset import Sampler, open_cache
from .film_pairs import FilmPairs, TrainingBatch
from .losses import PerceptualLoss, reconstruction_loss
from .preview import write_sheet
from .step_progress import StepProgress
from .train_wrapper import SelfReference
from .training_state import load_state, save_state

STATE = "state.safetensors"
WEIGHTS = "weights.safetensors"
SHEET_PICTURES = 8
MEASURED_PICTURES = 64
LOSSES = ("reconstruction", "perceptual", "matching", "consistency")


class Trainer:
    """One process of a run. ``photos`` are folders or tar files; ``out`` takes all that is written."""

    def __init__(
        self,
        photos: list[Path],
        out: Path,
        config: TrainConfig,
        *,
        film: list[Path] | None = None,
        cache: Path | None = None,
        vgg: Path | None = None,
        init: Path | None = None,
        resume: bool = False,
    ) -> None:
        config = _with_semantics(config, out / STATE if resume else None, init)
        self.config, self.out = config, out
        self.rank, self.world, self.device = _place()
        if config.batch // config.accumulate % self.world:
            raise C2EError(
                f"batch {config.batch} is no multiple of accumulate {config.accumulate} times "
                f"{self.world} processes; give one that is"
            )
        if not resume and (out / STATE).exists():
            raise C2EError(
                f"{str(out)!r} holds a run; go on with resume=True, or give another out=…"
            )
        out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        self.model = channels_last(_begin(config, init).to(self.device))
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        trained = [p for p in self.model.train().parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(trained, lr=config.lr, betas=(0.9, 0.99), eps=1e-8)
        # Measured before anything else is at work, and kept: a run goes on as it began.
        fast = self.device.type == "cuda" or bf16_is_faster()
        self.progress: dict[str, Any] = {"step": 0, "pictures": 0, "seconds": 0.0, "bf16": fast}
        if resume:
            self.progress |= load_state(
                out / STATE, self.model, self.average, self.optimizer, config
            )
        self.perceptual = self._perceptual(vgg)
        if self.rank == 0:
            self.photos = open_cache(photos, cache or out / "cache")
        if self.world > 1:
            dist.barrier()
            self.photos = open_cache(photos, cache or out / "cache")
        self.sampler = Sampler(self.photos, config)
        folder = (cache or out / "cache") / "film"
        self.film = FilmPairs(open_cache(film, folder)) if film else None
        self.network = self._network()

    def _perceptual(self, vgg: Path | None) -> PerceptualLoss | None:
        if not self.config.perceptual_weight:
            return None
        return channels_last(PerceptualLoss(vgg).to(self.device))

    def _network(self) -> nn.Module:
        network = SelfReference(self.model, self.config.matching_weight > 0)
        if self.world == 1:
            return network
        devices = [self.device.index] if self.device.type == "cuda" else None
        # Without a memory, its arguments stay unused; that is no fault.
        return DistributedDataParallel(network, device_ids=devices)

    def run(
        self,
        *,
        sheet_every: int = 500,
        save_every: int = 200,
        show: bool = True,
        note: Callable[[str], object] = lambda line: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Train to ``config.steps``, leaving weights, state, a CSV of losses and sheets in ``out``.

        Args:
            sheet_every: Steps between two sheets of pictures kept out of training.
            save_every: Steps between two checkpoints.
            show: Whether a bar may be drawn on a terminal.
            note: Is called with a line that a user should know.
            should_stop: Is asked after each step; the run then ends with a checkpoint, to be resumed.
        """
        first = self.progress["step"]
        if self.rank:
            show, note = False, _silent
        bar = StepProgress(self.config.steps, first, show=show, note=note)
        began = time.monotonic() - self.progress["seconds"]
        for step, parts in prefetch(self._steps(first), depth=2):
            losses = self._step(step, parts)
            self.progress["step"] = step + 1
            self.progress["pictures"] += self.config.batch
            self.progress["seconds"] = time.monotonic() - began
            last = step + 1 == self.config.steps
            stopped = not last and self._any_process(should_stop())
            if self.rank == 0:
                self._report(bar, losses)
                if stopped or last or (step + 1) % save_every == 0:
                    self.save()
                if last or (step + 1) % sheet_every == 0:
                    self.measure()
            if stopped:
                note(f"step {step + 1} is saved; resume=True goes on from there")
                break
        bar.close()

    def _any_process(self, asked: bool) -> bool:
        """Whether any process of the run was asked to stop: all end after the same step."""
        if self.world == 1:
            return asked
        any_asked = torch.tensor(int(asked), device=self.device)
        dist.all_reduce(any_asked, dist.ReduceOp.MAX)
        return bool(any_asked.item())

    def _steps(self, first: int) -> Iterator[tuple[int, list[TrainingBatch]]]:
        count = self.config.batch // self.config.accumulate // self.world
        for step in range(first, self.config.steps):
            parts = (k * self.world + self.rank for k in range(self.config.accumulate))
            yield step, [self._batch(step, part, count) for part in parts]

    def _batch(self, step: int, part: int, count: int) -> TrainingBatch:
        pictures = self.sampler.batch(step, part, count)
        if self.film is None:
            return TrainingBatch(pictures, pictures, np.zeros(count, np.bool_))
        rng = np.random.default_rng((self.config.seed, step, part, 1))
        return self.film.among(pictures, self.config.film_share, rng)

    def _step(self, step: int, parts: list[TrainingBatch]) -> dict[str, float]:
        self.network.train()
        rate = self._rate(step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        totals = dict.fromkeys(LOSSES, 0.0)
        for k, batch in enumerate(parts):
            last = k + 1 == len(parts)
            with nullcontext() if last else self._unsynchronised():
                for name, value in self._backward(step, k, batch).items():
                    totals[name] += value / len(parts)
        # A run of hours must not be lost to one wild batch.
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        if norm.isfinite():
            self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self._follow(step)
        return {**totals, "lr": rate}

    def _unsynchronised(self) -> AbstractContextManager[None]:
        """Gradients are shared among processes once a step, not once a micro-batch."""
        network = self.network
        return network.no_sync() if isinstance(network, DistributedDataParallel) else nullcontext()

    def _backward(self, step: int, k: int, batch: TrainingBatch) -> dict[str, float]:
        config = self.config
        pictures, references, paired = (torch.from_numpy(x).to(self.device) for x in batch)
        rng = Rng(_seed(config.seed, step, k, self.rank), self.device)
        pairs = FilmBatch(references, paired) if self.film else None
        example = make_example(pictures, config, rng, pairs)
        memory_scale = (~rng.chosen(config.memory_dropout, len(pictures))).float()
        strangers = rng.chosen(config.mismatched_memory, len(pictures)).flatten()
        with self._autocast():
            ab, matching, consistency = self.network(
                _nhwc(example.lightness),
                _nhwc(example.reference),
                example.correspondence,
                memory_scale,
                strangers,
                None if example.second_view is None else _nhwc(example.second_view),
            )
        reconstruction = reconstruction_loss(ab, example.ab)
        loss = config.reconstruction_weight * reconstruction + config.matching_weight * matching
        loss = loss + config.consistency_weight * consistency
        perceptual = torch.zeros((), device=self.device)
        if self.perceptual is not None and step % config.perceptual_every == 0:
            predicted = lab_to_rgb(torch.cat((example.lab[:, :1], ab * AB_SCALE), dim=1)).clamp(
                0, 1
            )
            with self._autocast():
                perceptual = self.perceptual(_nhwc(predicted), _nhwc(example.truth)).float()
            loss = loss + config.perceptual_weight * perceptual
        (loss / config.accumulate).backward()
        losses = (reconstruction, perceptual, matching, consistency)
        return {name: loss.item() for name, loss in zip(LOSSES, losses, strict=True)}

    def _autocast(self) -> AbstractContextManager[Any]:
        """bf16, where the run began in it because the device is fast at it."""
        bf16 = self.progress["bf16"]
        return torch.autocast(self.device.type, torch.bfloat16) if bf16 else nullcontext()

    def _rate(self, step: int) -> float:
        config = self.config
        rate = config.lr * min(1.0, (step + 1) / max(1, config.warmup))
        if config.schedule == "cosine":
            rate *= 0.01 + 0.99 * (1 + math.cos(math.pi * step / config.steps)) / 2
        return rate

    def _follow(self, step: int) -> None:
        """Let the averaged weights follow; early on more closely, so that the start is forgotten."""
        decay = min(self.config.ema, (1 + step) / (10 + step))
        with torch.no_grad():
            for mine, theirs in zip(
                self.average.state_dict().values(), self.model.state_dict().values(), strict=True
            ):
                if mine.is_floating_point():
                    mine.lerp_(theirs, 1 - decay)
                else:
                    mine.copy_(theirs)

    def _report(self, bar: StepProgress, losses: dict[str, float]) -> None:
        rate = self.progress["pictures"] / max(1e-6, self.progress["seconds"])
        bar.advance(loss=f"{losses['reconstruction']:.4f}", pic_s=f"{rate:.1f}")
        row = {**self.progress, **losses}
        with open(self.out / "losses.csv", "a+", newline="") as file:
            file.seek(0)
            # A run begun by an older version goes on with the columns it has.
            columns = next(csv.reader(file), None)
            writer = csv.DictWriter(file, columns or row, extrasaction="ignore")
            if columns is None:
                writer.writeheader()
            writer.writerow({k: f"{v:.6g}" for k, v in row.items()})

    def save(self) -> None:
        """Write the state (to resume) and the averaged weights (to use)."""
        save_state(
            self.out / STATE, self.model, self.average, self.optimizer, self.config, self.progress
        )
        notes = {key: f"{value:.0f}" for key, value in self.progress.items()}
        save_weights(self.average, self.out / WEIGHTS, half=True, **notes)

    @torch.no_grad()
    def measure(self) -> float:
        """PSNR of the averaged weights on photographs kept out; also writes a sheet of some."""
        indices = self.photos.held_out()[:MEASURED_PICTURES]
        if not len(indices):
            return math.nan
        size = self.config.size_at(self.progress["step"])
        errors = []
        for start in range(0, len(indices), SHEET_PICTURES):
            pictures = self.sampler.fixed(indices[start : start + SHEET_PICTURES], size)
            plain = TrainConfig(model=self.config.model)
            example = make_example(
                torch.from_numpy(pictures).to(self.device), plain, Rng(start, self.device)
            )
            predicted = self._paint(example)
            errors.append((predicted - example.truth).square().mean((1, 2, 3)))
            if start == 0:
                write_sheet(self.out / f"sheet-{self.progress['step']:06d}.png", example, predicted)
        psnr = float((-10 * torch.cat(errors).clamp_min(1e-10).log10()).mean())
        with open(self.out / "held_out.csv", "a") as file:
            file.write(f"{self.progress['step']},{self.progress['pictures']},{size},{psnr:.3f}\n")
        return psnr

    def _paint(self, example: Example) -> Tensor:
        conditioning = self.average.embed(_nhwc(example.reference))
        ab = self.average(_nhwc(example.lightness), conditioning)
        lab = torch.cat((example.lab[:, :1], ab * AB_SCALE), dim=1)
        return lab_to_rgb(lab).clamp(0, 1)


def _seed(*numbers: int) -> int:
    """One well-mixed seed of several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def _begin(config: TrainConfig, init: Path | None) -> Color2Embed:
    if init is None:
        return Color2Embed(config.model)
    model = load_weights(init)
    if model.config != config.model:
        raise BadWeights(f"{str(init)!r} is {model.config}, the run asks for {config.model}")
    return model


def _with_semantics(config: TrainConfig, state: Path | None, init: Path | None) -> TrainConfig:
    """The run's network has the semantic encoder and prior of the weights or the run it begins with."""
    if state is not None and state.is_file():
        with safe_open(state, framework="pt") as file:
            begun = json.loads(file.metadata()["config"])["model"]
        own = (begun.get("semantic", 0), begun.get("prior", 0))
    elif init is not None:
        known = load_weights(init).config
        own = (known.semantic, known.prior)
    else:
        return config
    model = replace(config.model, semantic=own[0], prior=own[1])
    return replace(config, model=model)


def _nhwc(pictures: Tensor) -> Tensor:
    return pictures.contiguous(memory_format=torch.channels_last)


def _place() -> tuple[int, int, torch.device]:
    """Rank, number of processes and device, as ``torchrun`` says or alone."""
    world, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    cuda = torch.cuda.is_available()
    local = int(os.environ.get("LOCAL_RANK", 0))
    device = torch.device("cuda", local) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    if world > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if cuda else "gloo")
    return rank, world, device


def _silent(line: str) -> None:
    """No note."""
