"""References where none are given: of each shot one still, colored by what such things usually look like.

The still serves its shot as a keyframe does, so that all frames of a shot have the same colors. It may be
written out, corrected by hand, and given back.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ..errors import C2EError
from ..inference.colorizer import Colorizer
from ..inference.matching import PictureMatcher
from ..references.image import KEPT_SIDE, Reference
from ..references.reference_map import ReferenceMap
from ..utils.files import check_folder
from ..utils.progress import Progress
from ..video.decode.decoder import frames_at
from .coverage import FilmMatcher
from .plan import Plan
from .samples import FrameSample, upright

NOTE = (
    "no reference was given: all colors are guesses, what such things usually look like; "
    "`c2e-video plan FILM --propose DIR` writes them as pictures to correct and give back"
)


def guess_references(plan: Plan, colorizer: Colorizer, progress: Progress) -> ReferenceMap:
    """A map whose references are stills of the film, colored by the network's color prior.

    Args:
        plan: The film; its shots and samples are used.
        colorizer: A network with a color prior (``Colorizer.has_prior``).
        progress: Is told of the shots.

    Returns:
        One reference for each shot, at the time of its still; none for a shot that shows nothing.
    """
    matcher = FilmMatcher(PictureMatcher(colorizer))
    shown = [[sample for sample in own if not sample.is_blank] for own in plan.samples]
    stills = [_most_typical(own, matcher).pts if own else None for own in shown]
    wanted = [pts for pts in stills if pts is not None]
    progress.stage("guessing colors", len(wanted), "shot")
    found: dict[int, Reference] = {}
    for frame in frames_at(plan.source, plan.info, wanted):
        height = min(KEPT_SIDE, frame.luma.shape[0])
        image = colorizer.guess(upright(frame.luma, plan.info, height))
        number = stills.index(frame.pts)
        found[frame.pts] = Reference(
            image, Path(_name(plan, number, frame.pts)), frame.pts, in_memory=True
        )
        progress.advance(1)
    rows = tuple((found[pts],) if pts is not None else () for pts in stills)
    return ReferenceMap(plan.shots, rows)


def write_guesses(reference_map: ReferenceMap, folder: Path, progress: Progress) -> ReferenceMap:
    """Write guessed references as PNG.

    Args:
        reference_map: As :func:`guess_references` makes it.
        folder: It is made where it is missing. A picture of the name that is there already is left as it
            is: it may be corrected by now.
        progress: Is told of the pictures that are left as they are.

    Returns:
        The map with the pictures' paths.

    Raises:
        C2EError: A picture cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise C2EError(f"cannot write to {str(folder)!r}: {error.strerror}") from None
    check_folder(folder / "shot.png")
    return ReferenceMap(
        reference_map.shots,
        tuple(
            tuple(_written(reference, folder, progress) for reference in row)
            for row in reference_map.references
        ),
    )


def _written(reference: Reference, folder: Path, progress: Progress) -> Reference:
    path = folder / reference.path.name
    bgr = cv2.cvtColor(reference.image, cv2.COLOR_RGB2BGR)
    try:
        with open(path, "xb") as file:
            file.write(cv2.imencode(".png", bgr)[1].tobytes())
    except FileExistsError:
        progress.note(f"{path.name} is there already and was left as it is")
    except OSError as error:
        raise C2EError(f"cannot write {str(path)!r}: {error.strerror}") from None
    return Reference(reference.image, path, reference.at)


def _name(plan: Plan, number: int, pts: int) -> str:
    return f"shot-{number + 1:04d}_{plan.info.timecode(pts).replace(':', '-')}.png"


def _most_typical(samples: Sequence[FrameSample], matcher: FilmMatcher) -> FrameSample:
    """The sample that is most like all samples of its shot together."""
    if len(samples) < 3 or not matcher.matcher.can_compare:
        return samples[len(samples) // 2]
    descriptors = np.stack([matcher.features(sample).descriptor for sample in samples])
    return samples[int((descriptors @ descriptors.sum(0)).argmax())]
