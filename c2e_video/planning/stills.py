"""Stills: frames of the film in full size, to be painted and given back as references."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2

from ..errors import C2EError
from ..utils.files import check_folder
from ..utils.progress import Progress
from ..video.decode.decoder import frames_at
from .plan import Plan
from .proposals import Proposal
from .samples import upright


def write_stills(
    plan: Plan, proposals: Sequence[Proposal], folder: Path, progress: Progress
) -> int:
    """Write frames worth painting as gray PNG, upright, with square pixels, in full size.

    The name holds the shot's number and the frame's time. A picture of that name is left as it is: it
    may be painted by now. The frames are sought, the film is not read again.

    Args:
        plan: The film.
        proposals: The frames.
        folder: Where they are written; it is made where it is missing.
        progress: Is told of the frames, and of the pictures that are left as they are.

    Returns:
        How many pictures stand for the proposals.

    Raises:
        C2EError: A picture cannot be written.
    """
    make_folder(folder)
    progress.stage("writing stills", len(proposals))
    shots = {proposal.pts: proposal.shot for proposal in proposals}
    for frame in frames_at(plan.source, plan.info, sorted(shots)):
        time = plan.info.timecode(frame.pts).replace(":", "-")
        path = folder / f"shot-{shots[frame.pts] + 1:04d}_{time}.png"
        content = cv2.imencode(".png", upright(frame.luma, plan.info, frame.luma.shape[0]))[1]
        try:
            with open(path, "xb") as file:  # never over one that was painted
                file.write(content.tobytes())
        except FileExistsError:
            progress.note(f"{path.name} is there already and was left as it is")
        except OSError as error:
            raise C2EError(f"cannot write {str(path)!r}: {error.strerror}") from None
        progress.advance(1)
    return len(shots)


def make_folder(folder: Path) -> None:
    """Make the folder of stills. Raises :class:`C2EError` where it, or a file in it, cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise C2EError(f"cannot write stills to {str(folder)!r}: {error.strerror}") from None
    check_folder(folder / "shot.png")
