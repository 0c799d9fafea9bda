"""The packets of the source that are copied: read, put on one clock, and cut to the window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard

from ...errors import MediaError
from ...utils.files import local
from ..decode import numbered
from ..decode.discontinuity import TimestampCorrection
from .plan import MuxPlan
from .streams import describe
from .timestamps import TimestampRepair
from .tracks import PacketWriter


def open_film(path: Path) -> InputContainer:
    """Open a film to read its packets and metadata.

    Args:
        path: A film; of numbered pictures, the first is opened.

    Raises:
        MediaError: It cannot be read.
    """
    run = numbered(path)
    try:
        if run is not None:
            still = {"pattern_type": "none"}
            return av.open(local(run.files[0]), format="image2", container_options=still)
        # Metadata that is not UTF-8 is copied byte for byte.
        return av.open(local(path), metadata_errors="surrogateescape")
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"cannot read {str(path)!r}: {error.strerror}") from error


def copied_packets(
    plan: MuxPlan,
    film: InputContainer,
    writers: Mapping[int, PacketWriter],
    limit: int | None,
    notes: list[str],
) -> Iterator[Packet[Any]]:
    """The packets of all tracks but the picture, as they enter the output.

    Args:
        plan: What is kept.
        film: The source, at its first packet.
        writers: For each stream kept, by its index, what makes packets of the output.
        limit: At most so many packets of the source are read; None for all.
        notes: A line is added for each damage that is met.

    Yields:
        Packets of the output, with the times of the output, in the order of the source.

    Raises:
        MediaError: The source cannot be read any more.
    """
    if not writers:
        return
    film.streams[plan.picture].discard = Discard.all
    streams = [film.streams[index] for index in writers]
    repairs = {s.index: TimestampRepair(s, plan.container.quicktime) for s in streams}
    correction = TimestampCorrection(plan.discontinuities)
    for packet in islice(_read(plan, film, writers, notes), limit):
        if not packet.size:  # PyAV's mark at the end of a track
            continue
        correction.apply(packet)
        repairs[packet.stream_index].complete(packet)
        if not _is_cut_away(plan, packet) and _enter_window(plan, packet):
            yield from writers[packet.stream_index](packet)
    for writer in writers.values():
        yield from writer(None)
    restarted = [describe(film.streams[i]) for i, repair in repairs.items() if repair.restarted]
    if restarted:
        notes.append(
            f"the clock of {' and '.join(restarted)} starts again in the film; it goes on here"
        )


def _read(
    plan: MuxPlan, film: InputContainer, indices: Iterable[int], notes: list[str]
) -> Iterator[Packet[Any]]:
    """The packets of some streams of the source; after damage that ends reading, a note is added."""
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
    """Whether an edit list hides a packet, and the output has no edit list to hide it.

    The last two such packets are kept: decoders need them to start.
    """
    needed = 2 * (packet.duration or 0)
    return packet.is_discard and not plan.container.quicktime and (packet.pts or 0) < -needed


def _enter_window(plan: MuxPlan, packet: Packet[Any]) -> bool:
    """Give a packet its times in the output; returns whether it is within the window."""
    first, stop, origin = plan.ticks(Fraction(packet.time_base))
    pts, dts, duration = packet.pts or 0, packet.dts or 0, packet.duration or 0
    if packet.stream.type == "subtitle" and pts < first < pts + duration:
        pts, dts, duration = first, first, pts + duration - first
    packet.pts, packet.dts, packet.duration = pts - origin, dts - origin, duration
    return first <= pts < stop
