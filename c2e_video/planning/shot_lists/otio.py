"""Timelines of OpenTimelineIO: the first track of pictures, its clips and the transitions between them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from ...errors import C2EError
from ...utils.files import read_text, write_text
from ...video.frames import Shot
from .coverage import Listed
from .timebase import ListTimebase

WHAT = "timeline"
SAME_RATE = 0.002  # 24 and 23.976 are 0.1 % apart


def library() -> Any:
    """The module ``opentimelineio``, an optional dependency; ``C2EError`` without it."""
    try:
        import opentimelineio
    except ImportError:
        raise C2EError(
            ".otio needs OpenTimelineIO; install it with pip install 'c2e-video[otio]', "
            "or use .edl or .csv"
        ) from None
    return opentimelineio


def read(path: Path, timebase: ListTimebase) -> list[Listed]:
    """Read the clips of a timeline as shots; gaps are holes, a transition of any kind is a dissolve.

    Args:
        path: The timeline.
        timebase: Frames of its rate, or of its round number (24 for 23.976), are frames of the film. Times
            of other rates are converted by seconds.

    Returns:
        The shots, in pts as if the timeline's zero were the film's first frame.

    Raises:
        C2EError: File, line or clip, what is wrong, what is accepted.
    """
    otio = library()
    track = _track(otio, path)
    try:
        return list(_listed(otio, track, path, timebase))
    except (otio.exceptions.OTIOError, ValueError, ArithmeticError) as error:
        raise C2EError(f"{path}: the track {track.name!r} has no times ({_line(error)})") from None


def _listed(otio: Any, track: Any, path: Path, timebase: ListTimebase) -> Iterator[Listed]:
    """The clips, from where the transition before each begins to where the one after it does."""
    places = track.range_of_all_children()
    around = zip((None, *track), track, (*track[1:], None), strict=False)
    number = 0
    for before, item, after in around:
        if isinstance(item, (otio.schema.Transition, otio.schema.Gap)):
            continue
        number += 1
        place = places[item]
        start, stop = _pts(place.start_time, timebase), _pts(place.end_time_exclusive(), timebase)
        fade = 0
        if isinstance(before, otio.schema.Transition):
            start -= _length(before.in_offset, timebase)
            fade = _length(before.in_offset + before.out_offset, timebase)
        if isinstance(after, otio.schema.Transition):
            stop -= _length(after.in_offset, timebase)
        if stop > start:
            yield Listed(f"{path}: clip {number} ({item.name!r})", start, stop, fade)


def _pts(time: Any, timebase: ListTimebase) -> int:
    rate = Fraction(time.rate).limit_denominator(1001)
    film = timebase.info.frame_rate
    if film is not None and abs(rate / film - 1) < SAME_RATE:
        rate = film
    return timebase.at(Fraction(time.value) / rate)


def _length(time: Any, timebase: ListTimebase) -> int:
    return _pts(time, timebase) - timebase.start


def _track(otio: Any, path: Path) -> Any:
    text = read_text(path, WHAT)
    try:
        json.loads(text)
        timeline = otio.adapters.read_from_string(text, "otio_json")
    except json.JSONDecodeError as error:
        raise C2EError(f"{path}:{error.lineno}: is no OpenTimelineIO ({error.msg})") from None
    except Exception as error:  # a file that is JSON and no timeline makes it raise nearly anything
        near = re.search(r"near line (\d+)", str(error))
        place = f"{path}:{near[1]}" if near else str(path)
        raise C2EError(f"{place}: is no OpenTimelineIO ({_line(error)})") from None
    if not isinstance(timeline, otio.schema.Timeline):
        kind = type(timeline).__name__
        raise C2EError(f"{path}: is no timeline but {kind}; accepted: a Timeline")
    for track in timeline.video_tracks():
        if any(isinstance(item, otio.core.Item) for item in track):
            return track
    raise C2EError(
        f"{path}: the timeline has no track with pictures; it needs a clip for each shot"
    )


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def write(shots: Sequence[Shot], path: Path, timebase: ListTimebase) -> None:
    """Write a timeline of one track whose clips are the shots, in frames from the film's first."""
    otio = library()
    rate = float(timebase.rate)

    def time(number: int) -> Any:
        return otio.opentime.RationalTime(number, rate)

    def span(start: int, stop: int) -> Any:
        return otio.opentime.TimeRange(time(start), time(stop - start))

    film = otio.schema.ExternalReference(
        timebase.info.path.resolve().as_uri(), span(0, timebase.number(shots[-1].stop))
    )
    track = otio.schema.Track("shots", kind=otio.schema.TrackKind.Video)
    for shot in shots:
        start, stop = timebase.number(shot.start), timebase.number(shot.stop)
        length = timebase.number(timebase.start + shot.dissolve)
        if stop <= start:
            continue
        if length:
            kind = otio.schema.TransitionTypes.SMPTE_Dissolve
            track.append(otio.schema.Transition("", kind, time(0), time(length)))
        track.append(otio.schema.Clip(f"shot {shot.index + 1}", film.clone(), span(start, stop)))
    timeline = otio.schema.Timeline(timebase.info.path.stem, tracks=[track])
    write_text(path, otio.adapters.write_to_string(timeline, "otio_json"))
