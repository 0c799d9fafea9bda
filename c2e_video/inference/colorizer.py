"""The network on a device: references to embeddings, gray frames to ab, ab to chroma planes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..color.lab import AB_SCALE
from ..errors import C2EError
from ..utils.arrays import Floats, Picture, Plane
from ..utils.choices import Device, Precision
from ..utils.devices import processors, translate_oom
from ..video.frames import ColorBatch, Frame, FrameBatch, PictureFormat, VideoInfo
from .embedding import ColorEmbedding
from .luma_planes import LumaPlane, luma_plane, network_size
from .network import Embeddings, InferenceNetwork
from .prediction import LabPrediction
from .quality import STANDARD
from .rendering import chroma_planes, rgb_picture, upsampled_ab
from .shot_prediction import ShotFrame, ShotPredictor


class Colorizer(InferenceNetwork):
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
        prior: Weight of the colors that things usually have, where no reference shows them; 0 to 1.

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
        if not 0 <= saturation <= 4:
            raise C2EError(f"saturation is 0 to 4, got {saturation}")
        if not 0 <= prior <= 1:
            raise C2EError(f"prior is 0 to 1, got {prior}")
        super().__init__(weights, device=device, precision=precision, size=size, batch=batch)
        self.saturation, self.prior = saturation, prior
        self.anchor_interval = anchor_interval

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
            own = embedding if isinstance(embedding, ColorEmbedding) else embedding[part]
            return self._predict_batch(lumas[part], own)

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
            predictions = [prediction for _, prediction in lot]
            return chroma_planes(lumas, predictions, picture, info.colorimetry, self.device)

        size = network_size((info.height, info.width), self.size)
        # Chroma planes are small: some ahead keep the cores busy while the next anchor is prepared.
        return self.batch_runner.stream(rendered, frames, size, ahead=4 * processors())

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
            yield rgb_picture(gray, prediction, self.device)

    def predict_frames_ab(
        self, frames_with_embeddings: Iterable[tuple[Picture, ColorEmbedding]]
    ) -> Iterator[Floats]:
        """The a*, b* of :meth:`colorize_frames`.

        Args:
            frames_with_embeddings: As for :meth:`colorize_frames`.

        Yields:
            a*, b* float32 ``[H, W, 2]``, as :meth:`predict_ab` returns them.
        """
        for gray, prediction in self._predict_pictures(frames_with_embeddings):
            yield upsampled_ab(gray, prediction, self.device)

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
        return rgb_picture(gray, self._predict_one(gray, embedding), self.device)

    def predict_ab(self, gray: Picture, embedding: ColorEmbedding) -> Floats:
        """The a*, b* of one picture before they are limited to the gamut.

        Args:
            gray: Full-range luma, uint8 ``[H, W]``.
            embedding: The embedding of its reference.

        Returns:
            a*, b* float32 ``[H, W, 2]``. What a film can show of them is limited by its luma.
        """
        return upsampled_ab(gray, self._predict_one(gray, embedding), self.device)

    def _predict_one(self, gray: Picture, embedding: ColorEmbedding) -> LabPrediction:
        with translate_oom(self.device, self.size):
            return self._predict_batch([LumaPlane(gray)], embedding)[0]

    @torch.inference_mode()
    def guess(self, gray: Picture) -> Picture:
        """Colorize one picture without a reference, by the colors that such things usually have.

        Args:
            gray: Full-range luma uint8 ``[H, W]``.

        Returns:
            RGB uint8 ``[H, W, 3]``.

        Raises:
            BadWeights: The network has no color prior.
        """
        size = network_size(gray.shape, self.size)
        with translate_oom(self.device, self.size):
            lightness = self._lightness([LumaPlane(gray)], size)
            ab = self._model.propose(self._network_input(lightness)).float()
            planes = (lightness[:, 0], ab * AB_SCALE)
            prediction = LabPrediction(*(plane[0].cpu().numpy() for plane in planes))
            return rgb_picture(gray, prediction, self.device)

    @torch.inference_mode()
    def _predict_batch(self, lumas: list[LumaPlane], embedding: Embeddings) -> list[LabPrediction]:
        lightness, ab = self._small(lumas, embedding)
        planes = (lightness[:, 0].cpu().numpy(), ab.cpu().numpy())
        return [LabPrediction(*of_one) for of_one in zip(*planes, strict=True)]

    def _network_ab(
        self, lumas: Sequence[LumaPlane], embeddings: Sequence[ColorEmbedding]
    ) -> Floats:
        """ab ``[N, 2, h, w]`` of frames at the network's output size."""
        return self._small(list(lumas), embeddings)[1].cpu().numpy()

    def _small(self, lumas: list[LumaPlane], embedding: Embeddings) -> tuple[Tensor, Tensor]:
        """L* and ab at the size the network sees, fp32."""
        lightness = self._lightness(lumas, network_size(lumas[0].samples.shape, self.size))
        conditioning = self._conditioning(embedding)
        ab = self._model(self._network_input(lightness), conditioning, prior=self.prior).float()
        return lightness, ab * (AB_SCALE * self.saturation)
