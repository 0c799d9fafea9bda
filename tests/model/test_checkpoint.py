"""Weights files: whole, strict, and never a pickle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from c2e_video.errors import BadWeights
from c2e_video.model import ModelConfig, load_weights, save_weights
from c2e_video.model.checkpoint import FORMAT
from tests.factories import TINY, random_model


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "w.safetensors"
    save_weights(random_model(), path, steps="7")
    return path


def rewritten(path: Path, metadata: dict[str, str], **changes: torch.Tensor | None) -> Path:
    state = {**load_file(path), **{k: v for k, v in changes.items() if v is not None}}
    state = {k: v for k, v in state.items() if k not in changes or changes[k] is not None}
    save_file(state, path, metadata)
    return path


META = {"format": FORMAT, "config": json.dumps(TINY.to_dict())}


def test_round_trip(weights: Path) -> None:
    model, again = random_model(), load_weights(weights)
    assert again.config == TINY
    assert not again.training
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], tensor)
    assert list(weights.parent.iterdir()) == [weights]


def test_half_precision_stores_half_the_bytes(weights: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.safetensors"
    save_weights(random_model(), half, half=True)
    assert half.stat().st_size < 0.6 * weights.stat().st_size
    assert next(load_weights(half).parameters()).dtype == torch.float32


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match="no weights at"):
        load_weights(tmp_path / "none.safetensors")


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\x80\x04K\x01.", b"\xff" * 8 + b"{}"])
def test_no_safetensors(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(BadWeights, match="not a safetensors file"):
        load_weights(path)


def test_a_pickle_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.save({"a": torch.zeros(1)}, path)
    with pytest.raises(BadWeights, match="not a safetensors file"):
        load_weights(path)


def test_foreign_file(weights: Path) -> None:
    with pytest.raises(BadWeights, match="not made by this version of c2e-video"):
        load_weights(rewritten(weights, {"format": "pt"}))


def test_unknown_config(weights: Path) -> None:
    with pytest.raises(BadWeights, match="cannot read"):
        load_weights(rewritten(weights, {**META, "config": '{"depth": 3}'}))


def test_another_width_is_named(weights: Path) -> None:
    config = json.dumps(ModelConfig(width=16, embedding=16, color_width=4, memory=8).to_dict())
    with pytest.raises(BadWeights, match=r"does not fit its own config: \S+ is \(.*expected \("):
        load_weights(rewritten(weights, {**META, "config": config}))


def test_missing_and_foreign_tensors_are_named(weights: Path) -> None:
    with pytest.raises(BadWeights, match=r"pffn\.head\.0\.bias is missing"):
        load_weights(rewritten(weights, META, **{"pffn.head.0.bias": None}))
    with pytest.raises(BadWeights, match="extra is"):
        load_weights(
            rewritten(weights, META, **{"pffn.head.0.bias": torch.zeros(8), "extra": torch.ones(1)})
        )


def test_not_finite(weights: Path) -> None:
    with pytest.raises(BadWeights, match="finite"):
        load_weights(rewritten(weights, META, **{"pffn.head.0.bias": torch.full((8,), torch.nan)}))
