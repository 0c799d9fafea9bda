"""The plan of the output, made before the first frame is colorized.

It has a note for everything that is lost or changed, and is refused, with the remedy, where a stream of
the film cannot be kept.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer

from ...utils.choices import AudioChoice
from ...utils.files import temporary_folder
from ..decode import decode, numbered
from ..decode.demuxer import picture_track
from ..decode.discontinuity import ONE_CLOCK
from ..decode.packet_scan import discontinuities_of
from ..encode import EncodeSettings, conversion, keeps_fields
from ..encode.numbered_path import place_of
from ..frames import VideoInfo
from .containers import container_for
from .fields import tape_fields
from .frame_numbers import check_rate
from .plan import MuxPlan
from .rehearsal import blank_part, choose_tracks, rehearse, rehearse_sequence
from .selection import Drop
from .sequence import sequence_tracks
from .source_packets import open_film
from .streams import describe, is_container_internal
from .tracks import copy_strategies

# The clock of a broadcast begins at any value. From so many seconds on, the output begins at zero:
# players would wait.
_BROADCASTS = ("mpegts", "mpeg")
_LONG_WAIT = 60


def plan_mux(
    source: Path,
    output: Path,
    info: VideoInfo,
    settings: EncodeSettings,
    drop: Collection[str] = frozenset(),
    *,
    audio: AudioChoice = "copy",
    window: tuple[int | None, int | None] = (None, None),
) -> MuxPlan:
    """Decide what goes into the output.

    Args:
        source: The film.
        output: Where it will be written; its suffix names the container.
        info: What ``probe`` found in the film.
        settings: How the picture is encoded.
        drop: Streams to leave out; see :class:`Drop`.
        audio: What becomes of sound that the container does not hold: it is refused ("copy") or
            encoded anew ("aac", "flac", "pcm"). All other sound is copied.
        window: Only what lies between these pts, in the film's ``time_base``, is kept. Its start, if
            there is one, is the output's zero.

    Returns:
        The plan, with a note for everything that is lost or changed.

    Raises:
        MediaError: The codec cannot hold the pictures, or the container the codec or a stream: each
            is named, with the remedy.
    """
    dropped = Drop(drop)
    container = container_for(output, settings)
    with open_film(source) as film, temporary_folder(place_of(output).parent) as folder:
        picture = picture_track(film, source)
        others = [
            s for s in film.streams if s.index != picture.index and not is_container_internal(s)
        ]
        dropped.check(others, source.name)
        kept = [s for s in others if s not in dropped]
        plan = MuxPlan(
            source=source,
            container=container,
            info=info,
            settings=settings,
            picture=picture.index,
            tracks=sequence_tracks(source, container.name, kept, others)
            if container.is_sequence
            else tuple(copy_strategies(stream, container)[0] for stream in kept),
            chapters=not dropped.chapters,
            discontinuities=ONE_CLOCK if numbered(source) else discontinuities_of(source),
            pattern=output.name if container.is_sequence else "",
        )
        check_rate(plan)
        blank = blank_part(folder, info, settings)
        if not container.is_sequence:
            plan = choose_tracks(plan, film, blank, audio, others)
        run = numbered(source)
        notes = run.notes(info.frame_rate) if run else []
        notes += plan.discontinuities.notes()
        notes += [line] if (line := conversion(info, settings)) else []
        notes += _fields(info, settings)
        notes += [f"{describe(s)} is dropped, as asked" for s in others if s in dropped]
        if film.chapters() and not plan.chapters:
            notes.append(f"{len(film.chapters())} chapters are dropped, as asked")
        rewritten = [film.streams[track.index] for track in plan.tracks if track.how == "text"]
        notes += [f"{describe(stream)} becomes {container.text}" for stream in rewritten]
        notes += [
            f"{describe(film.streams[track.index])} is encoded as {track.how}: {container.name} cannot "
            "hold it as it is"
            for track in plan.tracks
            if track.encoded and not container.is_sequence
        ]
        if container.is_sequence:
            notes += rehearse_sequence(plan, film, blank, kept, folder)
        else:
            notes += rehearse(plan, film, blank, kept)
        if window[0] is not None and "timecode" in tape_fields(film):
            notes.append("the timecode is left out: it is that of the beginning, which is cut off")
        origin = window[0]
        if origin is None:
            origin = _origin(film, source, info)
            if origin and not container.is_sequence:
                notes.append(
                    f"the film's clock begins at {info.seconds(origin):.3f} s, the output's at 0"
                )
    return replace(plan, window=window, origin=origin, notes=tuple(notes))


def _fields(info: VideoInfo, settings: EncodeSettings) -> list[str]:
    """A line about an interlaced film that is not deinterlaced."""
    if not info.interlaced:
        return []
    if keeps_fields(info, settings):
        order = "top" if info.top_field_first else "bottom"
        return [
            f"the film is interlaced and stays so, {order} field first; "
            'deinterlace="auto" parts the fields'
        ]
    return [
        f"the film is interlaced, which {settings.codec} of this size does not say: both fields of a "
        'frame stay in one; deinterlace="auto" parts them'
    ]


def _origin(film: InputContainer, source: Path, info: VideoInfo) -> int:
    """The pts in the film that the output has at zero.

    It is zero; or the start of the film if its clock begins before zero, which no container keeps, or
    if it is a broadcast and begins late.
    """
    if numbered(source):
        return 0
    first = next(decode(source, info)).pts
    if film.format.name not in _BROADCASTS:
        return min(0, first)
    start = round(Fraction(film.start_time or 0, av.time_base) / info.time_base)
    return min(start, first) if start < 0 or start * info.time_base >= _LONG_WAIT else min(0, first)
