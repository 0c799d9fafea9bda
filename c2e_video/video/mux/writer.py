"""The writing of a film: the painted picture and everything else, in the order of time."""

from __future__ import annotations

import contextlib
import heapq
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import av
import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Discard
from av.video.stream import VideoStream

from ...errors import MediaError
from ...utils.files import local
from ..cropping import cropped_template
from ..decode import numbered
from ..decode.discontinuity import TimestampCorrection
from ..encode import Part, keeps_fields
from ..encode.encoder import field_order
from .concat import stamped
from .fields import film_fields, picture_fields
from .frame_times import FrameTimes, frame_times
from .matroska import set_pixel_shape
from .plan import MuxPlan
from .streams import describe
from .timestamps import TimestampRepair
from .tracks import PacketWriter, add_track


class Written(NamedTuple):
    """The indices of the source's streams that had packets, and a line for all that was amiss in it."""

    seen: set[int]
    notes: list[str]


def open_film(path: Path) -> InputContainer:
    """A film to read from; :class:`MediaError` if it cannot be read.

    Of numbered pictures the first stands for all: there is nothing beside them to be kept.
    """
    run = numbered(path)
    try:
        if run is not None:
            still = {"pattern_type": "none"}
            return av.open(local(run.files[0]), format="image2", container_options=still)
        # Metadata that is not UTF-8 goes over as the bytes it is.
        return av.open(local(path), metadata_errors="surrogateescape")
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"cannot read {str(path)!r}: {error.strerror}") from error


def write_film(
    plan: MuxPlan,
    parts: Sequence[Part],
    target: Path | io.BytesIO,
    extra_metadata: Mapping[str, str] | None = None,
    limit: int | None = None,
) -> Written:
    """Write the film to a path or into memory; of the source's packets, at most ``limit``."""
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
        # Every stream is there before the first packet, which writes the header.
        tracks = {track.index: track for track in plan.tracks}
        notes: list[str] = []
        indices = sorted([plan.picture, *tracks])
        writers: dict[int, PacketWriter] = {}
        for index in indices:
            if index == plan.picture:
                picture = _add_picture(plan, film, first.streams.video[0], file, times)
            elif writer := add_track(file, film, tracks[index], plan.container, notes):
                writers[index] = writer
        painted = stamped(parts, plan.settings, times, by_dts=plan.container.quicktime)
        written = Written(set(), notes)
        copied = copied_packets(plan, film, writers, limit, notes)
        for packet in heapq.merge(_entering(picture, painted), copied, key=_seconds):
            written.seen.add(indices[packet.stream_index])
            file.mux_one(packet)
    _tell_pixel_shape(plan, target)
    return written


@contextlib.contextmanager
def _template(plan: MuxPlan, part: Part) -> Iterator[InputContainer]:
    """A file whose video stream has the parameters of the colorized one."""
    with open_film(part.path) as first:
        # Matroska, by which the crop is said, does not name every codec; the loss is then named.
        if plan.info.crop is None or plan.settings.codec == "dnxhr":
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
    """The film's fields and more; where both have one, the film's words come first."""
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
    """The painted stream: the part tells of its samples, the source of everything else."""
    source, info = film.streams[plan.picture], plan.info
    picture = file.add_stream_from_template(template, opaque=True)
    context = picture.codec_context
    context.sample_aspect_ratio = info.sample_aspect_ratio
    if plan.container.quicktime:
        context.framerate = info.frame_rate or Fraction(25)  # for the timecode track alone
        if plan.settings.codec == "h265":
            context.codec_tag = "hvc1"  # Apple's players take no other
    else:
        # Players are told how long every frame lasts; of a variable rate that must not be said.
        context.framerate = (
            info.frame_rate if info.frame_rate and times.is_constant else Fraction(0)
        )
    if keeps_fields(info, plan.settings):
        context.field_order = field_order(info)  # FFmpeg's parser of H.264 takes any for top first
    if info.display_matrix is not None:
        picture.set_display_matrix(info.display_matrix)
    picture.metadata.clear()
    fields = picture_fields(film, plan.picture, plan.container.quicktime)
    picture.metadata.update(plan.still_true(fields))
    picture.disposition = source.disposition
    return picture


def _entering(stream: VideoStream, packets: Iterator[Packet[Any]]) -> Iterator[Packet[Any]]:
    for packet in packets:
        packet.stream = stream
        yield packet


def copied_packets(
    plan: MuxPlan,
    film: InputContainer,
    writers: Mapping[int, PacketWriter],
    limit: int | None,
    notes: list[str],
) -> Iterator[Packet[Any]]:
    """The other tracks' packets, in the source's order."""
    if not writers:
        return
    film.streams[plan.picture].discard = Discard.all
    streams = [film.streams[index] for index in writers]
    repairs = {s.index: TimestampRepair(s, plan.container.quicktime) for s in streams}
    correction = TimestampCorrection(plan.discontinuities)
    for packet in islice(_read(plan, film, writers, notes), limit):
        if not packet.size:  # it only says that a track has ended
            continue
        correction.apply(packet)
        repairs[packet.stream_index].complete(packet)
        if not _is_cut_away(plan, packet) and _enter_window(plan, packet):
            yield from writers[packet.stream_index](packet)
    for writer in writers.values():
        yield from writer(None)
    anew = [
        describe(film.streams[index])
        for index, timestamp_repair in repairs.items()
        if timestamp_repair.anew
    ]
    if anew:
        notes.append(f"the clock of {' and '.join(anew)} begins anew in the film; it goes on here")


def _read(
    plan: MuxPlan, film: InputContainer, indices: Iterable[int], notes: list[str]
) -> Iterator[Packet[Any]]:
    """The packets of some of the source's tracks, as far as it can be read."""
    streams = [film.streams[index] for index in indices]
    seconds = Fraction(0)
    try:
        for packet in film.demux(streams):
            if packet.pts is not None:
                seconds = packet.pts * Fraction(packet.time_base)
            yield packet
    except av.error.InvalidDataError:
        notes.append(
            f"{plan.source.name} is damaged after {float(seconds):.3f} s: "
            f"what follows of {' and '.join(map(describe, streams))} is lost"
        )
    except (av.FFmpegError, OSError) as error:
        raise MediaError(
            f"cannot read {str(plan.source)!r}: {error.strerror}; is its disk or network there?"
        ) from error


def _is_cut_away(plan: MuxPlan, packet: Packet[Any]) -> bool:
    """Whether an edit list hides a packet, and the output has none to hide it.

    The two before the first that is heard are kept: decoders need them to begin.
    """
    needed = 2 * (packet.duration or 0)
    return packet.is_discard and not plan.container.quicktime and (packet.pts or 0) < -needed


def _enter_window(plan: MuxPlan, packet: Packet[Any]) -> bool:
    """Whether a packet is kept; it then has its time in the output."""
    first, stop, origin = plan.ticks(Fraction(packet.time_base))
    pts, dts, duration = packet.pts or 0, packet.dts or 0, packet.duration or 0
    if packet.stream.type == "subtitle" and pts < first < pts + duration:
        pts, dts, duration = first, first, pts + duration - first
    packet.pts, packet.dts, packet.duration = pts - origin, dts - origin, duration
    return first <= pts < stop


def _seconds(packet: Packet[Any]) -> Fraction:
    assert packet.dts is not None
    return packet.dts * Fraction(packet.time_base)


def _tell_pixel_shape(plan: MuxPlan, target: Path | io.BytesIO) -> None:
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
