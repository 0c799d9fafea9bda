"""Times of another clock: a list or a table whose zero is not the film's zero is fitted, or refused.

Editing programs count from a start timecode, other programs from the first frame, and a film that is copied
into another container may get another clock. Offsets are tried in turn; the first with which the list lies
in the film is taken and named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..errors import C2EError
from ..references.image import Reference
from ..references.reference_map import ReferenceMap
from ..references.reference_table import ReferenceTable
from ..utils.timecode import timecode_frames
from ..video.frames import Shot, VideoInfo

SLACK_SECONDS = 0.5  # by which a list may reach over the film's ends
EXACT_SECONDS = 0.1  # between the ends of a list and of the film that it covers


@dataclass(frozen=True)
class Span:
    """The frames of a film: ``start`` is the first one's pts, ``stop`` where they end, None if unknown."""

    start: int
    stop: int | None


@dataclass(frozen=True)
class ListClock:
    """The clock of a list.

    Args:
        name: What the list is called in messages, with the line where it is known.
        zero: The pts of the film that the list's zero stands for, if their clocks agree.
        hour: How long one hour of the list is, in pts: timecode at 23.976 counts 24 frames to its second.
        is_timecode: Whether the list counts as editing programs do: from the film's start timecode, or from
            a whole hour, rather than from zero.
    """

    name: str
    zero: int
    hour: int
    is_timecode: bool = False


@dataclass(frozen=True)
class ClockFit:
    """What to add to a list's times, in pts, and why, in words; there are none for 0."""

    offset: int
    reason: str = ""


def fit_clock(
    clock: ListClock, spans: Sequence[tuple[int, int]], info: VideoInfo, film: Span
) -> ClockFit:
    """Find the offset with which a list lies in the film.

    Args:
        clock: The list's clock.
        spans: Start and stop of each of its shots in pts, in order, as if the clocks agreed.
        info: The film.
        film: Where the film begins and ends.

    Returns:
        The offset; 0 where the times are right as they are.

    Raises:
        C2EError: The list is not in the film with any offset; the message has both ranges.
    """
    (first, _), (last, stop) = spans[0], spans[-1]
    slack = round(SLACK_SECONDS / info.time_base)
    fits = list(_candidates(clock, first, stop, info, film))
    for fit in fits:  # both ends are those of the film
        ends = (first + fit.offset - film.start, stop + fit.offset - (film.stop or 0))
        if film.stop is not None and max(map(abs, ends)) <= round(EXACT_SECONDS / info.time_base):
            return fit
    for fit in fits:  # the whole of it in the film
        if first + fit.offset >= film.start - slack and (
            film.stop is None or stop + fit.offset <= film.stop + slack
        ):
            return fit
    for fit in fits:  # or all of its shots begin there
        begins = film.stop is None or last + fit.offset < film.stop
        if begins and stop + fit.offset > film.start and first + fit.offset >= film.start - slack:
            return fit
    raise _outside(clock.name, first, stop, info, film)


def _candidates(
    clock: ListClock, first: int, stop: int, info: VideoInfo, film: Span
) -> Iterator[ClockFit]:
    """The offsets that people's lists have, the likeliest first."""
    as_it_is = ClockFit(0)
    if not clock.is_timecode:
        yield as_it_is
    code = timecode_frames(info.start_timecode, info.frame_rate)
    if code and info.frame_rate:
        offset = film.start - clock.zero - round(code / info.frame_rate / info.time_base)
        yield ClockFit(offset, f"by the film's start timecode {info.start_timecode}")
    if not clock.is_timecode and film.start != clock.zero:
        yield ClockFit(film.start - clock.zero, "from the film's first frame on")
    hours = (first - clock.zero) // clock.hour
    if hours > 0:
        yield ClockFit(-hours * clock.hour, f"{hours} h earlier")
    if clock.is_timecode:
        yield as_it_is
    if film.stop is not None:
        longer = (stop - first - (film.stop - film.start)) * info.time_base
        if abs(longer) <= SLACK_SECONDS:
            reason = "from the film's first frame on, for it is as long as the film"
            yield ClockFit(film.start - first, reason)


def fit_map(
    reference_map: ReferenceMap, info: VideoInfo, film: Span
) -> tuple[ReferenceMap, str | None]:
    """A map with its times on the film's clock, and a line for the user if they were moved.

    Raises:
        C2EError: The map is not in the film with any offset; the message has both ranges.
    """
    clock = ListClock("the map of references", zero=0, hour=round(3600 / info.time_base))
    shots = reference_map.shots
    fit = fit_clock(clock, [(shot.start, shot.stop) for shot in shots], info, film)
    if not fit.offset:
        return reference_map, None

    def moved(reference: Reference) -> Reference:
        return reference.moved(None if reference.at is None else reference.at + fit.offset)

    later = [replace(s, start=s.start + fit.offset, stop=s.stop + fit.offset) for s in shots]
    rows = tuple(tuple(map(moved, row)) for row in reference_map.references)
    fitted = replace(reference_map, shots=tuple(later), references=rows)
    return fitted, note_of(clock, fit, shots[0].start, info)


def fit_table(
    table: ReferenceTable, info: VideoInfo, film: Span
) -> tuple[ReferenceTable, str | None]:
    """A table with its times on the film's clock, and a line for the user if they were moved.

    Raises:
        C2EError: The table is not in the film with any offset; the message has both ranges.
    """
    row = table.shots[0].rows[0]
    hour = round(3600 / info.time_base)
    clock = ListClock(f"{table.path}:{row.line}", zero=0, hour=hour)
    spans = [(own.shot.start, own.shot.stop) for own in table.shots]
    fit = fit_clock(clock, spans, info, film)
    if not fit.offset:
        return table, None
    return table.shifted(fit.offset), note_of(clock, fit, spans[0][0], info)


def check_inside(shots: Sequence[Shot], info: VideoInfo, film: Span) -> None:
    """Raise :class:`C2EError` if a list ends after the film, so that its cuts would be lost."""
    if film.stop is not None and shots[-1].start >= film.stop:
        raise _outside("the list of shots", shots[0].start, shots[-1].stop, info, film)


def _outside(name: str, first: int, stop: int, info: VideoInfo, film: Span) -> C2EError:
    end = "" if film.stop is None else f" to {info.timecode(film.stop)}"
    code = f" (start timecode {info.start_timecode})" if info.start_timecode else ""
    return C2EError(
        f"{name}: its shots run from {info.timecode(first)} to {info.timecode(stop)}, and the film runs "
        f"from {info.timecode(film.start)}{end}{code}; give a list of this film, at its own frame rate"
    )


def estimated_stop(info: VideoInfo, start: int) -> int | None:
    """Where a film ends by its container; None where that does not say."""
    if info.duration_seconds is None:
        return None
    return start + round(info.duration_seconds / info.time_base)


def note_of(clock: ListClock, fit: ClockFit, first: int, info: VideoInfo) -> str:
    """A line for the user about a list whose times were moved."""
    return f"{clock.name} begins at {info.timecode(first)}; its times are taken {fit.reason}"
