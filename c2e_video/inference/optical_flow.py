"""What has moved from one gray picture to another, by dense inverse search (Kroeger et al., ECCV 2016)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
# cv2.remap's second map, where the first holds x and y. An empty array, as its stubs want it, reads memory
# that is not its own for planes of 1 or 3 channels.
NO_MAP: Any = None


def flow_between(own: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8], preset: int) -> Floats:
    """Where every place of ``own`` is in ``other``: across and down, ``[H, W, 2]`` in samples.

    ``preset`` is one of OpenCV's, ``cv2.DISOPTICAL_FLOW_PRESET_…``. It writes beyond its memory where the
    short side has less than 16 samples (MEDIUM) or 32 (FAST).
    """
    # Any: OpenCV's stubs do not know that the flow to start from may be None.
    search: Any = cv2.DISOpticalFlow.create(preset)
    return np.asarray(search.calc(own, other, None))


def forward_backward_error(there: Floats, back: Floats) -> tuple[Floats, Floats, Floats]:
    """How far a pixel ends from itself when it follows the flow to another frame and back.

    Args:
        there: Flow to the other frame, float32 ``[H, W, 2]`` (x, y) in pixels.
        back: Flow from the other frame, likewise.

    Returns:
        The pixels' positions (x, y) in the other frame and the flow back from there, ``[H, W, 2]`` each,
        and the squared forward-backward error ``[H, W]`` in pixels squared.
    """
    height, width = there.shape[:2]
    here = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)
    places = (here + there).astype(np.float32)
    returned: Any = cv2.remap(back, places, NO_MAP, cv2.INTER_LINEAR)
    return places, returned, ((there + returned) ** 2).sum(-1)
