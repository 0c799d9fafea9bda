"""The same pictures give the same film, in every run and on every machine."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from c2e_video.video.encode import Encoder, EncodeSettings
from c2e_video.video.frames import ColorBatch, Frame, FrameBatch, Shot
from tests.factories import video_info


def test_h264_is_the_same_in_every_run(tmp_path: Path) -> None:
    """Long enough for x264 to look ahead, in a size that is no multiple of its blocks; memory is reused."""
    info, rng = video_info(480, 270), np.random.default_rng(0)
    base = rng.integers(40, 200, (300, 600)).astype(np.uint8)
    frames = tuple(Frame(base[i // 2 :][:270, i : i + 480].copy(), i, 1) for i in range(48))
    cb, cr = (rng.integers(100, 150, (48, 135, 240)).astype(np.uint8) for _ in range(2))
    batch = ColorBatch(FrameBatch(frames, Shot(0, 0, 48)), cb, cr)
    digests = set()
    for number in range(4):
        path = tmp_path / f"{number}.mp4"
        with Encoder(path, info, EncodeSettings("h264")) as encoder:
            encoder.write(batch)
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1
