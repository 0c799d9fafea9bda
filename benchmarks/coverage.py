"""How well the confidence of a match tells how much of a frame's colour a reference gives.

    python -m benchmarks.coverage clips/color-*.mp4 [--every 12]

Each clip is compared with its own first frame, and colorized from it. Of every frame measured, the table has
the share of squared colour error that the colorizer takes away, and the confidence that estimates it. Below
stand the rank correlation of the two, and the confidence of pairs of other clips.
"""

from __future__ import annotations

import argparse
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

from c2e_video.evaluate.clips import read_clip
from c2e_video.inference.colorizer import Colorizer
from c2e_video.inference.matching import PictureMatcher
from c2e_video.planning.coverage import COVERED, UNCOVERED, state_of

SIZE = 256
BT601 = (0.299, 0.587, 0.114)


def gray_of(rgb: Any) -> Any:
    """BT.601 luma of RGB uint8 ``[H, W, 3]``."""
    return np.rint(rgb @ np.array(BT601)).astype(np.uint8)


def given_share(truth: Any, colorized: Any) -> float:
    """The share of gray's squared error that colours take away."""
    gray = np.repeat(gray_of(truth)[..., None], 3, axis=2)
    wrong = np.square(colorized.astype(float) - truth).sum()
    return float(1 - wrong / np.square(gray.astype(float) - truth).sum())


def ranks(values: Any) -> Any:
    """The place of each value in their order."""
    return np.argsort(np.argsort(values)).astype(float)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--every", type=int, default=12)
    parser.add_argument("--weights", type=Path)
    wanted = parser.parse_args()
    colorizer = Colorizer(wanted.weights, device="cpu", size=SIZE)
    matcher = PictureMatcher(colorizer)
    rows, first_frames = [], []
    for clip in wanted.clips:
        frames = list(read_clip(clip, SIZE))
        embedding, reference = colorizer.embed(frames[0]), matcher.encode(frames[0])
        first_frames.append((matcher.encode(gray_of(frames[0])), reference))
        for number in range(0, len(frames), wanted.every):
            gray = gray_of(frames[number])
            given = given_share(frames[number], colorizer.colorize_image(gray, embedding))
            confidence = matcher.match(matcher.encode(gray), reference).confidence
            rows.append((given, confidence))
            print(
                f"{clip.stem} {number}: given {given:.2f}, confidence {confidence:.2f}, "
                f"{state_of(confidence)}"
            )
    given_shares, confidences = map(np.array, zip(*rows, strict=True))
    correlation = np.corrcoef(ranks(given_shares), ranks(confidences))[0, 1]
    print(f"rank correlation over {len(rows)} frames: {correlation:.3f}")
    for low, high in ((COVERED, 1.01), (UNCOVERED, COVERED), (0.0, UNCOVERED)):
        inside = given_shares[(confidences >= low) & (confidences < high)]
        if len(inside):
            low_share, median, high_share = np.percentile(inside, (10, 50, 90))
            print(
                f"{state_of(low)}: {len(inside)} frames, given {median:.2f} "
                f"({low_share:.2f} to {high_share:.2f} in 8 of 10)"
            )
    others = [matcher.match(a[0], b[1]).confidence for a, b in permutations(first_frames, 2)]
    if others:
        print(f"pairs of other clips: half below {np.median(others):.2f}, most {max(others):.2f}")


if __name__ == "__main__":
    main()
