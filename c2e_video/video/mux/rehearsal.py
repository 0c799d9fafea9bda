"""Whether and how a container holds a film, found out by writing a short piece of it into memory.

One black picture and the first packets of every track are muxed by the code that will write the film,
and read back.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.stream import Stream

from ...errors import MediaError
from ...utils.choices import AudioChoice
from ..cropping import crop_of
from ..decode.demuxer import picture_track
from ..decode.metadata import display_matrix
from ..encode import Encoder, EncodeSettings, Part, part_suffix
from ..frames import ColorBatch, Frame, FrameBatch, Shot, VideoInfo
from .containers import either, holders
from .fields import losses
from .plan import MuxPlan
from .selection import drop_words
from .sequence import sequence_notes, write_sequence
from .streams import describe, is_cover, is_timed
from .tracks import Track, copy_strategies
from .writer import write_film

_REHEARSED = 400  # packets: enough for every track with sound from the beginning


def blank_part(folder: Path, info: VideoInfo, settings: EncodeSettings) -> Part:
    """Encode one black picture, which shows that the codec takes the film's depth and size.

    Args:
        folder: Where the part is written.
        info: The film.
        settings: How it will be encoded.

    Raises:
        MediaError: The codec cannot hold such pictures.
    """
    with Encoder(folder / f"blank{part_suffix(settings)}", info, settings) as encoder:
        (sx, sy), depth = encoder.picture.subsampling, encoder.picture.bit_depth
        size = (1, -(-info.height // sy), -(-info.width // sx))
        chroma = np.full(size, 1 << (depth - 1), np.uint8 if depth == 8 else np.uint16)
        luma = np.zeros((info.height, info.width), np.uint8 if info.bit_depth == 8 else np.uint16)
        black = FrameBatch((Frame(luma, 0, 1),), Shot(0, 0, 1))
        encoder.write(ColorBatch(black, chroma, chroma))
        return encoder.close()


def choose_tracks(
    plan: MuxPlan,
    film: InputContainer,
    blank: Part,
    audio: AudioChoice,
    everything: Sequence[Stream],
) -> MuxPlan:
    """Choose for each track the best strategy with which the container holds it.

    A timecode that the container refuses, as at an odd frame rate, is left out of the plan.

    Args:
        plan: With the tracks wanted.
        film: The source.
        blank: A part of one picture.
        audio: What becomes of sound that cannot be copied.
        everything: All streams of the film that could be kept, for messages.

    Returns:
        The plan with these strategies, without covers that the container does not hold.

    Raises:
        MediaError: There is none for a track; the message names it, and the remedies.
    """
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
        elif not is_cover(stream):  # a lost cover is noted, not refused
            refused.append(stream)
    if refused:
        raise MediaError(_refusal(plan, refused, blank, everything))
    return replace(plan, tracks=tuple(tracks))


def _fitting(plan: MuxPlan, blank: Part, ways: Sequence[Track]) -> Track | None:
    """The first strategy with which the container holds a track."""
    return next((way for way in ways if _holds(replace(plan, tracks=(way,)), blank)), None)


def _holds(plan: MuxPlan, blank: Part) -> bool:
    """Whether the plan can be written."""
    try:
        write_film(plan, [blank], io.BytesIO(), limit=_REHEARSED)
    except (av.FFmpegError, ValueError):
        return False
    return True


def _refusal(
    plan: MuxPlan, refused: Sequence[Stream], blank: Part, everything: Sequence[Stream]
) -> str:
    """The message about streams that the container cannot hold, with the remedies that were tried."""
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
    """The strategies for a stream by which its sound is encoded."""
    return [way for way in copy_strategies(stream, plan.container, audio) if way.encoded]


def rehearse_sequence(
    plan: MuxPlan, film: InputContainer, blank: Part, kept: Sequence[Stream], folder: Path
) -> list[str]:
    """Write one picture and the first packets of sound as numbered pictures and WAV files.

    Args:
        plan: The plan.
        film: The source.
        blank: A part of one picture.
        kept: The streams that are not dropped.
        folder: For the files.

    Returns:
        A line for everything that is lost or changed.

    Raises:
        MediaError: The sound cannot be written as WAV.
    """
    try:
        write_sequence(plan, [blank], folder / "sequence", plan.pattern, _REHEARSED)
    except (av.FFmpegError, ValueError) as error:
        raise MediaError(
            f'the sound of {plan.source.name} cannot be written as WAV ({error}); drop={{"audio"}}'
        ) from error
    return sequence_notes(plan, film, kept)


def rehearse(plan: MuxPlan, film: InputContainer, blank: Part, kept: Sequence[Stream]) -> list[str]:
    """Write a short piece of the film into memory, and compare it with the source.

    Args:
        plan: The plan, with tracks that the container holds.
        film: The source.
        blank: A part of one picture.
        kept: The streams that are not dropped.

    Returns:
        A line for each stream, field and property of the film that is lost.

    Raises:
        MediaError: The film cannot be written to this container.
    """
    written = io.BytesIO()
    try:
        seen = write_film(plan, [blank], written, limit=_REHEARSED).seen
    except (av.FFmpegError, ValueError) as error:
        raise MediaError(
            f"{plan.container.name} does not take {plan.source.name} ({error}); write to another "
            "container, or drop streams"
        ) from error
    # QuickTime muxers leave out tracks without packets, such as subtitles that begin later.
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
    """Whether the output's display matrix is the film's, except for its translation and rounding."""
    picture = next(result.decode(picture_track(result, plan.source)))
    after, before = display_matrix(picture), plan.info.display_matrix
    if before is None or after is None:
        return before is after
    return all(abs(a - b) < 8 for a, b in zip(before[:5], after[:5], strict=True))
