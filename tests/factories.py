"""Values that tests of several rooms need: film descriptions, colour pictures, a tiny network, films."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from c2e_video.model import Color2Embed, ModelConfig
from c2e_video.video.frames import VideoInfo
from tests.media import write_film

TINY = ModelConfig(width=8, embedding=16, color_width=4, memory=8)


def video_info(width: int = 64, height: int = 48, bit_depth: int = 8, **other: Any) -> VideoInfo:
    """A film's description: gray, limited range, 25 frames a second; any field may be another."""
    usual: dict[str, Any] = {
        "path": Path("film.mkv"),
        "width": width,
        "height": height,
        "pixel_format": "gray",
        "bit_depth": bit_depth,
        "matrix": "bt601",
        "full_range": False,
        "transfer": 2,
        "primaries": 2,
        "sample_aspect_ratio": Fraction(1),
        "rotation": 0,
        "time_base": Fraction(1, 25),
        "frame_rate": None,
        "frame_count": None,
        "duration_seconds": None,
    }
    return VideoInfo(**(usual | other))


def color_noise(seed: int, height: int = 48, width: int = 64) -> npt.NDArray[np.uint8]:
    """A random colour for every pixel, uint8 ``[H, W, 3]``."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def color_picture(seed: int, height: int = 48, width: int = 64) -> Any:
    """A picture of 8 by 6 smooth patches of random colours, uint8 ``[H, W, 3]``."""
    return cv2.resize(color_noise(seed, 6, 8), (width, height), interpolation=cv2.INTER_CUBIC)


def write_picture(path: Path, seed: int, height: int = 48, width: int = 64) -> Path:
    """:func:`color_picture` in a file."""
    cv2.imwrite(str(path), color_picture(seed, height, width))
    return path


def random_model(config: ModelConfig = TINY) -> Color2Embed:
    """A network in which every part has an effect: the memory too, and batch norms that are not trivial."""
    torch.manual_seed(0)
    model = Color2Embed(config)
    if model.pffn.memory is not None:
        nn.init.normal_(model.pffn.memory.out.weight, std=0.3)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return model.eval().requires_grad_(False)


def six_containers(folder: Path) -> list[Path]:
    """One film in each of six containers, with sound, subtitles, chapters and an attachment."""
    words: Any = [(0, 0.2, "x")]
    font = [("a.ttf", "font/ttf", b"letters")]
    return [
        write_film(folder / "a.mp4", audio="aac", b_frames=2, subtitles=words),
        write_film(folder / "b.mkv", audio="aac", b_frames=2, chapters=words, attachments=font),
        write_film(folder / "c.ts", audio="aac", b_frames=2),
        write_film(folder / "d.avi", codec="mpeg4", audio="pcm_s16le"),
        write_film(folder / "e.webm", audio="opus"),
        write_film(folder / "f.mov", codec="prores_ks", pixel_format="yuv422p10le", audio="aac"),
    ]
