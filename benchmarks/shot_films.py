"""Black-and-white test films whose shots are known: textured, moving, and damaged as old film is.

Everything is drawn from one seed. A film has cuts, dissolves and fades through black; photographers'
flashes and fast pans, which are none of these; and one of three degrees of damage.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from c2e_video.utils.arrays import Floats
from c2e_video.video.frames import Frame, VideoInfo

Gray = npt.NDArray[np.uint8]
Random = np.random.Generator
Damage = Literal["clean", "old", "heavy"]

WIDTH, HEIGHT, RATE = 320, 180, 24
BUNDLED = (
    *("astronaut.png", "camera.png", "coffee.png", "chelsea.png", "rocket.jpg", "coins.png"),
    *("motorcycle_left.png", "brick.png", "grass.png", "gravel.png", "moon.png", "ihc.png"),
    *("hubble_deep_field.jpg", "retina.jpg", "page.png"),
)


@dataclass(frozen=True)
class Transition:
    """Where one shot becomes the next: the frames ``[start, stop)``; for a cut, the new shot's first."""

    kind: Literal["cut", "fade", "dissolve"]
    start: int
    stop: int


@dataclass(frozen=True)
class Film:
    """A test film: what happens in it, and its frames as often as they are asked for."""

    info: VideoInfo
    count: int
    transitions: tuple[Transition, ...]
    flashes: tuple[int, ...]
    frames: Callable[[], Iterator[Frame]]


def film_info(width: int = WIDTH, height: int = HEIGHT) -> VideoInfo:
    """What a decoder would tell of such a film."""
    return VideoInfo(
        path=Path("test-film"),
        width=width,
        height=height,
        pixel_format="gray",
        bit_depth=8,
        matrix="bt601",
        full_range=False,
        transfer=2,
        primaries=2,
        sample_aspect_ratio=Fraction(1),
        rotation=0,
        time_base=Fraction(1, RATE),
        frame_rate=Fraction(RATE),
        frame_count=None,
        duration_seconds=None,
    )


# -- pictures --------------------------------------------------------------------------------------


class Album:
    """Pictures for scenes: photographs of a tar or a folder, those of scikit-image, or drawn ones."""

    def __init__(self, photos: Path | None = None) -> None:
        self._read = _archive(photos) if photos is not None else _bundled()
        self._names = sorted(self._read)
        self._drawn_share = 0.0 if photos is not None else 0.5

    def picture(self, rng: Random) -> Gray:
        """One at random, at least twice a frame's height."""
        if not self._names or rng.random() < self._drawn_share:
            return _drawn(rng)
        encoded = np.frombuffer(self._read[rng.choice(self._names)](), np.uint8)
        gray = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)
        assert gray is not None
        scale = 2 * HEIGHT / min(gray.shape)
        gray = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        return np.asarray(gray[:, :: rng.choice((-1, 1))], np.uint8)


def _archive(photos: Path) -> dict[str, Callable[[], bytes]]:
    if photos.is_dir():
        return {str(path): path.read_bytes for path in photos.rglob("*.*") if path.is_file()}
    tar = tarfile.open(photos)  # noqa: SIM115 - read from as long as the album is used
    members = [member for member in tar.getmembers() if member.isfile()]
    return {m.name: partial(_bytes, tar, m) for m in members}


def _bytes(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = tar.extractfile(member)
    assert stream is not None
    return stream.read()


def _bundled() -> dict[str, Callable[[], bytes]]:
    spec = find_spec("skimage")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    paths = [Path(folder) / "data" / name for folder in folders for name in BUNDLED]
    return {path.name: path.read_bytes for path in paths if path.is_file()}


def _drawn(rng: Random) -> Gray:
    """Clouds of noise behind a few dozen shapes."""
    size = (4 * HEIGHT, 2 * HEIGHT)
    grids = [(rng.random((2 * k, 4 * k), np.float32), k) for k in (2, 5, 13, 40)]
    clouds = sum(cv2.resize(grid, size, interpolation=cv2.INTER_CUBIC) / k for grid, k in grids)
    blank: Any = None
    canvas: Any = cv2.normalize(np.asarray(clouds), blank, 20, 235, cv2.NORM_MINMAX)
    for _ in range(rng.integers(8, 40)):
        at = rng.integers(0, size, 2)
        reach = rng.integers(8, 160, 2)
        shade, turn = float(rng.uniform(10, 245)), float(rng.uniform(0, 180))
        if rng.random() < 0.5:
            cv2.ellipse(canvas, at.tolist(), reach.tolist(), turn, 0, 360, shade, -1)
        else:
            box = cv2.boxPoints((at.tolist(), reach.tolist(), turn))
            cv2.fillConvexPoly(canvas, box.astype(np.int32), shade)
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), 1), np.uint8)


