"""Make before-after.jpg of the README: frames of the sample film, gray, their keyframe, painted.

make demo && .venv/bin/python docs/make_before_after.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

HERE = Path(__file__).parent
ROOT = HERE.parent
# Of each shot: its keyframe, and a frame of it far from the keyframe's own.
SHOWN = {1: 56, 2: 105, 4: 210}
HEIGHT, GAP = 180, 6


def frames(path: Path) -> list[Any]:
    """All frames of a film, BGR."""
    with av.open(str(path)) as film:
        return [frame.to_ndarray(format="bgr24") for frame in film.decode(video=0)]


def sized(picture: Any) -> Any:
    width = round(picture.shape[1] * HEIGHT / picture.shape[0])
    return cv2.resize(picture, (width, HEIGHT), interpolation=cv2.INTER_AREA)


def beside(pictures: list[Any], axis: int) -> Any:
    """Pictures in a row (axis 1) or a column (axis 0), with white between."""
    shape = list(pictures[0].shape)
    shape[axis] = GAP
    gap = np.full(shape, 255, np.uint8)
    return np.concatenate([p for picture in pictures for p in (gap, picture)][1:], axis=axis)


def main() -> None:
    gray, painted = (frames(ROOT / path) for path in ("samples/film.mp4", "demo/film.color.mp4"))
    rows = []
    for shot, index in SHOWN.items():
        keyframe = cv2.imread(str(ROOT / "samples" / f"keyframe-{shot}.jpg"))
        assert keyframe is not None
        rows.append(beside([sized(p) for p in (gray[index], keyframe, painted[index])], 1))
    cv2.imwrite(str(HERE / "before-after.jpg"), beside(rows, 0), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
