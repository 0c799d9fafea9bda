"""The network that a run begins with: a random one, or one with the weights of a file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from safetensors import safe_open

from ..errors import BadWeights
from ..model import Color2Embed, ModelConfig, load_weights
from .config import TrainConfig


def initial_model(config: TrainConfig, init: Path | None) -> Color2Embed:
    """A network of ``config.model``, with the weights ``init`` where given.

    Raises:
        BadWeights: ``init`` holds a network of another configuration.
    """
    if init is None:
        return Color2Embed(config.model)
    model = load_weights(init)
    if model.config != config.model:
        raise BadWeights(f"{str(init)!r} is {model.config}, the run asks for {config.model}")
    return model


def with_semantics(config: TrainConfig, state: Path | None, init: Path | None) -> TrainConfig:
    """``config`` with the semantic encoder and prior that the saved run or the weights have.

    Args:
        config: The run as it was asked for.
        state: State file of the run that is resumed.
        init: Weights that the run begins with; counts only where there is no ``state``.
    """
    if state is not None and state.is_file():
        with safe_open(state, framework="pt") as file:
            saved = json.loads(file.metadata()["config"])["model"]
        semantic, prior = saved.get("semantic", 0), saved.get("prior", 0)
    elif init is not None:
        loaded = load_weights(init).config
        semantic, prior = loaded.semantic, loaded.prior
    else:
        return config
    return replace(config, model=replace(config.model, semantic=semantic, prior=prior))


def with_new_parts(begun: Color2Embed, config: ModelConfig, new: str) -> Color2Embed:
    """A network of ``config`` with the weights of ``begun``, but for those whose names begin with ``new``."""
    model = Color2Embed(config)
    own = {k: v for k, v in begun.state_dict().items() if not k.startswith(new)}
    model.load_state_dict({**model.state_dict(), **own})
    return model
