"""Scenes whose colours go with their lightness: what interpolation and the temporal filter are tested on."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

HEIGHT, WIDTH = 96, 128


def scene(seed: int, height: int = HEIGHT, width: int = WIDTH) -> Any:
    """L*, a*, b* ``[3, H, W]`` of a textured picture whose colours go with its lightness."""
    rng = np.random.default_rng(seed)
    planes = [
        cv2.resize(rng.random((k, 2 * k)).astype(np.float32), (width, height)) for k in (12, 24, 48)
    ]
    lightness = 100 * np.mean(planes, axis=0)
    return np.stack((lightness, lightness - 50, 25 - lightness / 2)).astype(np.float32)


def panned(count: int, speed: int, scale: int = 1, seed: int = 1) -> list[Any]:
    """A camera's way over one scene."""
    width = scale * WIDTH
    wide = scene(seed, scale * HEIGHT, width + count * speed)
    return [wide[..., k * speed : k * speed + width] for k in range(count)]


def with_errors(ab: Any, size: float, seed: int) -> Any:
    """Colours with errors in patches, as a wrong match gives them."""
    rng = np.random.default_rng(seed)
    patches = rng.normal(0, 1, (2, 12, 16)).astype(np.float32)
    wrong = [cv2.resize(p, (ab.shape[2], ab.shape[1])) for p in patches]
    return (ab + size * np.stack(wrong)).astype(np.float32)
