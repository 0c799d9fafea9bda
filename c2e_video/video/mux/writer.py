"""Writing a film: the packets of the colorized picture and of all other tracks, merged by time."""

from __future__ import annotations

import contextlib
import heapq
import io
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from ...errors import MediaError
from ...utils.files import local
from ..cropping import cropped_template
from ..encode import Part, keeps_fields
from ..encode.encoder import field_order
from .concat import stamped
from .fields import film_fields, picture_fields
from .frame_times import FrameTimes, frame_times
from .matroska import set_pixel_shape
from .plan import MuxPlan
from .source_packets import copied_packets, open_film
from .tracks import PacketWriter, add_track


class Written(NamedTuple):
    """What was written.

    Attributes:
        seen: Indices of the source's streams that had packets.
        notes: A line for each damage met in the source.
    """

    seen: set[int]
    notes: list[str]


def write_film(
    plan: MuxPlan,
    parts: Sequence[Part],
    target: Path | io.BytesIO,
    extra_metadata: Mapping[str, str] | None = None,
    limit: int | None = None,
) -> Written:
    """Write the film.

    Args:
        plan: What goes into it.
        parts: The colorized picture, in order.
        target: A path, or memory.
        extra_metadata: Fields added to the film's own.
        limit: At most so many packets of the source are read; None for all.

    Raises:
        FFmpegError, ValueError: The container refuses a stream.
        MediaError: A part is damaged, or the source cannot be read.
    """
    in_memory = isinstance(target, io.BytesIO)
    times = frame_times(plan, parts)
    with (
        open_film(plan.source) as film,
        _template(plan, parts[0]) as first,
        av.open(
            target if isinstance(target, io.BytesIO) else local(target),
            "w",
            format=plan.container.muxer,
            container_options=_options(plan, film, times.time_base, faststart=not in_memory),
            metadata_errors="surrogateescape",
        ) as file,
    ):
        fields = plan.still_true(film_fields(film, plan.container.quicktime))
        file.metadata.update(_joined(fields, extra_metadata or {}))
        if plan.chapters:
            file.set_chapters(_chapters(plan, film))
        # All streams are added before the first packet, with which the header is written.
        tracks = {track.index: track for track in plan.tracks}
        notes: list[str] = []
        indices = sorted([plan.picture, *tracks])
        writers: dict[int, PacketWriter] = {}
        for index in indices:
            if index == plan.picture:
                picture = _add_picture(plan, film, first.streams.video[0], file, times)
            elif writer := add_track(file, film, tracks[index], plan.container, notes):
                writers[index] = writer
        colorized = stamped(parts, plan.settings, times, by_dts=plan.container.quicktime)
        written = Written(set(), notes)
        copied = copied_packets(plan, film, writers, limit, notes)
        for packet in heapq.merge(_entering(picture, colorized), copied, key=_seconds):
            written.seen.add(indices[packet.stream_index])
            file.mux_one(packet)
    _write_pixel_shape(plan, target)
    return written


@contextlib.contextmanager
def _template(plan: MuxPlan, part: Part) -> Iterator[InputContainer]:
    """A file whose video stream has the codec parameters of the colorized one, and its cropping."""
    with open_film(part.path) as first:
        if plan.info.crop is None:
            yield first
            return
        with av.open(cropped_template(first, plan.info.crop), "r") as cropped:
            yield cropped


def _options(
    plan: MuxPlan, film: InputContainer, time_base: Fraction, *, faststart: bool
) -> dict[str, str]:
    copied = [film.streams[track.index] for track in plan.tracks]
    rates = [
        s.codec_context.sample_rate
        for s in copied
        if isinstance(s, AudioStream) and s.codec_context
    ]
    options = plan.container.options(time_base.denominator, rates)
    if plan.container.quicktime and faststart:
        options["movflags"] = "+faststart"
    return options


def _joined(fields: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """The film's fields and more. A field of both has the film's text first."""
    joined = dict(fields)
    names = {name.lower(): name for name in fields}
    for name, value in more.items():
        known = names.get(name.lower())
        joined[known or name] = f"{fields[known]}; {value}" if known else value
    return joined


def _chapters(plan: MuxPlan, film: InputContainer) -> list[Any]:
    """The film's chapters, cut to the window."""
    chapters = []
    for chapter in film.chapters():
        first, stop, origin = plan.ticks(Fraction(chapter["time_base"] or 1))
        start, end = max(chapter["start"], first), min(chapter["end"], stop)
        if start < end or first <= chapter["start"] < stop:
            chapters.append({**chapter, "start": start - origin, "end": end - origin})
    return chapters


def _add_picture(
    plan: MuxPlan,
    film: InputContainer,
    template: VideoStream,
    file: OutputContainer,
    times: FrameTimes,
) -> VideoStream:
    """Add the colorized stream: codec parameters of the part, all other properties of the source."""
    source, info = film.streams[plan.picture], plan.info
    picture = file.add_stream_from_template(template, opaque=True)
    context = picture.codec_context
    context.sample_aspect_ratio = info.sample_aspect_ratio
    if plan.container.quicktime:
        context.framerate = info.frame_rate or Fraction(25)  # for the timecode track alone
        if plan.settings.codec == "h265":
            context.codec_tag = "hvc1"  # the only tag that Apple's players take
    else:
        # The muxer writes a default duration of frames, which a variable rate must not have.
        context.framerate = (
            info.frame_rate if info.frame_rate and times.is_constant else Fraction(0)
        )
    if keeps_fields(info, plan.settings):
        context.field_order = field_order(info)  # FFmpeg's H.264 parser says top first of both
    if info.display_matrix is not None:
        picture.set_display_matrix(info.display_matrix)
    picture.metadata.clear()
    fields = picture_fields(film, plan.picture, plan.container.quicktime)
    picture.metadata.update(plan.still_true(fields))
    picture.disposition = source.disposition
    return picture


def _entering(stream: VideoStream, packets: Iterator[Packet[Any]]) -> Iterator[Packet[Any]]:
    """Packets of a part as those of the output's stream."""
    for packet in packets:
        packet.stream = stream
        yield packet


def _seconds(packet: Packet[Any]) -> Fraction:
    assert packet.dts is not None
    return packet.dts * Fraction(packet.time_base)


def _write_pixel_shape(plan: MuxPlan, target: Path | io.BytesIO) -> None:
    """Write the sample aspect ratio into a Matroska header, where FFmpeg's muxer lacks it."""
    shape = plan.info.sample_aspect_ratio
    if plan.container.quicktime or shape == 1:
        return
    with contextlib.ExitStack() as opened:
        file = (
            target if isinstance(target, io.BytesIO) else opened.enter_context(open(target, "r+b"))
        )
        if not set_pixel_shape(file, shape):
            raise MediaError(
                f"{plan.container.name} cannot be told that the film's pixels are {shape} as wide as "
                "high; write to .mp4 or .mkv"
            )
