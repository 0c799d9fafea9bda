"""The metrics, each with its formula and its source.

Pictures are R'G'B' uint8 ``[H, W, 3]``; Lab is float32 ``[H, W, 3]`` (:func:`lab_of`). The truth is the
first argument, the prediction the second. A figure that does not exist (no two frames that far apart, no
visible pixel) is NaN, and means leave it out.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from ..color.lab import rgb_to_lab
from ..color.matrices import LUMA_WEIGHTS
from ..errors import C2EError
from ..inference.optical_flow import NO_MAP, flow_between, forward_backward_error
from ..utils.arrays import Floats, Picture

Gray = npt.NDArray[np.uint8]
Doubles = npt.NDArray[np.float64]

PEAK = 255.0  # of an RGB sample, and of a* or b* in an 8-bit plane (-128 to 127)
PSNR_CEILING = 100.0  # dB; an exact picture would have infinity, and so would the mean
LAGS = (1, 2, 4)  # frames apart, for the colour distribution consistency


@dataclass
class Mean:
    """A running mean in constant memory; NaN is left out."""

    total: float = 0.0
    count: int = 0

    def add(self, value: float, weight: int = 1) -> None:
        if not math.isnan(value):
            self.total += value * weight
            self.count += weight

    @property
    def value(self) -> float:
        return self.total / self.count if self.count else math.nan


# --- pictures ---------------------------------------------------------------------------------


def to_gray(rgb: Picture) -> Gray:
    """The gray film ``[H, W]``: 0.299 R' + 0.587 G' + 0.114 B' (ITU-R BT.601), rounded."""
    luma: Doubles = rgb @ np.array(LUMA_WEIGHTS["bt601"])
    return np.rint(luma).astype(np.uint8)


def lab_of(rgb: Picture) -> Floats:
    """CIE L*, a*, b* (D65, sRGB) float32 ``[H, W, 3]``."""
    planes = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1).float() / 255
    lab: Floats = np.ascontiguousarray(rgb_to_lab(planes).permute(1, 2, 0).numpy())
    return lab


# --- comparison with the truth --------------------------------------------------------------------


def _decibels(squared_error: float) -> float:
    if squared_error <= 0:
        return PSNR_CEILING
    return min(PSNR_CEILING, 10 * math.log10(PEAK**2 / squared_error))


def psnr(truth: Picture, prediction: Picture) -> float:
    """10 log10(255² / MSE) over R', G' and B', in float64; at most 100 dB."""
    difference = truth.astype(np.float64) - prediction
    return _decibels(float(np.mean(difference**2)))


def psnr_ab(truth_lab: Floats, predicted_lab: Floats) -> float:
    """10 log10(255² / MSE) over a* and b* alone, in float64; at most 100 dB.

    The peak is 255, the width of an 8-bit ab plane (-128 to 127).
    """
    difference = truth_lab[..., 1:].astype(np.float64) - predicted_lab[..., 1:]
    return _decibels(float(np.mean(difference**2)))


def psnr_wrapped(truth: Picture, prediction: Picture) -> float:
    """What PSNR becomes when uint8 arrays are subtracted and squared as they are.

    Both the difference and its square are taken modulo 256, so that an error of 16 counts as none.
    The public script of ColorMNet (Yang et al., ECCV 2024) computes this; it serves only for
    comparison with that paper's table. It is not a measure of quality.
    """
    difference = truth - prediction
    return _decibels(float(np.mean(difference * difference, dtype=np.float64)))


def ssim(truth: Picture, prediction: Picture, window: int = 7) -> float:
    """Structural similarity, mean over places and R', G', B' (Wang et al., IEEE TIP 2004, eq. 13).

    A uniform 7×7 window, sample covariances, K1 = 0.01, K2 = 0.03: scikit-image's defaults, which
    published tables use. (OpenCV's box filter takes a third of the time.)
    """
    rim = window // 2
    c1, c2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2

    def local(values: Doubles) -> Doubles:
        return cv2.blur(values, (window, window))[rim:-rim, rim:-rim].astype(np.float64, copy=False)

    x, y = truth.astype(np.float64), prediction.astype(np.float64)
    mean_x, mean_y = local(x), local(y)
    unbiased = window**2 / (window**2 - 1)
    covariance = unbiased * (local(x * y) - mean_x * mean_y)
    variances = unbiased * (local(x * x) + local(y * y) - mean_x**2 - mean_y**2)
    light = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return float(np.mean(light * (2 * covariance + c2) / (variances + c2)))


def ciede2000(truth_lab: Floats, predicted_lab: Floats) -> float:
    """Mean ΔE00 over the pixels (CIE 142-2001; Sharma, Wu and Dalal 2005), kL = kC = kH = 1.

    Raises ``C2EError`` without scikit-image, whose formula this is.
    """
    return float(np.mean(ciede2000_formula()(truth_lab, predicted_lab), dtype=np.float64))


def ciede2000_formula() -> Any:
    """scikit-image's formula, imported before the work begins; ``C2EError`` without it."""
    try:
        return import_module("skimage.color").deltaE_ciede2000
    except ImportError as missing:
        raise C2EError(
            "evaluation needs scikit-image, which is not installed: pip install 'c2e-video[eval]'"
        ) from missing


