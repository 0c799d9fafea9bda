"""A training run on disk: everything a killed run needs to go on as if it had not been killed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ..errors import C2EError, JobMismatch
from ..model import Color2Embed
from .config import TrainConfig


def save_state(
    path: Path,
    model: Color2Embed,
    average: Color2Embed,
    optimizer: torch.optim.Optimizer,
    config: TrainConfig,
    progress: dict[str, float],
) -> None:
    """Write the run's state to ``path``, whole or not at all. ``progress`` holds step and pictures."""
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in average.state_dict().items()}
    for name, parameter in model.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            tensors[f"adam.{name}.{key}"] = torch.as_tensor(value)
    metadata = {"config": json.dumps(config.to_dict()), "progress": json.dumps(progress)}
    partial = path.with_name(path.name + ".partial")
    save_file({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, partial, metadata)
    os.replace(partial, path)


def load_state(
    path: Path,
    model: Color2Embed,
    average: Color2Embed,
    optimizer: torch.optim.Optimizer,
    config: TrainConfig,
) -> dict[str, Any]:
    """Take up the run at ``path`` and return its progress.

    Raises :class:`JobMismatch` naming the first setting that differs (more steps are welcome), or for
    the network of another version.
    """
    if not path.is_file():
        raise C2EError(f"nothing to resume at {str(path)!r}; start without resume=True")
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    _check_same(json.loads(metadata["config"]), json.loads(json.dumps(config.to_dict())))
    try:
        model.load_state_dict(_under("model.", tensors))
        average.load_state_dict(_under("average.", tensors))
    except RuntimeError:
        raise JobMismatch(
            f"the run at {str(path)!r} was begun by another version of c2e-video, whose network "
            "differs; begin it anew with another out=…"
        ) from None
    _load_adam(optimizer, model, _under("adam.", tensors))
    progress: dict[str, Any] = json.loads(metadata["progress"])
    return progress


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _check_same(saved: dict[str, Any], asked: dict[str, Any]) -> None:
    # A setting that is younger than the run was at its default.
    for key, value in {**json.loads(json.dumps(TrainConfig().to_dict())), **saved}.items():
        # A longer run with a constant rate is the same run; a cosine's every step would differ.
        if key == "steps" and saved["schedule"] == "constant":
            continue
        if asked.get(key) != value:
            raise JobMismatch(
                f"the run was begun with {key} = {value}, now it is {asked.get(key)}; "
                "give the same options, or another out=…"
            )


def _load_adam(
    optimizer: torch.optim.Optimizer, model: nn.Module, tensors: dict[str, Tensor]
) -> None:
    for name, parameter in model.named_parameters():
        moments = _under(f"{name}.", tensors)
        if moments:
            step = moments.pop("step")
            placed = {key: value.to(parameter.device) for key, value in moments.items()}
            optimizer.state[parameter] = {"step": step, **placed}
