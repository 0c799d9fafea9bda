"""Frames that are sent arrive bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from c2e_video.cluster.sent_frames import pack_frames, unpack_frames
from c2e_video.video.frames import Frame


@pytest.mark.parametrize(
    ("dtype", "high"), [(np.uint8, 255), (np.uint16, 1023), (np.uint16, 65535)]
)
@pytest.mark.parametrize("shape", [(48, 64), (47, 65), (1, 3)])
def test_frames_arrive_as_they_were(dtype: type, high: int, shape: tuple[int, int]) -> None:
    planes: Any = np.random.default_rng(0).integers(0, high, (3, *shape), dtype, endpoint=True)
    frames = [Frame(plane, pts, 7) for plane, pts in zip(planes, (-5, 0, 12), strict=True)]
    for sent, frame in zip(unpack_frames(pack_frames(frames)), frames, strict=True):
        assert (sent.pts, sent.duration) == (frame.pts, frame.duration)
        assert sent.luma.dtype == frame.luma.dtype
        np.testing.assert_array_equal(sent.luma, frame.luma)


def test_a_plane_within_a_larger_one_is_sent() -> None:
    plane = np.arange(48, dtype=np.uint8).reshape(6, 8)[:, 1:6]
    (sent,) = unpack_frames(pack_frames([Frame(plane, 0, 1)]))
    np.testing.assert_array_equal(sent.luma, plane)