# -- scenes ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scene:
    """A camera over a picture, with things that move in front of it."""

    picture: Gray
    centres: Floats  # [frames, 2], where the camera looks, in samples of the picture
    zooms: Floats  # [frames], samples of the film to one of the picture
    objects: tuple[tuple[Gray, Floats], ...]  # pictures, and their centres [frames, 2] in the film
    table: Floats  # 256 shades: its grading

    def at(self, index: int) -> Floats:
        """Frame ``index``, in steps of 8 bits."""
        index = min(index, len(self.zooms) - 1)
        (x, y), zoom = self.centres[index], self.zooms[index]
        view = np.array([[zoom, 0, WIDTH / 2 - zoom * x], [0, zoom, HEIGHT / 2 - zoom * y]])
        frame: Any = cv2.warpAffine(
            self.picture, view, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT
        )
        speed = abs(self.centres[index][0] - self.centres[max(0, index - 1)][0]) * zoom
        if speed > 6:  # half a turn of the shutter
            frame = cv2.blur(frame, (int(speed / 2) | 1, 1))
        for thing, path in self.objects:
            _lay(frame, thing, path[index])
        seen: Floats = self.table[frame]
        return seen


def _lay(frame: Gray, thing: Gray, at: Floats) -> None:
    """Put an elliptic cut of a picture into the frame."""
    h, w = thing.shape
    left, top = int(at[0]) - w // 2, int(at[1]) - h // 2
    x, y = max(0, left), max(0, top)
    part = frame[y : max(0, top + h), x : max(0, left + w)]
    if part.size:
        mask = _ellipse(w, h)[y - top :, x - left :][: part.shape[0], : part.shape[1]]
        own = thing[y - top :, x - left :][: part.shape[0], : part.shape[1]]
        np.copyto(part, own, where=mask)


def _ellipse(width: int, height: int) -> npt.NDArray[np.bool_]:
    y, x = np.ogrid[:height, :width]
    inside = (2 * x / width - 1) ** 2 + (2 * y / height - 1) ** 2 < 1
    return np.asarray(inside, np.bool_)


def make_scene(rng: Random, album: Album, frames: int, before: Scene | None) -> Scene:
    """A scene as long as its shot. Sometimes it is another framing of the picture ``before``."""
    again = before is not None and rng.random() < 0.15
    picture = before.picture if again and before is not None else album.picture(rng)
    h, w = picture.shape
    zoom = float(rng.uniform(0.9, 1.8) if again else rng.uniform(0.5, 1.2))
    t = np.linspace(0, 1, frames, dtype=np.float32)
    start = rng.uniform((0.25 * w, 0.25 * h), (0.75 * w, 0.75 * h))
    if again and before is not None:  # a close-up lies elsewhere, or is much closer
        zoom = max(zoom, 1.5 * float(before.zooms[-1]))
    move = rng.normal(0, 1, 2) * rng.choice((0.0, 0.4, 1.2)) * frames / zoom
    ease = t * t * (3 - 2 * t)
    if frames > 40 and rng.random() < 0.15:  # a fast pan
        move = np.array((rng.choice((-1, 1)) * rng.uniform(1.0, 2.5) * WIDTH / zoom, 0.0))
        ease = 1 / (1 + np.exp(-(t - rng.uniform(0.3, 0.7)) * frames / rng.uniform(1.5, 4)))
    shake = cv2.GaussianBlur(rng.normal(0, 1, (frames, 2)), (1, 9), 2) * rng.choice((0, 0, 2))
    centres = start + ease[:, None] * move + shake / zoom
    zooms = zoom * np.exp(rng.choice((0, 0, 0.3)) * rng.normal() * t)
    objects = [_thing(rng, album.picture(rng), t) for _ in range(rng.integers(0, 4))]
    shades = np.linspace(0, 1, 256) ** rng.uniform(0.7, 1.4)
    low, high = rng.uniform(16, 50), rng.uniform(150, 235)
    return Scene(
        picture,
        centres.astype(np.float32),
        zooms.astype(np.float32),
        tuple(objects),
        (low + (high - low) * shades).astype(np.float32),
    )