# --- colours -------------------------------------------------------------------


def colorfulness(rgb: Picture) -> float:
    """√(σ²rg + σ²yb) + 0.3 √(μ²rg + μ²yb) with rg = R' - G' and yb = (R' + G') / 2 - B'.

    Hasler and Süsstrunk, "Measuring colourfulness in natural images", 2003. rg and yb keep their
    signs, as in the paper (some scripts take absolute values first). A gray picture has 0, a
    moderately colourful one about 33, an extremely colourful one 109.
    """
    red, green, blue = np.moveaxis(rgb.astype(np.float64), -1, 0)
    opponents = np.stack((red - green, (red + green) / 2 - blue)).reshape(2, -1)
    spread = math.sqrt(opponents.var(axis=1).sum())
    return spread + 0.3 * math.sqrt((opponents.mean(axis=1) ** 2).sum())


# --- over time -----------------------------------------------------------------------------


def histograms(rgb: Picture) -> Doubles:
    """The share of each of the 256 values in R', G' and B': float64 ``[3, 256]``."""
    planes = np.moveaxis(rgb, -1, 0).reshape(3, -1)
    counts = np.stack([np.bincount(plane, minlength=256) for plane in planes])
    return counts / planes.shape[1]


def js_divergence(p: Doubles, q: Doubles) -> float:
    """Jensen-Shannon divergence in nats, mean over the rows of ``[C, bins]``; 0 to ln 2.

    (KL(p || m) + KL(q || m)) / 2 with m = (p + q) / 2 (Lin, IEEE Trans. IT 1991).
    """
    middle = (p + q) / 2

    def distance(share: Doubles) -> float:
        seen = share > 0
        return float(np.sum(share[seen] * np.log(share[seen] / middle[seen])))

    return (distance(p) + distance(q)) / 2 / len(p)


@dataclass
class ColorConsistency:
    """CDC, the colour distribution consistency of one film; lower is steadier.

    The mean Jensen-Shannon divergence of the channels' 256-bin histograms between frames 1, 2 and
    4 apart, each lag's mean weighing the same (Liu et al., "Temporally consistent video
    colorization with deep feature propagation and self-regularization learning", 2021). Motion
    alone gives a value above 0, so a prediction is judged by its difference from the truth's
    value. NaN until there are five frames.
    """

    _recent: deque[Doubles] = field(default_factory=lambda: deque(maxlen=max(LAGS) + 1))
    _means: dict[int, Mean] = field(default_factory=lambda: {lag: Mean() for lag in LAGS})

    def add(self, rgb: Picture) -> None:
        self._recent.appendleft(histograms(rgb))
        for lag, mean in self._means.items():
            if lag < len(self._recent):
                mean.add(js_divergence(self._recent[lag], self._recent[0]))

    @property
    def value(self) -> float:
        return sum(mean.value for mean in self._means.values()) / len(LAGS)


@dataclass(frozen=True, eq=False)
class Motion:
    """Where a frame's pixels were in the frame before.

    ``origin`` float32 ``[H, W, 2]`` are their (x, y) there; ``visible`` bool ``[H, W]`` is False
    where they were hidden or outside.
    """

    origin: Floats
    visible: npt.NDArray[np.bool_]


def motion_between(before: Gray, now: Gray) -> Motion:
    """Dense inverse search flow (Kroeger et al., ECCV 2016) both ways, on luma ``[H, W]``.

    A pixel counts as seen before where the two flows undo each other:
    |b + f|² ≤ 0.01 (|b|² + |f|²) + 0.5 (Ruder, Dosovitskiy and Brox 2016, eq. 5; Sundaram et al.
    2010). Sides of at least 12 samples.
    """
    backward, forward = (
        flow_between(*pair, cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        for pair in ((now, before), (before, now))
    )
    origin, forward, mismatch = forward_backward_error(backward, forward)
    height, width = now.shape
    length = (backward**2).sum(-1) + (forward**2).sum(-1)
    inside = (origin >= 0).all(-1) & (origin <= (width - 1, height - 1)).all(-1)
    return Motion(origin, inside & (mismatch <= 0.01 * length + 0.5))


def warp_error(lab_before: Floats, lab_now: Floats, motion: Motion) -> float:
    """Chroma warp error: the mean ab distance of a point from itself one frame earlier.

    mean over visible pixels of ‖ab(t, x) - ab(t-1, x + b(x))‖₂, in ab units; after the warping
    error of Lai et al., "Learning blind video temporal consistency", ECCV 2018, on a*, b* instead
    of RGB. The motion comes from the true luma, so prediction and truth follow the same paths. NaN
    where nothing was seen before (a cut).
    """
    if not motion.visible.any():
        return math.nan
    earlier = cv2.remap(lab_before[..., 1:], motion.origin, NO_MAP, cv2.INTER_LINEAR)
    distance = np.hypot(*np.moveaxis(lab_now[..., 1:] - earlier, -1, 0))
    return float(np.mean(distance[motion.visible], dtype=np.float64))
