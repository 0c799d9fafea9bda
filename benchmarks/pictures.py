"""Pictures from files, for the benchmarks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2


def read_rgb(path: Path) -> Any:
    """The picture in a file, RGB uint8 ``[H, W, 3]``."""
    picture: Any = cv2.imread(str(path))
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
