"""Small pictures of a film, taken while it is read once: first and last of each shot, and more between.

They serve the measurement of coverage, the comparison with reference pictures and the contact sheet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, cast

import cv2
import numpy as np
import torch

from ..color.display import gray_to_srgb
from ..shots.cuts import detail
from ..shots.detector import quantiles, thumbnail
from ..utils.arrays import Floats, Picture, Plane
from ..video.frames import Frame, Shot, VideoInfo

SAMPLE_HEIGHT = 256  # short side, in pixels
SAMPLE_SECONDS = 2.0  # at most so long from one to the next
AFTER_CUT_SECONDS = 0.2  # from the first of a shot to the second
MIN_SECONDS = 0.4  # at least so long, but at a cut
# Correlation of the thumbnails' detail: below it the camera has moved on from the last sample.
MOVED = 0.6
# The same of two frames that follow one another: below it there is a cut.
CUT = 0.3
FLAT = 2.0  # spread of luma, of 255, below which a frame is blank: it shows nothing
JPEG_QUALITY = 88


@dataclass(frozen=True, eq=False)
class FrameSample:
    """A small picture of the film's frame at ``pts``, kept as JPEG, for there may be thousands."""

    pts: int
    jpeg: bytes
    is_blank: bool = False

    @classmethod
    def of(cls, frame: Frame, info: VideoInfo) -> FrameSample:
        """The sample of a frame: upright, with square pixels, its short side ``SAMPLE_HEIGHT`` at most."""
        rows = min(SAMPLE_HEIGHT, frame.luma.shape[0])
        picture = upright(frame.luma, info, rows)
        options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
        jpeg = cv2.imencode(".jpg", picture, options)[1].tobytes()
        return cls(frame.pts, jpeg, is_blank(thumbnail(picture, 8)))

    def picture(self) -> Picture:
        """Full-range luma uint8 ``[h, w]``."""
        content = np.frombuffer(self.jpeg, np.uint8)
        return cast(Picture, cv2.imdecode(content, cv2.IMREAD_GRAYSCALE))


@dataclass
class Sampler:
    """Chooses which frames of a film become samples, while they go by.

    A sample is taken every ``SAMPLE_SECONDS``, earlier where the picture has changed since the last
    one, and on both sides of a cut. Blank frames are left out.
    """

    info: VideoInfo
    samples: list[FrameSample] = field(default_factory=list)
    _detail: Floats | None = None  # of the last sample
    _before: tuple[Frame, Floats] | None = None  # the frame before, not blank
    _is_first: bool = True  # whether the last sample begins a shot

    def update(self, frame: Frame, small: Plane) -> None:
        """Take the next frame, and its luma reduced."""
        tiny = thumbnail(small, self.info.bit_depth)
        if is_blank(tiny):
            return
        now, before = detail(tiny), self._before
        if before is not None and float(np.vdot(before[1], now)) < CUT:
            self._take(*before)
            self._take(frame, now)
            self._is_first = True
        elif self._detail is None:
            self._take(frame, now)
        elif self._is_due(frame, now):
            self._take(frame, now)
            self._is_first = False
        self._before = frame, now

    def compute(self) -> tuple[FrameSample, ...]:
        """All samples in order; the last frame is one of them."""
        if self._before is not None:
            self._take(*self._before)
        return tuple(self.samples)

    def _is_due(self, frame: Frame, now: Floats) -> bool:
        passed = self.info.seconds(frame.pts - self.samples[-1].pts)
        if passed >= (AFTER_CUT_SECONDS if self._is_first else SAMPLE_SECONDS):
            return True
        moved = self._detail is not None and float(np.vdot(self._detail, now)) < MOVED
        return passed >= MIN_SECONDS and moved

    def _take(self, frame: Frame, now: Floats) -> None:
        if not self.samples or self.samples[-1].pts < frame.pts:
            self.samples.append(FrameSample.of(frame, self.info))
        self._detail = now


def is_blank(tiny: Floats) -> bool:
    """Whether a thumbnail shows nothing."""
    low, high = quantiles(tiny)
    return high - low < FLAT


def samples_of(shot: Shot, samples: Sequence[FrameSample]) -> list[FrameSample]:
    """Those within a shot, after the dissolve it begins with if there are any."""
    own = [sample for sample in samples if sample.pts in shot]
    clear = [sample for sample in own if sample.pts >= shot.start + shot.dissolve]
    return clear or own


def by_shot(
    shots: Sequence[Shot], samples: Iterable[FrameSample]
) -> Iterator[tuple[Shot, list[FrameSample]]]:
    """Each shot with its samples; both come in order."""
    waiting = list(samples)
    first = 0
    for shot in shots:
        after = first
        while after < len(waiting) and waiting[after].pts < shot.stop:
            after += 1
        yield shot, samples_of(shot, waiting[first:after])
        first = after


def upright(luma: Plane, info: VideoInfo, rows: int) -> Picture:
    """Luma as it is shown: full-range uint8 ``[h, w]``, square pixels, ``rows`` high before it is turned."""
    scale, offset = info.luma_range.to_unit
    height, width = luma.shape
    columns = max(1, round(rows * Fraction(width, height) * info.sample_aspect_ratio))
    how = cv2.INTER_AREA if rows < height else cv2.INTER_LINEAR
    sized: Any = cv2.resize(luma, (columns, rows), interpolation=how).astype(np.float32)
    unit = torch.from_numpy(np.clip((sized - offset) * scale, 0, 1))
    gray = gray_to_srgb(unit, info.colorimetry.curve).mul(255).round().byte().numpy()
    return np.ascontiguousarray(info.upright(gray))
