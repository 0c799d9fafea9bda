"""Small pictures, quickly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from c2e_video.planning.pyramid import halved


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("shape", "wanted"),
    [((480, 854), (120, 213)), ((109, 61), (109, 61)), ((1, 1), (1, 1)), ((433, 217), (216, 108))],
)
def test_size_and_means(shape: tuple[int, int], wanted: tuple[int, int], dtype: type) -> None:
    plane: Any = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    small = halved(plane, 108 if min(shape) > 100 else 1 << 10)
    assert small.shape == wanted
    assert small.dtype == dtype
    assert abs(small.mean() - plane.mean()) < 1
