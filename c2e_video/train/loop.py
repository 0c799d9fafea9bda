"""The training loop: on one CPU core, on a GPU, or on several through ``torchrun``."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ..errors import C2EError
from ..model import save_weights
from ..utils.devices import bf16_is_faster, channels_last, channels_last_batch
from ..utils.prefetch import prefetch
from .augment import FilmBatch, Rng, make_example
from .averaged_weights import update_average
from .config import TrainConfig
from .dataset import Sampler, open_cache
from .film_pairs import FilmPairs, TrainingBatch
from .initial_model import initial_model, with_semantics
from .loss_table import append_losses
from .losses import PerceptualLoss, reconstruction_loss
from .processes import join_processes, unsynchronized
from .step_progress import StepProgress
from .train_wrapper import SelfReference
from .training_state import load_state, save_state
from .validation import Validation, predicted_rgb

STATE = "state.safetensors"
WEIGHTS = "weights.safetensors"
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
        config = with_semantics(config, out / STATE if resume else None, init)
        self.config, self.out = config, out
        self.processes = join_processes()
        self.device = self.processes.device
        if config.batch // config.accumulate % self.processes.count:
            raise C2EError(
                f"batch {config.batch} is no multiple of accumulate {config.accumulate} times "
                f"{self.processes.count} processes; give one that is"
            )
        if not resume and (out / STATE).exists():
            raise C2EError(
                f"{str(out)!r} holds a run; go on with resume=True, or give another out=…"
            )
        out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        self.model = channels_last(initial_model(config, init).to(self.device))
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
        cached = self.processes.first_alone(lambda: open_cache(photos, cache or out / "cache"))
        self.sampler = Sampler(cached, config)
        self.validation = Validation(cached, self.sampler, config, out, self.device)
        folder = (cache or out / "cache") / "film"
        self.film = FilmPairs(open_cache(film, folder)) if film else None
        self.network = self.processes.distribute(
            SelfReference(self.model, config.matching_weight > 0)
        )

    def _perceptual(self, vgg: Path | None) -> PerceptualLoss | None:
        if not self.config.perceptual_weight:
            return None
        return channels_last(PerceptualLoss(vgg).to(self.device))

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
        if self.processes.rank:
            show, note = False, _silent
        bar = StepProgress(self.config.steps, first, show=show, note=note)
        began = time.monotonic() - self.progress["seconds"]
        for step, parts in prefetch(self._steps(first), depth=2):
            losses = self._step(step, parts)
            self.progress["step"] = step + 1
            self.progress["pictures"] += self.config.batch
            self.progress["seconds"] = time.monotonic() - began
            last = step + 1 == self.config.steps
            stopped = not last and self.processes.any(should_stop())
            if self.processes.rank == 0:
                self._report(bar, losses)
                if stopped or last or (step + 1) % save_every == 0:
                    self.save()
                if last or (step + 1) % sheet_every == 0:
                    self.measure()
            if stopped:
                note(f"step {step + 1} is saved; resume=True goes on from there")
                break
        bar.close()

    def _steps(self, first: int) -> Iterator[tuple[int, list[TrainingBatch]]]:
        rank, processes = self.processes.rank, self.processes.count
        count = self.config.batch // self.config.accumulate // processes
        for step in range(first, self.config.steps):
            parts = (k * processes + rank for k in range(self.config.accumulate))
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
            with nullcontext() if last else unsynchronized(self.network):
                for name, value in self._backward(step, k, batch).items():
                    totals[name] += value / len(parts)
        # A run of hours must not be lost to one wild batch.
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        if norm.isfinite():
            self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        update_average(self.average, self.model, step, self.config.ema)
        return {**totals, "lr": rate}

    def _backward(self, step: int, k: int, batch: TrainingBatch) -> dict[str, float]:
        config = self.config
        pictures, references, paired = (torch.from_numpy(x).to(self.device) for x in batch)
        rng = Rng(_seed(config.seed, step, k, self.processes.rank), self.device)
        pairs = FilmBatch(references, paired) if self.film else None
        example = make_example(pictures, config, rng, pairs)
        memory_scale = (~rng.chosen(config.memory_dropout, len(pictures))).float()
        strangers = rng.chosen(config.mismatched_memory, len(pictures)).flatten()
        with self._autocast():
            ab, matching, consistency = self.network(
                channels_last_batch(example.lightness),
                channels_last_batch(example.reference),
                example.correspondence,
                memory_scale,
                strangers,
                None if example.second_view is None else channels_last_batch(example.second_view),
            )
        reconstruction = reconstruction_loss(ab, example.ab)
        loss = config.reconstruction_weight * reconstruction + config.matching_weight * matching
        loss = loss + config.consistency_weight * consistency
        perceptual = torch.zeros((), device=self.device)
        if self.perceptual is not None and step % config.perceptual_every == 0:
            predicted = predicted_rgb(example, ab)
            with self._autocast():
                perceptual = self.perceptual(
                    channels_last_batch(predicted), channels_last_batch(example.truth)
                ).float()
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

    def _report(self, bar: StepProgress, losses: dict[str, float]) -> None:
        rate = self.progress["pictures"] / max(1e-6, self.progress["seconds"])
        bar.advance(loss=f"{losses['reconstruction']:.4f}", pic_s=f"{rate:.1f}")
        append_losses(self.out / "losses.csv", {**self.progress, **losses})

    def save(self) -> None:
        """Write the state (to resume) and the averaged weights (to use)."""
        save_state(
            self.out / STATE, self.model, self.average, self.optimizer, self.config, self.progress
        )
        notes = {key: f"{value:.0f}" for key, value in self.progress.items()}
        save_weights(self.average, self.out / WEIGHTS, half=True, **notes)

    def measure(self) -> float:
        """PSNR in dB of the averaged weights on validation photographs; also writes a sheet of some."""
        step, pictures = self.progress["step"], self.progress["pictures"]
        return self.validation.measure(self.average, step=step, pictures=pictures)


def _seed(*numbers: int) -> int:
    """One well-mixed seed of several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def _silent(line: str) -> None:
    """No note."""
