"""Weights on disk: one safetensors file that carries its own config. No pickle is ever loaded."""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..errors import BadWeights
from .color2embed import Color2Embed
from .config import ModelConfig

FORMAT = "c2e-video/3"  # 2 had a memory that did not look closer, 1 one whose keys were read at 1/8 alone


def save_weights(model: Color2Embed, path: Path, *, half: bool = False, **notes: str) -> None:
    """Write the model's weights, config and ``notes`` to ``path``; whole or not at all.

    ``half`` stores fp16, half the bytes. The notes are strings for people (steps, date).
    """
    state = {name: _stored(tensor, half) for name, tensor in model.state_dict().items()}
    metadata = {"format": FORMAT, "config": json.dumps(model.config.to_dict()), **notes}
    partial = path.with_name(path.name + ".partial")
    save_file(state, partial, metadata)
    os.replace(partial, path)


def _stored(tensor: Tensor, half: bool) -> Tensor:
    tensor = tensor.detach().cpu().contiguous()
    return tensor.half() if half and tensor.is_floating_point() else tensor


def load_weights(path: Path) -> Color2Embed:
    """The network of a weights file, in fp32, evaluation mode, on the CPU.

    Raises :class:`BadWeights` if the file is missing, is no safetensors file, was not made by this
    project, or does not fit its own config; the message says what differs.
    """
    if not path.is_file():
        raise BadWeights(f"no weights at {str(path)!r}; give a .safetensors file made by `train`")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            # A safetensors file is lazy; `keys()` is its only listing.
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise BadWeights(
            f"{str(path)!r} is not a safetensors file ({error}); only .safetensors are loaded"
        ) from None
    model = Color2Embed(_config(path, metadata))
    _check_fit(path, model, state)
    model.load_state_dict(state)
    return model.float().eval()


def _config(path: Path, metadata: dict[str, str]) -> ModelConfig:
    if metadata.get("format") != FORMAT:
        raise BadWeights(
            f"{str(path)!r} was not made by this version of c2e-video: its format is "
            f"{metadata.get('format')!r}, accepted is {FORMAT!r}; train it anew, or leave weights=… out"
        )
    try:
        return ModelConfig.from_dict(json.loads(metadata["config"]))
    except (KeyError, TypeError, ValueError) as error:
        raise BadWeights(
            f"{str(path)!r} carries a config this version cannot read: {error}"
        ) from None


def _check_fit(path: Path, model: Color2Embed, state: dict[str, Tensor]) -> None:
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in state.items()}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            raise BadWeights(
                f"{str(path)!r} does not fit its own config: {name} is {found.get(name, 'missing')},"
                f" expected {wanted.get(name, 'nothing of that name')}"
            )
    if not all(torch.isfinite(t).all() for t in state.values() if t.is_floating_point()):
        raise BadWeights(f"{str(path)!r} holds weights that are not finite numbers")