def _thing(rng: Random, picture: Gray, t: Floats) -> tuple[Gray, Floats]:
    w, h = (int(n) for n in rng.integers(20, 110, 2))
    sprite = cv2.resize(picture, (w, h), interpolation=cv2.INTER_AREA)
    start = rng.uniform((0, 0), (WIDTH, HEIGHT))
    end = start + rng.normal(0, 1, 2) * 1.2 * len(t)
    sway = rng.uniform(0, 15, 2) * np.sin(rng.uniform(3, 20) * t + rng.uniform(0, 6))[:, None]
    return np.asarray(sprite, np.uint8), (start + t[:, None] * (end - start) + sway).astype(
        np.float32
    )


# -- damage ----------------------------------------------------------------------------------------


class Ageing:
    """What time does to a film, frame by frame."""

    def __init__(self, rng: Random, damage: Damage) -> None:
        self._rng = rng
        self._heavy = damage == "heavy"
        self._phase = rng.uniform(0, 6)
        self._scratches: list[list[float]] = []  # where, how bright, frames to live
        self._missing = 0  # frames that go on being blank or torn
        self._last_kind = 0

    def __call__(self, frame: Floats, index: int) -> Floats:
        frame = self._light(self._shaken(frame), index)
        self._spots(frame)
        self._lines(frame)
        frame += self._grain()
        return self._torn(frame) if self._heavy else frame

    def _shaken(self, frame: Floats) -> Floats:
        """Gate weave."""
        dx, dy = self._rng.normal(0, 1.2 if self._heavy else 0.5, 2)
        view = np.array([[1, 0, dx], [0, 1, dy]])
        return np.asarray(
            cv2.warpAffine(frame, view, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
        )

    def _light(self, frame: Floats, index: int) -> Floats:
        """Flicker; with heavy damage uneven over the picture, and pumping."""
        gain = float(np.exp(self._rng.normal(0, 0.15 if self._heavy else 0.06)))
        if not self._heavy:
            return frame * gain
        gain *= 1 + 0.25 * np.sin(index / RATE * 3 + self._phase)
        slope = np.linspace(-1, 1, WIDTH, dtype=np.float32) * self._rng.normal(0, 0.1)
        return np.asarray(frame * (gain * (1 + slope)), np.float32)

    def _spots(self, frame: Floats) -> None:
        """Dust; with heavy damage blotches too."""
        rng = self._rng
        for _ in range(rng.poisson(6 if self._heavy else 2)):
            self._spot(frame, rng.integers(1, 4, 2))
        for _ in range(rng.poisson(2) if self._heavy else 0):
            self._spot(frame, rng.integers(5, 30, 2))

    def _spot(self, frame: Floats, reach: npt.NDArray[np.int64]) -> None:
        at = self._rng.integers(0, (WIDTH, HEIGHT)).tolist()
        cv2.ellipse(frame, at, reach.tolist(), 0, 0, 360, float(self._rng.choice((20, 230))), -1)

    def _lines(self, frame: Floats) -> None:
        """Scratches that stay for a while and wander."""
        rng = self._rng
        if rng.random() < (0.3 if self._heavy else 0.06):
            self._scratches.append(
                [rng.uniform(0, WIDTH), float(rng.choice((30, 220))), float(rng.integers(4, 40))]
            )
        for scratch in self._scratches:
            scratch[0] += rng.normal(0, 0.7)
            scratch[2] -= 1
            x = int(np.clip(scratch[0], 0, WIDTH - 2))
            frame[:, x : x + 1 + int(self._heavy)] = scratch[1]
        self._scratches = [scratch for scratch in self._scratches if scratch[2] > 0]

    def _grain(self) -> Floats:
        rough = self._rng.standard_normal((HEIGHT, WIDTH), np.float32)
        return cv2.blur(rough, (2, 2)) * np.float32(26 if self._heavy else 12)

    def _torn(self, frame: Floats) -> Floats:
        """Now and then one or two frames are blank, rolled or half gone."""
        rng = self._rng
        if self._missing == 0 and rng.random() < 1 / 120:
            self._missing, self._last_kind = int(rng.integers(1, 3)), int(rng.integers(0, 4))
        if self._missing == 0:
            return frame
        self._missing -= 1
        if self._last_kind == 0:
            return np.full_like(frame, rng.choice((16, 235)))
        if self._last_kind == 1:
            return np.roll(frame, rng.integers(30, 150), axis=0)
        edge = int(rng.integers(40, 140))
        torn = frame.copy()
        torn[edge:] = torn[edge:, ::-1] if self._last_kind == 2 else 235
        return torn


# -- films -----------------------------------------------------------------------------------------


def make_film(
    seed: int, damage: Damage, album: Album, *, cuts: int = 40, fades: int = 10, dissolves: int = 10
) -> Film:
    """A film of so many transitions in random order, at 24 frames a second, 320x180."""
    rng = np.random.default_rng(seed)
    kinds = rng.permutation(["cut"] * cuts + ["fade"] * fades + ["dissolve"] * dissolves)
    lengths = [int(n) for n in np.exp(rng.uniform(np.log(14), np.log(160), len(kinds) + 1))]
    transitions, begin, end = _timeline(rng, kinds.tolist(), lengths)
    flashes = _flashes(rng, transitions)

    def frames() -> Iterator[Frame]:
        drawing, ageing = np.random.default_rng((seed, 1)), np.random.default_rng((seed, 2))
        age = Ageing(ageing, damage)
        pictures = _pictures(drawing, album, begin, end, transitions, damage != "clean")
        for index, picture in enumerate(pictures):
            if index in flashes:
                picture = np.minimum(picture * 2.2 + 60, 245)
            picture = picture if damage == "clean" else age(picture, index)
            yield Frame(np.clip(np.rint(picture), 0, 255).astype(np.uint8), index, 1)

    return Film(film_info(), end[-1], transitions, flashes, frames)


def _timeline(
    rng: Random, kinds: Sequence[str], lengths: Sequence[int]
) -> tuple[tuple[Transition, ...], list[int], list[int]]:
    """The transitions, and the first frame and the end of every shot, the mixed frames in both."""
    transitions, begin, end, at = [], [0], [], lengths[0]
    for kind, length in zip(kinds, lengths[1:], strict=True):
        if kind == "cut":
            transitions.append(Transition("cut", at, at + 1))
            begin.append(at)
            end.append(at)
            at += length
            continue
        span = int(rng.integers(8, 49) if kind == "dissolve" else rng.integers(16, 60))
        transitions.append(Transition("fade" if kind == "fade" else "dissolve", at, at + span))
        begin.append(at)
        end.append(at + span)
        at += span + length
    return tuple(transitions), begin, [*end, at]


def _flashes(rng: Random, transitions: Sequence[Transition]) -> tuple[int, ...]:
    """Frames that a photographer's flash lights, in every third shot or so."""
    lit: list[int] = []
    for before, after in pairwise(transitions):
        if after.start - before.stop > 24 and rng.random() < 0.35:
            at = int(rng.integers(before.stop + 8, after.start - 8))
            lit += range(at, at + int(rng.integers(1, 4)))
    return tuple(lit)


def _pictures(
    rng: Random,
    album: Album,
    begin: Sequence[int],
    end: Sequence[int],
    transitions: Sequence[Transition],
    eased: bool,
) -> Iterator[Floats]:
    scene = make_scene(rng, album, end[0], None)
    for shot, transition in enumerate((*transitions, None)):
        solo = end[shot] if transition is None else transition.start
        first = begin[shot] if shot == 0 else transitions[shot - 1].stop
        if shot and transitions[shot - 1].kind == "cut":
            first -= 1
        for index in range(first, solo):
            yield scene.at(index - begin[shot])
        if transition is None:
            return
        following = make_scene(rng, album, end[shot + 1] - begin[shot + 1], scene)
        if transition.kind != "cut":
            for index in range(transition.start, transition.stop):
                yield _mixed(scene, following, index, begin[shot], transition, eased)
        scene = following


def _mixed(
    scene: Scene, following: Scene, index: int, begin: int, transition: Transition, eased: bool
) -> Floats:
    span = transition.stop - transition.start
    share = (index - transition.start + 1) / (span + 1)
    old, new = scene.at(index - begin), following.at(index - transition.start)
    if transition.kind == "dissolve":
        share = share * share * (3 - 2 * share) if eased and span % 2 else share
        return np.asarray((1 - share) * old + share * new, np.float32)
    level = max(0.0, 1 - 2.4 * share, 2.4 * share - 1.4)
    return np.asarray(16 + level * ((old if share < 0.5 else new) - 16), np.float32)
