"""Listed shots, which may leave holes, become shots that cover the film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ...errors import C2EError
from ...video.frames import Shot, VideoInfo

HOLE_SECONDS = 0.5  # from here on a hole is a shot of its own


@dataclass(frozen=True)
class Listed:
    """A shot of a list: ``start <= pts < stop``, and ``where`` it is written (file and line)."""

    where: str
    start: int
    stop: int
    dissolve: int = 0

    def moved(self, offset: int) -> Listed:
        """The same shot, later by ``offset`` pts."""
        return replace(self, start=self.start + offset, stop=self.stop + offset)


def cover(
    listed: Sequence[Listed], info: VideoInfo, start: int, stop: int | None
) -> tuple[Shot, ...]:
    """Fill the holes between listed shots.

    Args:
        listed: At least one shot.
        info: The film.
        start: The pts of the film's first frame.
        stop: Where the film ends; None for the end of the list.

    Returns:
        Shots without holes from ``start`` to ``stop``. A hole of ``HOLE_SECONDS`` is a shot of its own.

    Raises:
        C2EError: Shots overlap by half a frame or more.
    """
    hole = _hole(info)
    ordered = sorted(listed, key=lambda shot: (shot.start, shot.stop))
    _check(ordered, info)
    ordered = [shot for shot in ordered if shot.stop > start]
    begins: list[tuple[int, int]] = []  # of each shot, with its dissolve
    end = start
    for shot in ordered:
        if shot.start - end >= hole:
            begins.append((end, 0))
        # The first has nothing to come from.
        begins.append((shot.start, shot.dissolve) if begins else (start, 0))
        end = shot.stop
    if stop is not None:
        if stop - end >= hole:
            begins.append((end, 0))
        end = stop
    borders = [*(begin for begin, _ in begins), end]
    return tuple(
        Shot.after(min(dissolve, after - begin), index, begin, after)
        for index, ((begin, dissolve), (_, after)) in enumerate(
            zip(begins, pairwise(borders), strict=True)
        )
    )


def with_the_rest(shots: Sequence[Shot], info: VideoInfo, stop: int) -> tuple[Shot, ...]:
    """Listed shots, and one more for a hole between the last and ``stop``."""
    end = shots[-1].stop
    rest = (Shot(len(shots), end, stop),) if stop - end >= _hole(info) else ()
    return (*shots, *rest)


def _hole(info: VideoInfo) -> int:
    return max(1, round(HOLE_SECONDS / info.time_base))


def _check(ordered: Sequence[Listed], info: VideoInfo) -> None:
    slack = 0.5 / ((info.frame_rate or 25) * info.time_base)
    timecode = info.timecode

    for before, shot in pairwise(ordered):
        if shot.start < before.stop - slack or shot.start <= before.start:
            raise C2EError(
                f"{shot.where}: begins at {timecode(shot.start)}, within the shot before, which ends "
                f"at {timecode(before.stop)}; every shot begins where the one before ends, or later"
            )
