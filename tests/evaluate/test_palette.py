"""The palette similarity."""

from __future__ import annotations

import numpy as np
import pytest

from c2e_video.evaluate.palette import palette_of, palette_similarity


def test_the_same_colors_anywhere_are_alike_and_others_are_not() -> None:
    red, blue = np.array([200, 40, 40], np.uint8), np.array([40, 60, 200], np.uint8)
    halves = np.concatenate([np.tile(red, (8, 8, 1)), np.tile(blue, (8, 8, 1))])
    turned = halves[::-1].copy()
    palettes = [palette_of(p) for p in (halves, turned, np.tile(red, (4, 4, 1)))]
    assert palette_similarity(palettes[0], palettes[1]) == pytest.approx(1)
    assert palette_similarity(palettes[0], palettes[2]) == pytest.approx(0.5)
    assert palette_similarity(palettes[2], palette_of(np.tile(blue, (4, 4, 1)))) == 0
