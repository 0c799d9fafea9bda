"""The network on a device: references to embeddings, gray frames to ab, ab to chroma planes."""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..color.chroma import chroma_to_rgb, quantize
from ..color.chroma_table import table_chroma
from ..color.colorimetry import Colorimetry
from ..color.lab import AB_SCALE
from ..color.luma_range import LumaRange
from ..errors import C2EError
from ..model import Conditioning, Memory, load_weights
from ..model.color2embed import STRIDE
from ..model.fuse import fold_batch_norms
from ..utils.arrays import Plane
from ..utils.choices import Device, Precision
from ..utils.devices import (
    channels_last,
    find_device,
    find_dtype,
    precision_name,
    translate_oom,
)
from ..video.frames import ColorBatch, Frame, FrameBatch, PictureFormat, VideoInfo
from .batching import BatchRunner
from .embedding import ColorEmbedding
from .guided_upsampling import upsample_along
from .luma_planes import (
    LumaPlane,
    chroma_size,
    gray_planes,
    luma_plane,
    network_size,
    resize,
)
from .prediction import LabPrediction
from .quality import STANDARD
from .shot_prediction import ShotFrame, ShotPredictor

Picture = npt.NDArray[np.uint8]
Embeddings = ColorEmbedding | Sequence[ColorEmbedding]  # one for all frames, or one for each

log = logging.getLogger(__name__)


def _single_if_equal(embeddings: Sequence[ColorEmbedding]) -> Embeddings:
    """One embedding if all are equal: its convolutions are baked."""
    return (
        embeddings[0]
        if all(embedding.digest == embeddings[0].digest for embedding in embeddings)
        else embeddings
    )


def default_weights() -> Path:
    """The weights that came with the package: inside the wheel, or ``weights/`` of a checkout."""
    name = "c2e-w32.safetensors"
    inside = Path(str(resources.files(__package__))) / "_weights" / name
    return inside if inside.exists() else Path(__file__).parents[2] / "weights" / name


