"""Small pictures, quickly."""

from __future__ import annotations

from typing import cast

import cv2

from ..utils.arrays import Plane


def halved(plane: Plane, least: int) -> Plane:
    """``plane`` ``[H, W]`` halved, again and again, while its short side stays at ``least`` or more.

    Halving exactly is twenty times faster than any other reduction; an odd last row or column is left
    out.
    """
    while min(plane.shape) >= 2 * least:
        height, width = (side // 2 for side in plane.shape)
        even = plane[: 2 * height, : 2 * width]
        plane = cast(Plane, cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA))
    return plane
