"""Fixtures that any test may ask for. Anything more particular is made with ``tests.media``."""

from __future__ import annotations

from pathlib import Path

import pytest

from .media import write_film


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A film of two shots, 8 and 6 frames of 64x48 at 25 a second, lossless H.264, with sound."""
    return write_film(tmp_path / "film.mp4", shots=[8, 6], b_frames=2, audio="aac")