class Colorizer:
    """One network on one device: reads references and colorizes frames.

    To colorize a single frame of a film at once, as the studio does, keep the colorizer and a
    :class:`~.video_colorizer.VideoColorizer`: ``embedding_at(pts, reference_map)``, then :meth:`predict` of a
    batch of the one frame, then :meth:`render_chroma`. Such a frame is neither filtered nor interpolated;
    in the film it differs a little. A prediction can be kept and rendered again.

    What holds for a whole process (``devices.configure_process``) is left to the program.

    Args:
        weights: A weights file; None is the shipped one.
        device: "cpu", "cuda" or "mps"; "auto" is the best there is.
        precision: "fp32", "bf16" or "fp16"; "auto" is bf16 on a CPU that computes faster in it, else fp32,
            and fp16 on CUDA.
        size: Short side of what the network sees, in pixels; 16 to 4096, never more than the frame's own.
        saturation: Factor of a* and b*, 0 to 4.
        anchor_interval: Frames of a film from one that the network predicts to the next, at most; 1 to 12.
        batch: Frames that a GPU computes at once. A CPU computes one on each core.
        prior: Weight of what things usually look like, where no reference shows them; 0 to 1.

    Raises:
        BadWeights: The weights do not fit.
        C2EError: The machine does not have the device, or a setting is out of its range.
    """

    def __init__(
        self,
        weights: Path | None = None,
        *,
        device: Device = "auto",
        precision: Precision = "auto",
        size: int = STANDARD.size,
        saturation: float = 1.0,
        anchor_interval: int = STANDARD.anchor_interval,
        batch: int = 8,
        prior: float = 1.0,
    ) -> None:
        if not STRIDE <= size <= 4096:
            raise C2EError(f"size is {STRIDE} to 4096 pixels, got {size}")
        if not 0 <= saturation <= 4:
            raise C2EError(f"saturation is 0 to 4, got {saturation}")
        if not 0 <= prior <= 1:
            raise C2EError(f"prior is 0 to 1, got {prior}")
        self.weights = weights or default_weights()
        self.device = find_device(device)
        self.dtype = find_dtype(precision, self.device)
        self.size, self.saturation, self.prior = size, saturation, prior
        model = fold_batch_norms(load_weights(self.weights))
        self._model = channels_last(model.to(self.device, self.dtype))
        self._model.requires_grad_(False)
        self._baked: tuple[str, Conditioning] | None = None
        self.batch_runner = BatchRunner(self.device, size, batch)
        self.anchor_interval = anchor_interval
        self.embeddings_made = 0

    @property
    def precision(self) -> Precision:
        """The network's number format: "fp32", "bf16" or "fp16"."""
        return precision_name(self.dtype)

    @property
    def width(self) -> int:
        """The network's width; 64 is the paper's."""
        return self._model.config.width

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

    def predict(
        self, batch: FrameBatch, embedding: Embeddings, info: VideoInfo
    ) -> list[LabPrediction]:
        """Predict the colours of frames, each by itself, without the temporal filter.

        The result does not depend on the batch (on a GPU, up to rounding). If the device runs out of memory,
        the batch is halved.

        Args:
            batch: The frames.
            embedding: One for all frames, or one for each.
            info: The film.

        Returns:
            The colours of each frame at the size that the network sees.

        Raises:
            OutOfMemory: A single frame does not fit into the device's memory.
        """
        lumas = [luma_plane(frame, info) for frame in batch.frames]

        def colorized(part: slice) -> list[LabPrediction]:
            embeddings = (
                embedding
                if isinstance(embedding, ColorEmbedding)
                else _single_if_equal(embedding[part])
            )
            return self._predict_batch(lumas[part], embeddings)

        size = network_size(lumas[0].samples.shape, self.size)
        return list(chain(*self.batch_runner.run(colorized, len(batch), size)))

    def render_chroma(
        self,
        batch: FrameBatch,
        predictions: Sequence[LabPrediction],
        info: VideoInfo,
        picture: PictureFormat,
    ) -> ColorBatch:
        """The chroma of frames whose colours were predicted.

        Args:
            batch: The frames.
            predictions: Their colours, of any size, as :meth:`predict` or :meth:`predict_shot` gives them.
            info: The film.
            picture: The output's subsampling, depth, range and matrix.

        Returns:
            The batch with its chroma.

        Raises:
            OutOfMemory: A single frame does not fit into the device's memory.
        """
        pairs = zip(batch.frames, predictions, strict=True)
        planes = list(self.render_frames(pairs, info, picture))
        cb, cr = (np.stack(of_all) for of_all in zip(*planes, strict=True))
        return ColorBatch(batch, cb, cr)

    def render_frames(
        self,
        frames: Iterable[tuple[Frame, LabPrediction]],
        info: VideoInfo,
        picture: PictureFormat,
    ) -> Iterator[tuple[Plane, Plane]]:
        """The chroma of frames as they come; otherwise like :meth:`render_chroma`.

        Args:
            frames: Frames with their predictions, in order.
            info: The film.
            picture: The output's subsampling, depth, range and matrix.

        Returns:
            Cb and Cr of each frame, in order.
        """

        def rendered(lot: Sequence[tuple[Frame, LabPrediction]]) -> list[tuple[Plane, Plane]]:
            lumas = [luma_plane(frame, info) for frame, _ in lot]
            height, width = chroma_size(lumas[0].samples.shape, picture)
            gray, ab = self._enlarged(lumas, [colors for _, colors in lot], (height, width))
            depth = LumaRange(picture.bit_depth, picture.full_range)
            cb, cr = (
                quantize(plane, depth).cpu().numpy()
                for plane in table_chroma(gray, ab, info.colorimetry)
            )
            return list(zip(cb, cr, strict=True))

        size = network_size((info.height, info.width), self.size)
        return self.batch_runner.stream(rendered, frames, size)

    def colorize(
        self,
        batch: FrameBatch,
        embedding: Embeddings,
        info: VideoInfo,
        picture: PictureFormat,
    ) -> ColorBatch:
        """:meth:`predict` and :meth:`render_chroma` in one call, without anchors and temporal filter.

        Args:
            batch: Frames of one shot.
            embedding: One embedding for all frames, or one for each.
            info: The film.
            picture: The output's subsampling, depth, range and matrix.

        Returns:
            The batch with its chroma.
        """
        return self.render_chroma(batch, self.predict(batch, embedding, info), info, picture)

    @property
    def shot_predictor(self) -> ShotPredictor:
        """Predicts whole shots with this network."""
        return ShotPredictor(self._network_ab, self.batch_runner, self.anchor_interval)

    def colorize_frames(
        self, frames_with_embeddings: Iterable[tuple[Picture, ColorEmbedding]]
    ) -> Iterator[Picture]:
        """Colorize the pictures of one shot, as a film is: see :meth:`predict_shot`.

        Args:
            frames_with_embeddings: Full-range luma uint8 ``[H, W]`` of each picture, all of one size, and
                its embedding.

        Yields:
            RGB uint8 ``[H, W, 3]``, in order; some frames later.
        """
        for gray, prediction in self._predict_pictures(frames_with_embeddings):
            yield self._picture(gray, prediction)

    def predict_frames_ab(
        self, frames_with_embeddings: Iterable[tuple[Picture, ColorEmbedding]]
    ) -> Iterator[npt.NDArray[np.float32]]:
        """The a*, b* of :meth:`colorize_frames`.

        Args:
            frames_with_embeddings: As for :meth:`colorize_frames`.

        Yields:
            a*, b* float32 ``[H, W, 2]``, as :meth:`predict_ab` returns them.
        """
        for gray, prediction in self._predict_pictures(frames_with_embeddings):
            yield self._ab(gray, prediction)

    def _predict_pictures(
        self, frames_with_embeddings: Iterable[tuple[Picture, ColorEmbedding]]
    ) -> Iterator[tuple[Picture, LabPrediction]]:
        pairs = iter(frames_with_embeddings)
        first = next(pairs, None)
        if first is None:
            return
        size = network_size(first[0].shape, self.size)
        frames = self._marked_anchors(chain([first], pairs))
        for (gray, _), prediction in self.shot_predictor.predict(frames, itemgetter(1), size):
            yield gray, prediction

    def _marked_anchors(
        self, pairs: Iterable[tuple[Picture, ColorEmbedding]]
    ) -> Iterator[ShotFrame[tuple[Picture, ColorEmbedding]]]:
        """Every ``anchor_interval``-th frame is an anchor, and every one with a new embedding."""
        last: ColorEmbedding | None = None
        for number, (gray, embedding) in enumerate(pairs):
            is_anchor = number % self.anchor_interval == 0 or embedding is not last
            yield ShotFrame((gray, embedding), LumaPlane(gray), is_anchor)
            last = embedding

    def colorize_image(self, gray: Picture, embedding: ColorEmbedding) -> Picture:
        """Colorize one picture.

        Args:
            gray: Full-range luma, uint8 ``[H, W]``.
            embedding: The embedding of its reference.

        Returns:
            RGB uint8 ``[H, W, 3]``.
        """
        return self._picture(gray, self._predict_one(gray, embedding))

    def predict_ab(self, gray: Picture, embedding: ColorEmbedding) -> npt.NDArray[np.float32]:
        """The a*, b* of one picture before they are limited to the gamut.

        Args:
            gray: Full-range luma, uint8 ``[H, W]``.
            embedding: The embedding of its reference.

        Returns:
            a*, b* float32 ``[H, W, 2]``. What a film can show of them is limited by its luma.
        """
        return self._ab(gray, self._predict_one(gray, embedding))

    def _predict_one(self, gray: Picture, embedding: ColorEmbedding) -> LabPrediction:
        with translate_oom(self.device, self.size):
            return self._predict_batch([LumaPlane(gray)], embedding)[0]

    @torch.inference_mode()
    def _picture(self, gray: Picture, predict: LabPrediction) -> Picture:
        return shown(*self._enlarged([LumaPlane(gray)], [predict], gray.shape))

    def _ab(self, gray: Picture, predict: LabPrediction) -> npt.NDArray[np.float32]:
        ab = self._enlarged([LumaPlane(gray)], [predict], gray.shape)[1][0]
        return cast(npt.NDArray[np.float32], ab.permute(1, 2, 0).cpu().numpy())

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

    @torch.inference_mode()
    def guess(self, gray: Picture) -> Picture:
        """Colorize one picture without a reference: what such things usually look like.

        Args:
            gray: Full-range luma uint8 ``[H, W]``.

        Returns:
            RGB uint8 ``[H, W, 3]``.

        Raises:
            BadWeights: The network has no color prior.
        """
        size = network_size(gray.shape, self.size)
        with translate_oom(self.device, self.size):
            _, lightness = self._grays([LumaPlane(gray)], size)
            ab = self._model.propose(self._nhwc(lightness / 50 - 1)).float()
            planes = (lightness[:, 0], ab * AB_SCALE)
            prediction = LabPrediction(*(plane[0].cpu().numpy() for plane in planes))
            return self._picture(gray, prediction)

    @torch.inference_mode()
    def semantic_features(self, gray: Picture, size: int) -> npt.NDArray[np.float32]:
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
            _, lightness = self._grays([LumaPlane(gray)], network_size(gray.shape, size))
            keys = self._model.semantic.keys(self._nhwc(lightness / 50 - 1))
        return np.asarray(keys.float().flatten(2)[0].t().cpu(), np.float32)

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
            _, lightness = self._grays([LumaPlane(gray)], network_size(gray.shape, size))
            content = self._model.encode_content(self._nhwc(lightness / 50 - 1))
            return memory.encode_features(content).coarse

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
            _, lightness = self._grays([luma_plane(frame, info)], size)
            features = memory.encode_features(
                self._model.encode_content(self._nhwc(lightness / 50 - 1))
            )
            return [
                math.nan if e.memory is None else float(memory.similarity(features, e.memory))
                for e in embeddings
            ]

    @torch.inference_mode()
    def _predict_batch(self, lumas: list[LumaPlane], embedding: Embeddings) -> list[LabPrediction]:
        lightness, ab = self._small(lumas, embedding)
        planes = (lightness[:, 0].cpu().numpy(), ab.cpu().numpy())
        return [LabPrediction(*of_one) for of_one in zip(*planes, strict=True)]

    def _network_ab(
        self, lumas: Sequence[LumaPlane], embeddings: Sequence[ColorEmbedding]
    ) -> npt.NDArray[np.float32]:
        """ab ``[N, 2, h, w]`` of frames at the network's output size."""
        return self._small(list(lumas), _single_if_equal(embeddings))[1].cpu().numpy()

    @torch.inference_mode()
    def _enlarged(
        self, lumas: list[LumaPlane], predictions: Sequence[LabPrediction], size: tuple[int, ...]
    ) -> tuple[Tensor, Tensor]:
        """Luma in [0, 1] and ab at the chroma planes' ``size``, fp32 ``[N, 1 and 2, H, W]``."""
        gray, guide = self._grays(lumas, size)
        lightness, ab = (
            torch.from_numpy(np.stack(planes)).to(self.device)
            for planes in zip(
                *((predict.lightness[None], predict.ab) for predict in predictions), strict=True
            )
        )
        return gray, upsample_along(ab, lightness, guide)

    def _small(self, lumas: list[LumaPlane], embedding: Embeddings) -> tuple[Tensor, Tensor]:
        """L* and ab at the size the network sees, fp32."""
        _, lightness = self._grays(lumas, network_size(lumas[0].samples.shape, self.size))
        conditioning = (
            self._baked_conditioning(embedding)
            if isinstance(embedding, ColorEmbedding)
            else self._batched_conditioning(embedding)
        )
        small = self._nhwc(lightness / 50 - 1)
        ab = self._model(small, conditioning, prior=self.prior).float()
        return lightness, ab * (AB_SCALE * self.saturation)

    def _grays(self, lumas: list[LumaPlane], size: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        gray, lightness = gray_planes(lumas, size)
        return gray.to(self.device), lightness.to(self.device)

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

    def _nhwc(self, planes: Tensor) -> Tensor:
        return planes.to(self.dtype).contiguous(memory_format=torch.channels_last)


def shown(gray: Tensor, ab: Tensor) -> Picture:
    """RGB uint8 ``[H, W, 3]`` of luma ``[1, 1, H, W]`` in [0, 1] and its a*, b* ``[1, 2, H, W]``."""
    rgb = chroma_to_rgb(gray, table_chroma(gray, ab, Colorimetry("bt601")), "bt601")
    return cast(Picture, (rgb[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy())
