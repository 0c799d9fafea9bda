"""References of other scenes, measured and shown.

    python benchmarks/semantic.py --pairs pairs/faces.csv --photos photos/ --weights FILE --sheet sheet.png

Faces: CSV with the columns photo, x, y, w, h (a face's box, as shares of the photograph's middle square).
Each of 60 portraits is made gray and painted from another person's. Reported are the mean distance in ab
between the painted face's mean and the reference's face, and the palette similarity (histogram intersection
in ab) of the painted picture and the reference. ``gray`` and ``mean ab`` are the floors: nothing painted, and
the reference's mean ab over everything.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from c2e_video.evaluate.baselines import GrayBaseline, MeanColorBaseline
from c2e_video.evaluate.metrics import lab_of, to_gray
from c2e_video.evaluate.palette import palette_of, palette_similarity
from c2e_video.inference.colorizer import Colorizer

SIZE, PAIRS, SHOWN = 256, 60, 12


def middle_square(path: Path) -> Any:
    """The middle square of a picture, RGB uint8 ``[SIZE, SIZE, 3]``."""
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        sys.exit(f"{path}: cannot be read as a picture; give the folder the CSV's names begin in")
    height, width = bgr.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = cv2.resize(
        bgr[top : top + side, left : left + side], (SIZE, SIZE), interpolation=cv2.INTER_AREA
    )
    return cv2.cvtColor(square, cv2.COLOR_BGR2RGB)


def face_ab(picture: Any, box: tuple[float, ...]) -> Any:
    """Mean a*, b* inside a face's ellipse."""
    x, y, w, h = (value * SIZE for value in box)
    rows, columns = np.mgrid[:SIZE, :SIZE] + 0.5
    # The inner part of the box: hair and background stay outside.
    inside = ((columns - x - w / 2) / (0.35 * w)) ** 2 + ((rows - y - h / 2) / (0.4 * h)) ** 2 < 1
    return lab_of(picture)[inside, 1:].mean(0, dtype=np.float64)


def read_faces(path: Path) -> list[tuple[str, tuple[float, ...]]]:
    with open(path, newline="", encoding="utf-8") as file:
        return [
            (row["photo"], tuple(float(row[k]) for k in ("x", "y", "w", "h")))
            for row in csv.DictReader(file)
        ]


def measure(colorizer: Any, pairs: list[Any]) -> tuple[float, float, list[Any]]:
    """Mean face distance, mean palette similarity, and the painted pictures."""
    distances, similarities, painted = [], [], []
    for (target, box), (reference, other_box) in pairs:
        picture = colorizer.colorize_image(to_gray(target), colorizer.embed(reference))
        painted.append(picture)
        distances.append(np.linalg.norm(face_ab(picture, box) - face_ab(reference, other_box)))
        similarities.append(palette_similarity(palette_of(picture), palette_of(reference)))
    return float(np.mean(distances)), float(np.mean(similarities)), painted


def main() -> None:
    """Print the table and write the sheet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--weights", type=Path, nargs="*", default=[None])
    parser.add_argument("--count", type=int, default=PAIRS)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    faces = [(middle_square(options.photos / name), box) for name, box in read_faces(options.pairs)]
    random.Random(0).shuffle(faces)
    count = min(options.count, len(faces))
    pairs = [(faces[k], faces[(k + count) % len(faces)]) for k in range(count)]
    rows: dict[str, Any] = {"gray": GrayBaseline(), "mean ab": MeanColorBaseline()}
    for path in options.weights:
        rows[path.stem if path else "shipped"] = Colorizer(path)
    columns = []
    print(f"{'':24} {'face distance':>14} {'palette similarity':>19}")
    for name, colorizer in rows.items():
        distance, similarity, painted = measure(colorizer, pairs)
        columns.append(painted)
        print(f"{name:24} {distance:14.2f} {similarity:19.3f}", flush=True)
    if options.sheet:
        lines = [
            np.concatenate(
                [reference, *(column[k] for column in (columns[0], *columns[2:])), target],
                1,
            )
            for k, ((target, _), (reference, _)) in enumerate(pairs[:SHOWN])
        ]
        halves = [np.concatenate(lines[k::2], 0) for k in (0, 1)]
        sheet = cv2.cvtColor(np.concatenate(halves, 1), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(options.sheet), sheet)


if __name__ == "__main__":
    main()
