"""The network, kept loaded: a frame and its references go in, a colorized picture comes out.

The one module of the studio that knows the colorizer. A prediction (what the network made of a frame, at the
size it sees) is kept; saturation and retouch work on it, so they need no network.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from threading import Lock, RLock

import numpy as np
import numpy.typing as npt

from ..inference.colorizer import Colorizer
from ..inference.letterbox import NO_LETTERBOX, Letterbox, neutralize_black
from ..inference.matching import PictureMatcher
from ..inference.prediction import LabPrediction
from ..inference.video_colorizer import VideoColorizer
from ..pipeline.options import Options, colorizer_for
from ..planning.coverage import FilmMatcher
from ..references.reference_map import ReferenceMap
from ..utils.arrays import Picture
from ..video.frames import Frame, FrameBatch, PictureFormat, Shot, VideoInfo
from .display import LARGEST, colored_picture, fitted, upright
from .frames import Cache

KEPT = 200  # predictions a film: some 400 KB each


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the network made of a frame. ``lightness`` ``[h, w]`` is L*, ``ab`` ``[2, h, w]`` a* and b*, fp32.

    Both are as the film is stored, at the size of the network's input.
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
        self.lock = RLock()  # the network colorizes one thing at a time
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
    """Colorizes single frames of one film and keeps the predictions."""

    def __init__(self, engine: Engine, info: VideoInfo, letterbox: Letterbox) -> None:
        self.engine, self.info, self.letterbox = engine, info, letterbox
        self._video_colorizer: VideoColorizer | None = None
        self._matcher: FilmMatcher | None = None
        self._kept: Cache[str, Prediction] = Cache(KEPT)

    @property
    def video_colorizer(self) -> VideoColorizer:
        """The colorizer with this film's embeddings."""
        if self._video_colorizer is None:
            self._video_colorizer = VideoColorizer(self.engine.colorizer, self.info)
        return self._video_colorizer

    def kept(self, pts: int, reference_map: ReferenceMap) -> Prediction | None:
        """The prediction of the frame at ``pts``, if it is kept; the network does not run."""
        return self._kept.get(_key(pts, reference_map))

    def predict(self, frame: Frame, reference_map: ReferenceMap) -> Prediction:
        """The frame colorized as ``reference_map`` has it at its time. Kept for the next time."""
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
        rgb = colored_picture(shown, colored.cb[0], colored.cr[0], self.info, picture)
        return upright(rgb, self.info)

    def _letterbox_of(self, shown: Frame) -> Letterbox:
        """The film's black bars in a frame that was reduced."""
        scale = shown.luma.shape[0] / self.info.height
        return Letterbox(*(round(side * scale) for side in astuple(self.letterbox)))

    @property
    def matcher(self) -> FilmMatcher:
        """Compares frames with references. Use it with the engine's lock held."""
        if self._matcher is None:
            self._matcher = FilmMatcher(PictureMatcher(self.engine.colorizer))
        return self._matcher


def _key(pts: int, reference_map: ReferenceMap) -> str:
    weights = reference_map.weights_at(pts)
    return f"{pts}:" + "+".join(f"{r.digest}*{weight:.4f}" for r, weight in weights)
