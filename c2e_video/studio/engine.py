"""The network, kept warm: a frame and its references go in, a painted picture comes out.

The one module of the studio that knows the colorizer. A prediction (what the network made of a frame, at the
size it sees) is kept; saturation and retouch work on it, so they need no network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from threading import Lock, RLock

import numpy as np
import numpy.typing as npt
import torch

from ..color.chroma import ChromaOffsets, chroma_to_rgb
from ..color.display import rgb_to_srgb
from ..inference.colorizer import Colorizer
from ..inference.letterbox import NO_LETTERBOX, Letterbox, neutralize_black
from ..inference.temporal_filter import LabPrediction
from ..inference.video_colorizer import VideoColorizer
from ..pipeline.options import Options, colorizer_for
from ..references.image import Reference
from ..references.reference_map import ReferenceMap
from ..video.frames import Frame, FrameBatch, PictureFormat, Shot, VideoInfo, luma_range
from .display import LARGEST, Picture, fitted, upright
from .frames import Cache

KEPT = 200  # predictions a film: some 400 KB each


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the network made of a frame. ``lightness`` ``[h, w]`` is L*, ``ab`` ``[2, h, w]`` a* and b*, fp32.

    Both are as the film is stored, at the size the network sees.
    """

    lightness: npt.NDArray[np.float32]
    ab: npt.NDArray[np.float32]
    key: str


class Engine:
    """One colorizer for all films, loaded at its first use.

    Args:
        options: Which weights, device, precision and size. Its saturation is not used: frames are
            predicted at 1, and rendered at what is asked for.
    """

    def __init__(self, options: Options) -> None:
        self.options = replace(options, saturation=1.0)
        self.lock = RLock()  # the network paints one thing at a time
        self._loading = Lock()
        self._colorizer: Colorizer | None = None

    @property
    def colorizer(self) -> Colorizer:
        """The colorizer. Raises :class:`BadWeights` or :class:`C2EError` if it is not to be had."""
        with self._loading:
            if self._colorizer is None:
                self._colorizer = colorizer_for(self.options)
            return self._colorizer

    def on(self, info: VideoInfo, letterbox: Letterbox = NO_LETTERBOX) -> FilmEngine:
        """The engine at work on one film."""
        return FilmEngine(self, info, letterbox)


class FilmEngine:
    """Paints single frames of one film and keeps what the network made of them."""

    def __init__(self, engine: Engine, info: VideoInfo, letterbox: Letterbox) -> None:
        self.engine, self.info, self.letterbox = engine, info, letterbox
        self._video_colorizer: VideoColorizer | None = None
        self._kept: Cache[str, Prediction] = Cache(KEPT)
        self._similar: Cache[tuple[int, str], float] = Cache(1 << 20)

    @property
    def video_colorizer(self) -> VideoColorizer:
        """The colorizer with this film's embeddings."""
        if self._video_colorizer is None:
            self._video_colorizer = VideoColorizer(self.engine.colorizer, self.info)
        return self._video_colorizer

    def kept(self, pts: int, reference_map: ReferenceMap) -> Prediction | None:
        """The prediction of the frame at ``pts``, if it is kept; the network is not asked."""
        return self._kept.get(_key(pts, reference_map))

    def predict(self, frame: Frame, reference_map: ReferenceMap) -> Prediction:
        """The frame painted as ``reference_map`` has it at its time. Kept for the next time."""
        key = _key(frame.pts, reference_map)
        if (kept := self._kept.get(key)) is not None:
            return kept
        with self.engine.lock:
            if (kept := self._kept.get(key)) is not None:
                return kept
            embedding = self.video_colorizer.embedding_at(frame.pts, reference_map)
            batch = FrameBatch((frame,), reference_map.shots[-1])
            predicted = self.engine.colorizer.predict(batch, embedding, self.info)[0]
        return self._kept.put(key, Prediction(predicted.lightness, predicted.ab, key))

    def render(
        self,
        frame: Frame,
        prediction: Prediction,
        saturation: float,
        largest: int | None = LARGEST,
    ) -> Picture:
        """The frame in colour, upright: RGB uint8 ``[H, W, 3]``. Its luma is the frame's own.

        Args:
            frame: The frame itself.
            prediction: What the network made of it, or a retouch of that.
            saturation: Factor of a* and b*.
            largest: Long side of the picture at most, in pixels; None is the film's own.
        """
        shown = fitted(frame, largest) if largest else frame
        picture = PictureFormat("yuv444p", 8, (1, 1), self.info.matrix, True)
        batch = FrameBatch((shown,), Shot(0, frame.pts, frame.pts + 1))
        small = LabPrediction(prediction.lightness, prediction.ab * np.float32(saturation))
        colored = self.engine.colorizer.render_chroma(batch, [small], self.info, picture)
        colored = neutralize_black(colored, self._letterbox_of(shown), self.info, picture)
        scale, offset = luma_range(self.info)
        luma = (torch.from_numpy(shown.luma.astype(np.float32)) - offset) * scale
        cb, cr = (
            (torch.from_numpy(plane.astype(np.float32)) - 128) / 255
            for plane in (colored.cb, colored.cr)
        )
        rgb = chroma_to_rgb(luma.clamp_(0, 1)[None, None], ChromaOffsets(cb, cr), self.info.matrix)
        film = self.info.colorimetry
        rgb = rgb_to_srgb(rgb, film.gamut, film.curve)
        pixels = (rgb[0].clamp_(0, 1) * 255).round_().byte().permute(1, 2, 0)
        return upright(pixels.contiguous().numpy(), self.info)

    def _letterbox_of(self, shown: Frame) -> Letterbox:
        """The film's black bars in a frame that was reduced."""
        scale = shown.luma.shape[0] / self.info.height
        return Letterbox(*(round(side * scale) for side in astuple(self.letterbox)))

    def similarities(self, frame: Frame, references: Sequence[Reference]) -> list[float]:
        """How much of the frame each reference shows, 0 to 1; NaN where the network cannot tell."""
        missing = [r for r in references if self._similar.get((frame.pts, r.digest)) is None]
        if missing:
            with self.engine.lock:
                found = self.video_colorizer.similarities(frame, missing)
            for reference, value in zip(missing, found, strict=True):
                self._similar.put((frame.pts, reference.digest), value)
        values = (self._similar.get((frame.pts, r.digest)) for r in references)
        return [0.0 if value is None else value for value in values]


def _key(pts: int, reference_map: ReferenceMap) -> str:
    weights = reference_map.weights_at(pts)
    return f"{pts}:" + "+".join(f"{r.digest}*{weight:.4f}" for r, weight in weights)
