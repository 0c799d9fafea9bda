"""The values that flow check themselves; batches never reach across a cut."""

from __future__ import annotations

import numpy as np
import pytest

from c2e_video.video.frames import ColorBatch, Frame, FrameBatch, Shot, batched


def frames(*pts: int, size: tuple[int, int] = (4, 6)) -> list[Frame]:
    return [Frame(np.zeros(size, np.uint8), t, 1) for t in pts]


def test_batches_stop_at_cuts() -> None:
    shots = [Shot(0, 0, 5), Shot(1, 5, 6), Shot(2, 6, 20)]
    batches = list(batched(frames(*range(12)), shots, 4))
    assert [(b.shot.index, b.pts) for b in batches] == [
        (0, (0, 1, 2, 3)),
        (0, (4,)),
        (1, (5,)),
        (2, (6, 7, 8, 9)),
        (2, (10, 11)),
    ]


def test_batches_with_holes_in_time_and_a_late_start() -> None:
    shots = [Shot(0, 0, 100), Shot(1, 100, 200), Shot(2, 200, 300)]
    batches = list(batched(frames(150, 260, 299, 400), shots, 8))
    assert [(b.shot.index, b.pts) for b in batches] == [(1, (150,)), (2, (260, 299, 400))]


def test_batches_are_lazy() -> None:
    def endless() -> object:
        pts = 0
        while True:
            yield from frames(pts)
            pts += 1

    first = next(iter(batched(endless(), [Shot(0, 0, 10**9)], 3)))  # type: ignore[arg-type]
    assert first.pts == (0, 1, 2)


def test_nothing_in_nothing_out() -> None:
    assert list(batched([], [Shot(0, 0, 1)], 3)) == []


def test_checks() -> None:
    with pytest.raises(ValueError, match="luma is uint8"):
        Frame(np.zeros((2, 2), np.float32), 0, 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="is empty"):
        Shot(0, 5, 5)
    with pytest.raises(ValueError, match="has a length"):
        Shot(0, 0, 5, "dissolve")
    with pytest.raises(ValueError, match="one size"):
        FrameBatch((*frames(0), *frames(1, size=(2, 2))), Shot(0, 0, 5))
    gray = FrameBatch(tuple(frames(0, 1)), Shot(0, 0, 5))
    plane = np.zeros((1, 2, 3), np.uint8)
    with pytest.raises(ValueError, match="2 frames have 1"):
        ColorBatch(gray, plane, plane)


def test_luma_of_a_batch_is_stacked() -> None:
    assert FrameBatch(tuple(frames(0, 1, 2)), Shot(0, 0, 5)).luma.shape == (3, 4, 6)
