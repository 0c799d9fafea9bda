"""Everything that a device computes, it computes with tensors of its own: found without a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from c2e_video.inference.colorizer import Colorizer
from c2e_video.inference.luma_planes import chroma_size
from c2e_video.inference.video_colorizer import VideoColorizer
from c2e_video.model import save_weights
from c2e_video.references.image import Reference
from c2e_video.references.reference_map import ReferenceMap
from c2e_video.video.frames import Frame, FrameBatch, PictureFormat, Shot
from tests.factories import TINY, color_picture, random_model, video_info

META = torch.device("meta")
aten = torch.ops.aten
# They bring data from one device to another.
TRANSFERS = {aten._to_copy.default, aten.copy_.default}


class OtherMachine(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """torch's ``meta`` device, which has shapes but no data, as a GPU that gives zeros back.

    An operation on tensors of both devices raises: so does a GPU, but ``meta`` only sometimes.
    """

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        # In inference mode operations come before they are taken apart.
        with self:
            if (result := func.decompose(*args, **kwargs)) is not NotImplemented:
                return result
        given = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
        if func is aten._local_scalar_dense.default and given[0].device == META:
            return 0.0
        if func is aten._to_copy.default and given[0].device == META:
            wanted = kwargs.get("device")
            if wanted is not None and torch.device(wanted).type == "cpu":
                dtype = kwargs.get("dtype") or given[0].dtype
                return torch.zeros(given[0].shape, dtype=dtype)
        # A number that is a tensor may be on the CPU: torch hands it over.
        devices = {x.device.type for x in given if x.dim() or x.device == META}
        if len(devices) > 1 and func not in TRANSFERS:
            raise RuntimeError(f"{func} got tensors on {', '.join(sorted(devices))}")
        return func(*args, **kwargs)


@pytest.fixture(params=[TINY, replace(TINY, semantic=8, prior=4)], ids=["plain", "semantic"])
def colorizer(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Colorizer]:
    """A network on that device."""
    save_weights(random_model(request.param), tmp_path / "tiny.safetensors")
    monkeypatch.setattr("c2e_video.inference.network.find_device", lambda name: META)
    with OtherMachine():  # type: ignore[no-untyped-call]
        yield Colorizer(tmp_path / "tiny.safetensors", precision="fp32", size=64)


def reference(seed: int, at: int | None = None) -> Reference:
    return Reference(color_picture(seed, 96, 128), Path(f"{seed}.png"), at)


@pytest.mark.parametrize(
    "picture",
    [
        PictureFormat("yuv420p", 8, (2, 2), "bt601", False),
        PictureFormat("yuv444p10le", 10, (1, 1), "bt709", True),
    ],
)
@pytest.mark.parametrize("depth", [8, 10])
def test_a_film_is_colorized_on_one_device(
    colorizer: Colorizer, picture: PictureFormat, depth: int
) -> None:
    """One reference, two that are blended, and a dissolve; interpolated frames among them."""
    info = video_info(128, 96, depth)
    shots = (Shot(0, 0, 10), Shot.after(4, 1, 10, 30))
    rows = ((reference(1),), (reference(2, 12), reference(3, 25)))
    reference_map = ReferenceMap(shots, rows)
    dtype = np.uint8 if depth == 8 else np.uint16
    luma = color_picture(4, 96, 128)[..., 0].astype(dtype) << depth - 8
    batches = [
        FrameBatch(tuple(Frame(luma, k, 1) for k in range(shot.start, shot.stop)), shot)
        for shot in shots
    ]
    found = list(VideoColorizer(colorizer, info).colorize(batches, reference_map, picture))
    assert [batch.gray.pts for batch in found] == [(k,) for k in range(30)]
    assert {batch.cb.shape for batch in found} == {(1, *chroma_size((96, 128), picture))}


def test_pictures_are_colorized_and_compared_on_one_device(colorizer: Colorizer) -> None:
    embeddings = [colorizer.embed(color_picture(seed, 96, 128)) for seed in (1, 2)]
    gray = np.full((96, 128), 90, np.uint8)
    assert colorizer.colorize_image(gray, embeddings[0]).shape == (96, 128, 3)
    assert colorizer.predict_ab(gray, embeddings[0].blend(embeddings[1], 0.5)).shape == (96, 128, 2)
    assert len(colorizer.similarities(Frame(gray, 0, 1), embeddings, video_info(128, 96))) == 2


@pytest.mark.parametrize("part", ["content_encoder", "pffn.memory", "color_encoder", "pffn.head"])
def test_a_tensor_left_on_the_cpu_is_found(colorizer: Colorizer, part: str) -> None:
    module = colorizer._model.get_submodule(part)
    name, left = next((n, p) for n, p in module.named_parameters() if p.dim())
    owner = module.get_submodule(name.rpartition(".")[0])
    owner._parameters[name.rpartition(".")[2]] = torch.nn.Parameter(
        torch.zeros(left.shape), requires_grad=False
    )
    with pytest.raises(RuntimeError, match="tensors on cpu, meta"):
        colorizer.colorize_image(
            np.full((96, 128), 90, np.uint8), colorizer.embed(color_picture(1, 96, 128))
        )
