"""Pictures painted from references of other scenes: 24 pairs on one sheet, to be looked at.

    python -m benchmarks.foreign                      # writes docs/foreign.jpg

A row shows a gray picture, then four times a foreign reference and what it made of the picture. The
pictures are the sample film's keyframes and photographs that scikit-image ships (samples/README.md and
docs/results.md name their authors).
"""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.pictures import read_rgb
from c2e_video.inference.colorizer import Colorizer

ROOT = Path(__file__).parents[1]
SHIPPED = ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg")
KEYFRAMES = (1, 3, 4)
ROWS, REFERENCES = 6, 4
HEIGHT, WIDTH, GAP = 150, 200, 4  # of a picture on the sheet, in pixels


def pictures() -> list[Any]:
    """All pictures, RGB uint8 ``[H, W, 3]``."""
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        sys.exit("the pictures are scikit-image's: pip install scikit-image")
    paths = [Path(spec.origin).parent / "data" / name for name in SHIPPED]
    paths[1:1] = [ROOT / "samples" / f"keyframe-{k}.jpg" for k in KEYFRAMES]
    return [read_rgb(path) for path in paths]


def cell(picture: Any) -> Any:
    """The picture's middle, as large as a cell."""
    height, width = picture.shape[:2]
    scale = max(HEIGHT / height, WIDTH / width)
    whole = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top, left = (whole.shape[0] - HEIGHT) // 2, (whole.shape[1] - WIDTH) // 2
    return whole[top : top + HEIGHT, left : left + WIDTH]


def row(colorizer: Colorizer, gray: Any, references: list[Any]) -> Any:
    """``gray`` beside what each reference makes of it."""
    cells = [cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB)]
    for reference in references:
        cells += [reference, colorizer.colorize_image(gray, colorizer.embed(reference))]
    return np.concatenate([np.pad(cell(c), ((0, GAP), (0, GAP), (0, 0))) for c in cells], axis=1)


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--weights", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "foreign.jpg")
    options = parser.parse_args()
    colorizer, fine_cells = Colorizer(options.weights), pictures()
    rows = []
    for index in range(ROWS):
        gray = cv2.cvtColor(fine_cells[index], cv2.COLOR_RGB2GRAY)
        others = [fine_cells[(index + step) % len(fine_cells)] for step in range(1, REFERENCES + 1)]
        rows.append(row(colorizer, gray, others))
    sheet = cv2.cvtColor(np.concatenate(rows), cv2.COLOR_RGB2BGR)
    if not cv2.imwrite(str(options.output), sheet, [cv2.IMWRITE_JPEG_QUALITY, 88]):
        sys.exit(f"{options.output}: cannot be written")


if __name__ == "__main__":
    main()
