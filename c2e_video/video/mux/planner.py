"""What goes into the output, decided before the first frame is painted.

A container is asked, not looked up: one black picture and the first packets of every track are muxed
into it in memory, by the code that will write the film, and read back.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import get_args

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.stream import Stream

from ...errors import MediaError
from ...utils.choices import AudioChoice
from ...utils.files import temporary_folder
from ..cropping import crop_of
from ..decode import decode, numbered
from ..decode.demuxer import picture_track
from ..decode.discontinuity import ONE_CLOCK
from ..decode.metadata import display_matrix
from ..decode.packet_scan import discontinuities_of
from ..encode import Encoder, EncodeSettings, Part, conversion, keeps_fields, part_suffix
from ..frames import ColorBatch, Frame, FrameBatch, Shot, VideoInfo
from .containers import container_for, either, holders
from .fields import losses, tape_fields
from .frame_numbers import check_rate
from .plan import MuxPlan
from .selection import Drop, drop_words
from .sequence import sequence_notes, sequence_tracks, write_sequence
from .streams import describe, is_container_internal, is_cover, is_timed
from .tracks import Track, copy_strategies
from .writer import open_film, write_film

_REHEARSED = 400  # packets: enough for every track that sounds from the beginning
# A broadcast's clock counts from any moment. A film that would keep players waiting for so many
# seconds begins at zero in the output.
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
    with open_film(source) as film, temporary_folder(output.parent) as folder:
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
        blank = _blank_part(folder, info, settings)
        if not container.is_sequence:
            plan = _fitted(plan, film, blank, audio, others)
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
            notes += _rehearse_sequence(plan, film, blank, kept, folder)
        else:
            notes += _rehearse(plan, film, blank, kept)
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
    """A line about a film whose frames stay interlaced."""
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

    It is the film's own zero, except where its clock begins before that, which no container keeps,
    or, in a broadcast, so late that players would wait for it.
    """
    if numbered(source):
        return 0
    first = next(decode(source, info)).pts
    if film.format.name not in _BROADCASTS:
        return min(0, first)
    start = round(Fraction(film.start_time or 0, av.time_base) / info.time_base)
    return min(start, first) if start < 0 or start * info.time_base >= _LONG_WAIT else min(0, first)


