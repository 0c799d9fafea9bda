"""Concatenation of parts: their packets with the times of one film."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import av
import av.error
from av.packet import Packet

from ...errors import MediaError
from ...utils.files import local
from ..encode import EncodeSettings, Part
from ..encode.codecs import reorders
from ..encode.part import decoding_time
from .frame_times import FrameTimes


def stamped(
    parts: Sequence[Part], settings: EncodeSettings, shown: FrameTimes, *, by_dts: bool = False
) -> Iterator[Packet[Any]]:
    """The packets of all parts in order of decoding, as those of one film encoded in one go.

    Args:
        parts: The parts, in order.
        settings: How they were encoded.
        shown: The times of their frames in the output; the k-th frame shown has the k-th time.
        by_dts: Whether the container takes the length of a track from dts and the packet decoded
            last, as mp4 does. The duration of that packet then makes up the film's length.

    Raises:
        MediaError: A part is damaged.
    """
    times, durations = shown.pts, shown.durations
    places = _places(parts, settings)
    delay = max(index - place for index, place in enumerate(places))
    step = min((after - before for before, after in pairwise(times)), default=1)
    first = decoding_time(times, 0, delay, step)
    index = 0
    for part in parts:
        for packet in _packets(part):
            place = places[index]
            packet.pts, packet.duration = times[place], durations[place]
            packet.dts = decoding_time(times, index, delay, step)
            packet.time_base = shown.time_base
            index += 1
            if by_dts and index == len(times):
                # A later dts leaves less to make up, but must not exceed the pts of what is shown.
                packet.dts = max(packet.dts, packet.pts - (times[0] - first))
                packet.duration = times[-1] + durations[-1] - times[0] - (packet.dts - first)
            yield packet


def _places(parts: Sequence[Part], settings: EncodeSettings) -> list[int]:
    """For each packet in order of decoding: the number of its frame in order of display."""
    places: list[int] = []
    for part in parts:
        own = range(len(places), len(places) + len(part.pts))
        if reorders(settings):
            times: list[Any] = [packet.pts for packet in _packets(part)]
            shown = sorted(range(len(times)), key=times.__getitem__)
            places += [place for _, place in sorted(zip(shown, own, strict=True))]
        else:
            places += own
    return places


def _packets(part: Part) -> Iterator[Packet[Any]]:
    """A part's packets; :class:`MediaError` if they are not as many as its frames."""
    count = 0
    with contextlib.suppress(av.FFmpegError), av.open(local(part.path)) as file:
        for packet in file.demux(video=0):
            count += bool(packet.size)
            if packet.size and count <= len(part.pts):
                yield packet
    if count != len(part.pts):
        raise MediaError(
            f"the part {str(part.path)!r} is damaged: {count} frames are in it where "
            f"{len(part.pts)} were written; delete it and run again"
        )
