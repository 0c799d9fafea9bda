"""The network against the processor's own limit, and against the plain way of writing it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.pictures import full_range_film
from c2e_video.color.lab import AB_SCALE, gray_lightness
from c2e_video.inference.colorizer import Colorizer
from c2e_video.inference.luma_planes import LumaPlane, network_size
from c2e_video.model import Color2Embed, Conditioning, load_weights
from c2e_video.model.pffn import EPSILON, ModulatedConv
from c2e_video.utils.devices import channels_last, translate_oom
from c2e_video.video.frames import Frame, FrameBatch, PictureFormat, Shot

REPEATS = 3  # the quickest counts


@dataclass(frozen=True)
class NetworkFigure:
    """A batch of square frames through the network alone: ``share`` is of the convolution peak."""

    size: int
    batch: int
    ms_per_frame: float
    gflops: float
    share: float


@dataclass(frozen=True)
class PlainFigure:
    """Painting one film frame, ours against the plain way; ``psnr_ab`` compares their outputs."""

    ours_ms: float
    plain_ms: float
    ratio: float
    psnr_ab: float


def quickest(work: Callable[[], object], device: torch.device) -> float:
    """Seconds of the quickest of some runs, after one that warms up."""
    times = []
    for _ in range(REPEATS + 1):
        began = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - began)
    return min(times[1:])


def convolution_peak(colorizer: Colorizer) -> float:
    """FLOP/s of one large 3x3 convolution in the colorizer's number format, channels last."""
    conv = channels_last(nn.Conv2d(256, 256, 3, padding=1)).to(colorizer.device, colorizer.dtype)
    x = torch.randn(8, 256, 64, 64).to(colorizer.device, colorizer.dtype)
    x = x.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        seconds = quickest(lambda: conv(x), colorizer.device)
    return 2 * 8 * 64 * 64 * 256 * 256 * 9 / seconds


def network_figure(colorizer: Colorizer, batch: int, peak: float) -> NetworkFigure:
    """``batch`` square frames of the colorizer's size, after a reference of that size, as films are painted.

    A CPU is given one frame with all its cores, and several side by side, one with each. ``peak`` is
    :func:`convolution_peak`. Raises :class:`OutOfMemory` where they do not fit.
    """
    size = colorizer.size
    reference = np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)
    with translate_oom(colorizer.device, size), torch.inference_mode():
        embedding = colorizer._baked_conditioning(colorizer.embed(reference))
        lightness = torch.rand(batch, 1, size, size, device=colorizer.device)
        gray = colorizer._nhwc(2 * lightness - 1)
        with FlopCounterMode(display=False) as counter:
            colorizer._model(gray, embedding)
        paint: Callable[[], object]
        if colorizer.device.type == "cpu" and batch > 1:
            paint = partial(
                colorizer.batch_runner.run,
                lambda part: colorizer._model(gray[part], embedding),
                *(batch, (size, size)),
            )
        else:
            paint = partial(colorizer._model, gray, embedding)
        seconds = quickest(paint, colorizer.device)
    speed = counter.get_total_flops() / seconds
    return NetworkFigure(size, batch, 1e3 * seconds / batch, speed / 1e9, speed / peak)


class GroupedConv(nn.Module):
    """The modulated convolution as it is usually written: a kernel a sample, in groups (eq. 4-7)."""

    def __init__(self, conv: ModulatedConv) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        conv, (n, c, h, w) = self.conv, x.shape
        weight = conv.weight[None] * (conv.scale * conv.linear(z)).view(n, 1, c, 1, 1)
        norm = torch.rsqrt(weight.square().sum((2, 3, 4), keepdim=True) + EPSILON)
        kernels = (weight * norm).flatten(0, 1)
        out = F.conv2d(x.reshape(1, n * c, h, w), kernels, padding=conv.padding, groups=n)
        return out.view(n, c, h, w) + conv.bias[:, None, None]


class PlainColorizer:
    """The paper's network as its figure is usually coded: fp32, one frame at a time, through RGB."""

    def __init__(self, model: Color2Embed, device: torch.device) -> None:
        self.device, self.model = device, model.to(device)
        for block in self.model.pffn.blocks:
            cast(Any, block).modulated = GroupedConv(cast(Any, block).modulated)

    @torch.inference_mode()
    def embed(self, reference: Any, size: tuple[int, int]) -> Conditioning:
        picture = cv2.resize(reference, size[::-1], interpolation=cv2.INTER_AREA)
        return self.model.embed(self._planes(picture))

    @torch.inference_mode()
    def paint(self, gray: Any, embedding: Conditioning, size: tuple[int, int]) -> tuple[Any, Any]:
        """ab ``[H, W, 2]`` at the size of ``gray``, and the frame as I420."""
        small = cv2.resize(gray, size[::-1], interpolation=cv2.INTER_AREA)
        lightness = gray_lightness(self._planes(np.repeat(small[:, :, None], 3, axis=2)))
        ab = self.model(lightness / 50 - 1, embedding)[0].permute(1, 2, 0)
        wide = cv2.resize(ab.cpu().numpy() * AB_SCALE, gray.shape[::-1])
        full = cv2.cvtColor(
            np.repeat(gray[:, :, None], 3, axis=2).astype(np.float32) / 255, cv2.COLOR_RGB2LAB
        )
        full[:, :, 1:] = wide
        back = (cv2.cvtColor(full, cv2.COLOR_LAB2RGB).clip(0, 1) * 255).round().astype(np.uint8)
        return wide, cv2.cvtColor(back, cv2.COLOR_RGB2YUV_I420)

    def _planes(self, picture: Any) -> Tensor:
        return torch.from_numpy(picture).to(self.device).permute(2, 0, 1)[None].float() / 255


def plain_figure(colorizer: Colorizer, height: int, width: int, batch: int) -> PlainFigure:
    """Paint drawn frames of ``height`` x ``width`` both ways, and compare time and ab."""
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (batch, 9, 16), dtype=np.uint8)
    grays = [cv2.resize(gray, (width, height), interpolation=cv2.INTER_CUBIC) for gray in coarse]
    tones = rng.integers(0, 256, (9, 16, 3), dtype=np.uint8)
    reference: Any = cv2.resize(tones, (width, height), interpolation=cv2.INTER_CUBIC)
    info = full_range_film(width, height)
    frames = FrameBatch(tuple(Frame(g, i, 1) for i, g in enumerate(grays)), Shot(0, 0, batch))
    picture = PictureFormat("yuv420p", 8, (2, 2), "bt601", True)
    embedding = colorizer.embed(reference)
    plain = PlainColorizer(load_weights(colorizer.weights), colorizer.device)
    size = network_size((height, width), colorizer.size)
    ours = quickest(lambda: colorizer.colorize(frames, embedding, info, picture), colorizer.device)
    plain_look = plain.embed(reference, size)
    theirs = quickest(lambda: plain.paint(grays[0], plain_look, size), colorizer.device)
    with torch.inference_mode():
        _, planes = colorizer._small([LumaPlane(grays[0])], embedding)
    ab = planes[0].permute(1, 2, 0).cpu().numpy()
    wide = cv2.resize(ab, (width, height))
    error = float(np.mean(np.square(wide - plain.paint(grays[0], plain_look, size)[0])))
    return PlainFigure(
        1e3 * ours / batch,
        1e3 * theirs,
        theirs * batch / ours,
        10 * math.log10(255**2 / max(error, 1e-10)),
    )
