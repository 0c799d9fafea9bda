"""Pictures that may become references: of files, of folders of thousands, and of colour films.

Of each only a small gray picture and a descriptor are held. The picture itself is read when a shot
compares itself with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import BadReference
from ..inference.matching import PictureMatcher
from ..references.given import GivenReferences
from ..references.image import Reference
from ..references.named_reference import frame_name, load_named
from ..utils.arrays import Floats, Plane
from ..utils.prefetch import prefetch
from ..utils.progress import Progress
from ..video.decode.decoder import decode, probe
from .coverage import FilmMatcher
from .keyframes import gray_of
from .picture_index import IndexedPicture, PictureIndex
from .pyramid import halved
from .samples import FrameSample, Sampler

COMPARED_FULLY = 12  # candidates of a shot that are compared cell by cell
COMPARED_SAMPLES = 3  # of a shot
NAMED = 40  # candidates; of more, those that are not used are not named
ANALYSIS_HEIGHT = 108
MAX_FILM_FRAMES = 4000  # of one colour film
_NO_DESCRIPTOR = np.zeros(0, np.float32)

Note = Callable[[str], object]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A picture that may become a reference.

    Args:
        path: Its name: a file, or a film's frame.
        gray: A small gray picture of it.
        descriptor: By which it is searched; empty where the network cannot compare.
        loaded: The picture, where it is held in memory all the time.
    """

    path: Path
    gray: Plane
    descriptor: Floats
    loaded: Reference | None = None

    @property
    def key(self) -> object:
        """What tells its features from those of all others."""
        return self.loaded.digest if self.loaded is not None else self.path

    def load(self) -> Reference:
        """Read the picture. Raises BadReference where that is not possible any more."""
        return self.loaded if self.loaded is not None else load_named(self.path)


@dataclass(frozen=True, eq=False)
class ScoredCandidate:
    """A candidate for a shot. ``score`` is the mean confidence over some of the shot's frames."""

    candidate: Candidate
    score: float


class CandidatePool:
    """All candidates, searched by descriptor and then cell by cell."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = tuple(candidates)
        self._descriptors = np.stack([c.descriptor for c in candidates]) if candidates else None

    def __len__(self) -> int:
        return len(self.candidates)

    @property
    def is_small(self) -> bool:
        """Whether the user gave each of them by name: a note then names those that are not used."""
        return len(self.candidates) <= NAMED

    @property
    def grays(self) -> list[Plane]:
        """The small gray pictures of all."""
        return [candidate.gray for candidate in self.candidates]

    def ranked(
        self, samples: Sequence[FrameSample], film_matcher: FilmMatcher
    ) -> list[ScoredCandidate]:
        """The candidates for a shot, best first: the nearest by descriptor, compared cell by cell.

        Args:
            samples: The shot.
            film_matcher: Compares pictures.

        Returns:
            At most ``COMPARED_FULLY`` candidates; all if there are no more.
        """
        some = spread(samples, COMPARED_SAMPLES)
        nearest = self._nearest(some, film_matcher)
        matches = film_matcher.match_all((s, c.key, c.load) for c in nearest for s in some)
        confidences = iter([match.confidence for match in matches])
        scored = [
            ScoredCandidate(c, sum(islice(confidences, len(some))) / len(some)) for c in nearest
        ]
        return sorted(scored, key=lambda one: -one.score)

    def _nearest(
        self, samples: Sequence[FrameSample], film_matcher: FilmMatcher
    ) -> Sequence[Candidate]:
        if len(self.candidates) <= COMPARED_FULLY or not film_matcher.matcher.can_compare:
            return self.candidates
        assert self._descriptors is not None
        wanted = np.stack([film_matcher.features(sample).descriptor for sample in samples])
        nearness = (self._descriptors @ wanted.T).max(1)
        best = np.argsort(-nearness, kind="stable")[:COMPARED_FULLY]
        return [self.candidates[i] for i in best]


def spread(samples: Sequence[FrameSample], most: int) -> list[FrameSample]:
    """At most so many samples, evenly over all."""
    count = min(most, len(samples))
    return [samples[(2 * i + 1) * len(samples) // (2 * count)] for i in range(count)]


def collect_candidates(
    given: GivenReferences, matcher: PictureMatcher, progress: Progress, note: Note
) -> CandidatePool:
    """Make candidates of all pictures that a user gave.

    Args:
        given: What was given.
        matcher: Makes descriptors.
        progress: Is told of the pictures of folders, and of the frames of films.
        note: Is told of pictures that cannot be used.

    Raises:
        BadReference: A folder has no picture that can be used, or a film has no colours.
    """
    found = [_of_reference(reference, matcher) for reference in given.pictures]
    for folder, files in given.folders:
        found += _of_folder(folder, files, matcher, progress, note)
    for film in given.films:
        found += _of_film(film, matcher, progress)
    return CandidatePool(found)


def _of_reference(reference: Reference, matcher: PictureMatcher) -> Candidate:
    descriptor = _NO_DESCRIPTOR
    if matcher.can_compare:
        features = matcher.encode_once(reference.digest, lambda: reference.image)
        descriptor = features.descriptor
    return Candidate(reference.path, gray_of(reference.image), descriptor, reference)


def _of_folder(
    folder: Path, files: Sequence[Path], matcher: PictureMatcher, progress: Progress, note: Note
) -> list[Candidate]:
    """The pictures of a folder; those that cannot be used are left out, and named."""
    progress.stage("reading pictures", len(files), "picture")
    found: list[Candidate] = []
    bad: list[str] = []
    with PictureIndex(folder, matcher, len(files)) as index:
        for file in files:
            try:
                known: IndexedPicture = index.picture(file)
                found.append(Candidate(file, known.gray, known.descriptor, known.reference))
            except BadReference as error:
                bad.append(str(error))
            progress.advance(1)
    if not found:
        raise BadReference(bad[0] if bad else f"the folder {str(folder)!r} holds no picture")
    if bad:
        more = f"; and {len(bad) - 1} more" if len(bad) > 1 else ""
        note(f"of {str(folder)!r}, {len(bad)} of {len(files)} pictures left out: {bad[0]}{more}")
    return found


def _of_film(film: Path, matcher: PictureMatcher, progress: Progress) -> list[Candidate]:
    """Frames of a colour film: both sides of its cuts, and some between."""
    info = probe(film)
    progress.stage(f"reading {film.name}", info.frame_count)
    sampler = Sampler(info)
    for frame in prefetch(decode(film, info), depth=32):
        sampler.update(frame, halved(frame.luma, ANALYSIS_HEIGHT))
        progress.advance(1)
    samples = sampler.compute()
    step = -(-len(samples) // MAX_FILM_FRAMES) or 1
    names = [frame_name(film, Fraction(s.pts) * info.time_base) for s in samples]
    if not names:
        raise BadReference(f"the film {str(film)!r} shows nothing; give one in colour")
    try:
        load_named(names[len(names) // 2])
    except BadReference:
        raise BadReference(
            f"the film {str(film)!r} has no colours, or cannot be sought; give one in colour"
        ) from None
    return [
        _of_frame(name, sample.picture(), matcher)
        for name, sample in list(zip(names, samples, strict=True))[::step]
    ]


def _of_frame(name: Path, gray: npt.NDArray[np.uint8], matcher: PictureMatcher) -> Candidate:
    descriptor = matcher.encode(gray).descriptor if matcher.can_compare else _NO_DESCRIPTOR
    return Candidate(name, halved(gray, ANALYSIS_HEIGHT), descriptor)
