"""The network on a device: it reads reference pictures, and compares pictures by its features."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from ..errors import C2EError
from ..model import Conditioning, Memory, load_weights
from ..model.color2embed import STRIDE
from ..model.fuse import fold_batch_norms, fuse_activations
from ..utils.arrays import Picture
from ..utils.choices import Device, Precision
from ..utils.devices import (
    channels_last,
    channels_last_batch,
    find_device,
    find_dtype,
    precision_name,
    translate_oom,
)
from ..video.frames import Frame, VideoInfo
from .batching import BatchRunner
from .embedding import ColorEmbedding
from .luma_planes import LumaPlane, gray_planes, luma_plane, network_size, resize

Embeddings = ColorEmbedding | Sequence[ColorEmbedding]  # one for all frames, or one for each


def default_weights() -> Path:
    """The weights that came with the package: inside the wheel, or ``weights/`` of a checkout."""
    name = "c2e-w32.safetensors"
    inside = Path(str(resources.files("c2e_video"))) / "_weights" / name
    return inside if inside.exists() else Path(__file__).parents[2] / "weights" / name


class InferenceNetwork:
    """Weights on one device, folded and in the number format that they compute in.

    Args:
        weights: A weights file; None is the shipped one.
        device: "cpu", "cuda" or "mps"; "auto" is the best there is.
        precision: "fp32", "bf16", "fp16" or "auto".
        size: Short side of what the network sees, in pixels; 16 to 4096, never more than the frame's own.
        batch: Frames that a GPU computes at once. A CPU computes one on each core.

    Raises:
        BadWeights: The weights do not fit.
        C2EError: The machine does not have the device, or the size is out of its range.
    """

    def __init__(
        self,
        weights: Path | None,
        *,
        device: Device,
        precision: Precision,
        size: int,
        batch: int,
    ) -> None:
        if not STRIDE <= size <= 4096:
            raise C2EError(f"size is {STRIDE} to 4096 pixels, got {size}")
        self.weights = weights or default_weights()
        self.device = find_device(device)
        self.dtype = find_dtype(precision, self.device)
        self.size = size
        model = fuse_activations(fold_batch_norms(load_weights(self.weights)))
        self._model = channels_last(model.to(self.device, self.dtype))
        self._model.requires_grad_(False)
        self._baked: tuple[str, Conditioning] | None = None
        self.batch_runner = BatchRunner(self.device, size, batch)
        self.embeddings_made = 0

    @property
    def precision(self) -> Precision:
        """The network's number format: "fp32", "bf16" or "fp16"."""
        return precision_name(self.dtype)

    @property
    def width(self) -> int:
        """The network's width; 64 is the paper's."""
        return self._model.config.width

    @property
    def has_memory(self) -> bool:
        """Whether the network has a colour memory, by which it compares pictures."""
        return self._model.pffn.memory is not None

    @property
    def has_semantics(self) -> bool:
        """Whether the network has semantic features, by which other scenes are compared."""
        return self._model.semantic is not None

    @property
    def has_prior(self) -> bool:
        """Whether the network can color without a reference."""
        return self._model.semantic is not None and self._model.semantic.prior is not None

    def embed(self, reference: Picture) -> ColorEmbedding:
        """Read a reference: once for all shots that use it.

        A CPU computes with one core, as it does for frames: its bits do not depend on the number of cores.

        Args:
            reference: RGB uint8 ``[H, W, 3]`` of any size.

        Returns:
            The embedding, on the colorizer's device and in its number format.
        """
        digest = hashlib.sha256(repr(reference.shape).encode() + reference.tobytes()).hexdigest()
        size = network_size(reference.shape, self.size)
        rgb = torch.tensor(resize(reference, size), device=self.device)
        rgb = rgb.permute(2, 0, 1)[None].float() / 255

        def conditioning(_: slice) -> Conditioning:
            return self._model.embed(self._nhwc(rgb))

        (embedding,) = self.batch_runner.run(conditioning, 1, size)
        self.embeddings_made += 1
        return ColorEmbedding(cast(Tensor, embedding.z)[0], embedding.memory, digest)

    @torch.inference_mode()
    def match_features(self, gray: Picture, size: int) -> Tensor:
        """The features by which the colour memory compares pictures; no colour is predicted.

        Args:
            gray: Full-range luma uint8 ``[H, W]``.
            size: Short side at which it is read, in pixels.

        Returns:
            Unit vectors of the cells, ``[1, D, h, w]``: a cell is 8 by 8 of the pixels read.

        Raises:
            ValueError: The network has no memory.
        """
        memory = self._model.pffn.memory
        if memory is None:
            raise ValueError("the network has no memory to compare pictures by")
        with translate_oom(self.device, size):
            lightness = self._lightness([LumaPlane(gray)], network_size(gray.shape, size))
            content = self._model.encode_content(self._network_input(lightness), semantic=False)
            return memory.encode_features(content).coarse

    @torch.inference_mode()
    def semantic_features(self, gray: Picture, size: int) -> Tensor:
        """Unit vectors ``[M, C]`` of the cells of a picture, by which other scenes are compared.

        Args:
            gray: Full-range luma uint8 ``[H, W]``.
            size: Short side at which it is read, in pixels.

        Raises:
            ValueError: The network has no semantic features.
        """
        if self._model.semantic is None:
            raise ValueError("the network has no semantic features to compare pictures by")
        with translate_oom(self.device, size):
            lightness = self._lightness([LumaPlane(gray)], network_size(gray.shape, size))
            return self._model.semantic.keys(self._network_input(lightness)).flatten(2)[0].t()

    @torch.inference_mode()
    def similarities(
        self, frame: Frame, embeddings: Sequence[ColorEmbedding], info: VideoInfo
    ) -> list[float]:
        """How much of a frame each reference shows (:meth:`ColorMemory.similarity`).

        Args:
            frame: A frame of the film.
            embeddings: Those of the references.
            info: The film.

        Returns:
            For each embedding a value in [0, 1]; NaN where the network or the embedding has no memory.
        """
        memory = self._model.pffn.memory
        if memory is None:
            return [math.nan] * len(embeddings)
        size = network_size(frame.luma.shape, self.size)
        with translate_oom(self.device, self.size):
            lightness = self._lightness([luma_plane(frame, info)], size)
            features = memory.encode_features(
                self._model.encode_content(self._network_input(lightness))
            )
            return [
                math.nan if e.memory is None else float(memory.similarity(features, e.memory))
                for e in embeddings
            ]

    def _lightness(self, lumas: list[LumaPlane], size: tuple[int, ...]) -> Tensor:
        """L* in [0, 100] at ``size`` (height, width), fp32 ``[N, 1, h, w]``."""
        return gray_planes(lumas, size)[1].to(self.device)

    def _network_input(self, lightness: Tensor) -> Tensor:
        """L* in [0, 100] as the network takes it: in [-1, 1]."""
        return self._nhwc(lightness / 50 - 1)

    def _nhwc(self, planes: Tensor) -> Tensor:
        return channels_last_batch(planes.to(self.dtype))

    def _conditioning(self, embeddings: Embeddings) -> Conditioning:
        """One embedding for all frames, or one for each. Equal ones are one: its convolutions are baked."""
        if isinstance(embeddings, ColorEmbedding):
            return self._baked_conditioning(embeddings)
        if all(embedding.digest == embeddings[0].digest for embedding in embeddings):
            return self._baked_conditioning(embeddings[0])
        return self._batched_conditioning(embeddings)

    def _baked_conditioning(self, embedding: ColorEmbedding) -> Conditioning:
        """The conditioning of one embedding, its convolutions baked; kept until another embedding comes."""
        baked = self._baked  # another thread may replace it
        if baked is None or baked[0] != embedding.digest:
            vector = embedding.vector.to(self.dtype)
            convs = [channels_last(conv) for conv in self._model.pffn.bake(vector)]
            self._baked = baked = embedding.digest, Conditioning(convs, embedding.memory)
        return baked[1]

    def _batched_conditioning(self, embeddings: Sequence[ColorEmbedding]) -> Conditioning:
        """The conditioning of one embedding a frame: the equal per-sample form."""
        z = torch.stack([embedding.vector for embedding in embeddings]).to(self.dtype)
        memories = [embedding.memory for embedding in embeddings if embedding.memory is not None]
        return Conditioning(z, Memory.stack(memories) if memories else None)