def _blank_part(folder: Path, info: VideoInfo, settings: EncodeSettings) -> Part:
    """A part of one black picture. That it can be made shows that codec, depth and size go together."""
    with Encoder(folder / f"blank{part_suffix(settings)}", info, settings) as encoder:
        (sx, sy), depth = encoder.picture.subsampling, encoder.picture.bit_depth
        size = (1, -(-info.height // sy), -(-info.width // sx))
        chroma = np.full(size, 1 << (depth - 1), np.uint8 if depth == 8 else np.uint16)
        luma = np.zeros((info.height, info.width), np.uint8 if info.bit_depth == 8 else np.uint16)
        black = FrameBatch((Frame(luma, 0, 1),), Shot(0, 0, 1))
        encoder.write(ColorBatch(black, chroma, chroma))
        return encoder.close()


def _fitted(
    plan: MuxPlan,
    film: InputContainer,
    blank: Part,
    audio: AudioChoice,
    everything: Sequence[Stream],
) -> MuxPlan:
    """The plan with every track in a way the container holds; :class:`MediaError` if one has none."""
    if _holds(plan, blank):
        return plan
    if not _holds(replace(plan, tracks=()), blank):  # the timecode does not go with the frame rate
        plan = replace(plan, timecode=False)
    tracks, refused = [], []
    for track in plan.tracks:
        stream = film.streams[track.index]
        fitting = _fitting(plan, blank, copy_strategies(stream, plan.container, audio))
        if fitting is not None:
            tracks.append(fitting)
        elif not is_cover(stream):  # the loss of a cover is worth a note, not a refusal
            refused.append(stream)
    if refused:
        raise MediaError(_refusal(plan, refused, blank, everything))
    return replace(plan, tracks=tuple(tracks))


def _fitting(plan: MuxPlan, blank: Part, ways: Sequence[Track]) -> Track | None:
    """The first of some ways of a track in which the container holds it."""
    return next((way for way in ways if _holds(replace(plan, tracks=(way,)), blank)), None)


def _holds(plan: MuxPlan, blank: Part) -> bool:
    try:
        write_film(plan, [blank], io.BytesIO(), limit=_REHEARSED)
    except (av.FFmpegError, ValueError):
        return False
    return True


def _refusal(
    plan: MuxPlan, refused: Sequence[Stream], blank: Part, everything: Sequence[Stream]
) -> str:
    able = [
        f".{other.name}"
        for other in holders(plan.settings)
        if all(
            _fitting(replace(plan, container=other), blank, copy_strategies(stream, other))
            for stream in refused
        )
    ]
    encoded = [
        f'audio="{choice}"'
        for choice in get_args(AudioChoice)[1:]
        if all(_fitting(plan, blank, _encoded(plan, stream, choice)) for stream in refused)
    ]
    words = ", ".join(f'"{word}"' for word in drop_words(refused, everything))
    drops = f"drop={{{words}}}"
    remedies = [f"write to {either(able)}"] if able else []
    remedies += encoded[:1]
    what = " and ".join(map(describe, refused))
    return (
        f"{plan.source.name} has {what}, which {plan.container.name} cannot hold; "
        f"{', or '.join([*remedies, drops])}"
    )


def _encoded(plan: MuxPlan, stream: Stream, audio: AudioChoice) -> list[Track]:
    return [way for way in copy_strategies(stream, plan.container, audio) if way.encoded]


def _rehearse_sequence(
    plan: MuxPlan, film: InputContainer, blank: Part, kept: Sequence[Stream], folder: Path
) -> list[str]:
    """The same for numbered pictures."""
    try:
        write_sequence(plan, [blank], folder / "sequence", plan.pattern, _REHEARSED)
    except (av.FFmpegError, ValueError) as error:
        raise MediaError(
            f'the sound of {plan.source.name} cannot be written as WAV ({error}); drop={{"audio"}}'
        ) from error
    return sequence_notes(plan, film, kept)


def _rehearse(
    plan: MuxPlan, film: InputContainer, blank: Part, kept: Sequence[Stream]
) -> list[str]:
    """A line for everything of the kept streams, and of what the film says, that is lost."""
    written = io.BytesIO()
    try:
        seen = write_film(plan, [blank], written, limit=_REHEARSED).seen
    except (av.FFmpegError, ValueError) as error:
        raise MediaError(
            f"{plan.container.name} does not take {plan.source.name} ({error}); write to another "
            "container, or drop streams"
        ) from error
    # The QuickTime family leaves out tracks without packets, as that of a late subtitle is here.
    tracks = [t.index for t in plan.tracks if t.index in seen or not plan.container.quicktime]
    made = io.BytesIO(written.getvalue())
    with av.open(made, "r", metadata_errors="surrogateescape") as result:
        before = [film.streams[index] for index in sorted([plan.picture, *tracks])]
        pairs = zip(filter(is_timed, before), filter(is_timed, result.streams), strict=True)
        lost = max(0, sum(map(is_cover, kept)) - sum(map(is_cover, result.streams)))
        lines = [f"{plan.container.name} does not keep the film's cover art"] if lost else []
        if crop_of(picture_track(result, plan.source)) != plan.info.crop:
            lines.append(
                f"{plan.container.name} does not keep what the film hides of its picture: "
                f"{plan.info.crop}"
            )
        if not _is_turned_alike(plan, result):
            lines.append(
                f"{plan.container.name} does not keep how players transform the picture: "
                f"display matrix {plan.info.display_matrix}"
            )
        return lines + losses(film, result, pairs, plan.container.name)


def _is_turned_alike(plan: MuxPlan, result: InputContainer) -> bool:
    """Whether the output's display matrix is the film's, but for its shift and for rounding."""
    picture = next(result.decode(picture_track(result, plan.source)))
    after, before = display_matrix(picture), plan.info.display_matrix
    if before is None or after is None:
        return before is after
    return all(abs(a - b) < 8 for a, b in zip(before[:5], after[:5], strict=True))
