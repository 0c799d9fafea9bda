"""Training of the semantic encoder: from gray pictures it predicts the features of an image classifier.

The teacher is VGG-16 or VGG-19 (layers relu4_3 at 1/8 and relu5_2 at 1/16), on gray pictures in three equal
channels. Its features, less their mean over the picture, of unit length and reduced by PCA, are the target;
the loss is one less the cosine. The teacher gets the clean picture, the student in part a
degraded one (``old_film_share``). At the end the color prior is learned (:mod:`.prior`), and both are
added to the weights given.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..color.lab import gray_lightness
from ..color.matrices import LUMA_WEIGHTS
from ..errors import C2EError
from ..model import load_weights, save_weights
from ..model.semantic_encoder import SemanticEncoder, SemanticFeatures
from ..utils.arrays import Picture
from ..utils.devices import bf16_is_faster, channels_last
from .augment import Rng, degraded_lightness
from .averaged_weights import update_average
from .config import TrainConfig
from .dataset import Sampler, open_cache
from .film_pairs import FilmPairs
from .initial_model import with_new_parts
from .losses import PerceptualLoss
from .prior import add_prior
from .step_progress import StepProgress

WIDTH = 64  # of the semantic encoder
FINE_LAYER = {"VGG-16": 22, "VGG-19": 24}  # relu4_3; relu5_2 is the last
BASIS_PICTURES = 176  # that the PCA is made of
FRESH = (
    1 / 6
)  # share of new pictures in a batch, until the pool holds POOL of them with their targets
POOL = 6000
STATE, WEIGHTS = "semantic.safetensors", "weights.safetensors"


class Teacher:
    """Targets of gray pictures: fine ``[N, 64, h, w]`` at 1/8, coarse ``[N, 160, h/2, w/2]`` at 1/16."""

    def __init__(self, vgg: Path, device: torch.device) -> None:
        network = PerceptualLoss(vgg).to(device)
        self.fine = FINE_LAYER[network.kind]
        self.dtype = torch.bfloat16 if bf16_is_faster() else torch.float32
        self.mean, self.std = network.mean, network.std
        self.layers = channels_last(network.features.to(self.dtype))
        self.bases: tuple[Tensor, ...] = ()

    def learn_bases(self, batches: list[Tensor]) -> None:
        """The PCA of both layers over RGB pictures ``[N, 3, S, S]`` in [0, 1]."""
        seen = [self._features(batch) for batch in batches]
        self.bases = tuple(
            _principal(torch.cat([f[k].permute(0, 2, 3, 1).flatten(0, 2) for f in seen]), count)
            for k, count in enumerate((SemanticEncoder.FINE, SemanticEncoder.COARSE))
        )

    def targets(self, rgb: Tensor) -> list[Tensor]:
        """The targets of RGB pictures ``[N, 3, S, S]`` in [0, 1], fp16."""
        features = self._features(rgb)
        return [
            torch.einsum("nchw,ck->nkhw", x, basis).half()
            for x, basis in zip(features, self.bases, strict=True)
        ]

    @torch.no_grad()
    def _features(self, rgb: Tensor) -> list[Tensor]:
        weights = rgb.new_tensor(LUMA_WEIGHTS["bt601"]).view(1, 3, 1, 1)
        gray = (rgb * weights).sum(1, keepdim=True).expand(-1, 3, -1, -1)
        x = ((gray - self.mean) / self.std).to(self.dtype)
        x = x.contiguous(memory_format=torch.channels_last)
        taken = []
        for number, layer in enumerate(self.layers):
            x = layer(x)
            if number in (self.fine, len(self.layers) - 1):
                taken.append(x.float())
        return [F.normalize(y - y.mean((2, 3), keepdim=True), dim=1) for y in taken]


def _principal(points: Tensor, count: int) -> Tensor:
    vectors: Tensor = torch.linalg.svd(points.t() @ points / len(points))[0]
    return vectors[:, :count].contiguous()


class Distiller:
    """A run that adds a semantic encoder and a color prior to the weights ``init``.

    Of ``config`` it takes steps, batch, the first of ``sizes``, lr, warmup, ema, seed, the folders' weights,
    ``old_film_share`` and ``film_share``. ``cells`` is the number of the prior's cells.
    """

    def __init__(
        self,
        photos: list[Path],
        out: Path,
        config: TrainConfig,
        *,
        teacher: Path,
        init: Path,
        cells: int = 2048,
        film: list[Path] | None = None,
        cache: Path | None = None,
        resume: bool = False,
    ) -> None:
        if not resume and (out / STATE).exists():
            raise C2EError(
                f"{str(out)!r} holds a run; go on with resume=True, or give another out=…"
            )
        self.config, self.out, self.cells = config, out, cells
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.begun = load_weights(init)
        out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        self.student = channels_last(self._first_student().to(self.device))
        self.average = copy.deepcopy(self.student).eval().requires_grad_(False)
        self.optimizer = torch.optim.AdamW(
            self.student.parameters(), lr=config.lr, weight_decay=0.02
        )
        self.bf16 = self.device.type == "cuda" or bf16_is_faster()
        self.step = 0
        if resume:
            self._load()
        self.teacher = Teacher(teacher, self.device)
        self.sampler = Sampler(open_cache(photos, cache or out / "cache"), config)
        folder = (cache or out / "cache") / "film"
        self.film = FilmPairs(open_cache(film, folder)) if film else None
        self.pool: list[tuple[Picture, list[Tensor]]] = []

    def _first_student(self) -> SemanticEncoder:
        """The encoder that ``init`` has, to be trained on; a fresh one where it has none."""
        student = SemanticEncoder(WIDTH)
        if self.begun.semantic is not None:
            student.load_state_dict(self.begun.semantic.encoder.state_dict())
        return student

    def run(
        self,
        *,
        save_every: int = 100,
        show: bool = True,
        note: Callable[[str], object] = lambda line: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Train to ``config.steps``, then learn the prior and write the joined weights.

        The arguments are those of :meth:`.loop.Trainer.run`.
        """
        self._fill_pool()
        bar = StepProgress(self.config.steps, self.step, show=show, note=note)
        while self.step < self.config.steps:
            began = time.monotonic()
            loss = self._train_step()
            self.step += 1
            bar.advance(loss=f"{loss:.3f}", s=f"{time.monotonic() - began:.1f}")
            if self.step % save_every == 0 or self.step == self.config.steps:
                self._save()
            elif should_stop():
                self._save()
                note(f"step {self.step} is saved; resume=True goes on from there")
                bar.close()
                return
        bar.close()
        self.write_weights()

    def write_weights(self) -> None:
        """The weights ``init`` with the averaged encoder and a prior learned with it."""
        config = replace(self.begun.config, semantic=WIDTH, prior=self.cells)
        model = with_new_parts(self.begun, config, "semantic.")
        assert model.semantic is not None
        model.semantic.encoder.load_state_dict(self.average.state_dict())
        if self.cells:
            add_prior(model, self.sampler, self.config)
        save_weights(model.eval(), self.out / WEIGHTS, half=True, distilled=str(self.step))

    def _rgb(self, pictures: Picture) -> Tensor:
        return torch.from_numpy(pictures).to(self.device).permute(0, 3, 1, 2).float() / 255

    def _drawn(self, number: int, count: int) -> Picture:
        pictures = self.sampler.batch(0, number, count)
        if self.film is None:
            return pictures
        rng = np.random.default_rng((self.config.seed, number, 2))
        return self.film.among(pictures, self.config.film_share, rng).pictures

    def _fill_pool(self) -> None:
        first = [self._drawn(2 * k + 1, 8) for k in range(max(1, BASIS_PICTURES // 8))]
        self.teacher.learn_bases([self._rgb(pictures) for pictures in first])
        for pictures in first:
            self._add(pictures)

    def _add(self, pictures: Picture) -> None:
        targets = self.teacher.targets(self._rgb(pictures))
        self.pool += [
            (picture, [target[k] for target in targets]) for k, picture in enumerate(pictures)
        ]

    def _train_step(self) -> float:
        config = self.config
        rng = np.random.default_rng((config.seed, self.step, 3))
        fresh = max(1, round(config.batch * FRESH)) if len(self.pool) < POOL else 0
        chosen = list(rng.integers(0, len(self.pool), config.batch - fresh))
        if fresh:
            chosen += range(len(self.pool), len(self.pool) + fresh)
            self._add(self._drawn(2 * self.step, fresh))
        rgb = self._rgb(np.stack([self.pool[k][0] for k in chosen]))
        targets = [torch.stack([self.pool[k][1][layer] for k in chosen]) for layer in (0, 1)]
        if rng.random() < 0.5:
            rgb, targets = rgb.flip(3), [target.flip(3) for target in targets]
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        lightness = self._shown(rgb, Rng(int(rng.integers(1 << 31)), self.device))
        self.student.train()
        loss = self._loss(lightness, targets)
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.optimizer.step()
        update_average(self.average, self.student, self.step, self.config.ema)
        return float(loss.detach())

    def _shown(self, rgb: Tensor, rng: Rng) -> Tensor:
        """Lightness in [-1, 1] for the student: clean with another contrast, or degraded as old film."""
        old = rng.chosen(self.config.old_film_share, len(rgb))
        contrast = torch.exp(rng.normal(len(rgb), 1, 1, 1) * 0.15)
        clean = 100 * (gray_lightness(rgb) / 100).clamp_min(1e-4) ** contrast
        return torch.where(old, degraded_lightness(rgb, rng), clean) / 50 - 1

    def _loss(self, lightness: Tensor, targets: list[Tensor]) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            seen: SemanticFeatures = self.student(
                lightness.contiguous(memory_format=torch.channels_last)
            )
        cosines = [
            F.cosine_similarity(x.float(), t.float(), dim=1).mean()
            for x, t in zip(seen, targets, strict=True)
        ]
        return 2 - cosines[0] - cosines[1]

    def _rate(self) -> float:
        config = self.config
        falling = 0.5 + 0.5 * math.cos(math.pi * self.step / config.steps)
        return config.lr * min(1.0, (self.step + 1) / max(1, config.warmup)) * falling

    def _save(self) -> None:
        state: dict[str, Any] = {f"student.{k}": v for k, v in self.student.state_dict().items()}
        state |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        for name, parameter in self.student.named_parameters():
            for key, value in self.optimizer.state.get(parameter, {}).items():
                state[f"adam.{name}.{key}"] = torch.as_tensor(value)
        tensors = {k: v.detach().cpu().contiguous() for k, v in state.items()}
        partial = self.out / (STATE + ".partial")
        save_file(tensors, partial)
        partial.replace(self.out / STATE)

    def _load(self) -> None:
        path = self.out / STATE
        if not path.is_file():
            raise C2EError(f"nothing to resume at {str(path)!r}; start without resume=True")
        tensors = load_file(path)

        def under(prefix: str) -> dict[str, Tensor]:
            return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}

        self.student.load_state_dict(under("student."))
        self.average.load_state_dict(under("average."))
        for name, parameter in self.student.named_parameters():
            moments = under(f"adam.{name}.")
            if moments:
                self.optimizer.state[parameter] = moments
                self.step = int(moments["step"])
