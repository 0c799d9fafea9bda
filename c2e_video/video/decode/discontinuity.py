"""Joined recordings: where the clock of a film starts again, and the shift that follows from it.

Each piece of a joined film has a clock of its own. From a join on, every track is moved by one shift,
so that sound and picture keep the distance they have in their piece. It is the smallest shift with
which no track overlaps its own end:

    shift = max over tracks of (end of the track so far - start of the track in the piece)

All offsets are byte offsets in the file; the packets of two tracks are written in another order
than they are stored in.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

from av.packet import Packet

from .track_times import TrackTimes

# Seconds. dts of one track that step back by more, or leap ahead by more, are of another clock.
_BACK, _AHEAD = 0.1, 10.0
# A packet follows the one before it if the gap between them is below this, in seconds.
_GAP = 0.05
# Two tracks meet one join at most this far apart, in seconds.
_INTERLEAVED = 2.0
# So many packets in a row may have a wrong time without being a piece of their own.
_STRAYS = 3
_END_OF_FILE = (1 << 63) - 1

# Of one track: the index of the first packet of its next piece.
_Join = dict[int, int]


@dataclass(frozen=True)
class Discontinuities:
    """The joins of a film.

    ``bounds`` has for each stream the byte offset at which each of its pieces but the first starts,
    ``everywhere`` the same for streams that are neither audio nor video. ``shifts`` are in seconds,
    one for each piece. ``repaired`` has pts that differ from those that FFmpeg gives, by stream, piece and
    dts.
    """

    bounds: Mapping[int, Sequence[int]]
    everywhere: Sequence[int] = ()
    shifts: Sequence[Fraction] = (Fraction(0),)
    repaired: Mapping[tuple[int, int, int], int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return len(self.shifts) > 1

    def notes(self) -> list[str]:
        """A line about the joins, if there are any."""
        count = len(self.shifts) - 1
        if not count:
            return []
        return [
            f"the film's clock starts again {count} time{'s' * (count > 1)}, as in joined recordings; "
            "there all its tracks go on by one shift, in the distance they have to each other"
        ]

    def piece(self, stream: int, offset: int) -> int:
        """The number of the piece in which a stream's packet at a byte offset is."""
        return bisect_right(self.bounds.get(stream, self.everywhere), offset)


ONE_CLOCK = Discontinuities({})


class TimestampCorrection:
    """Moves the packets of a film, read in the order of the file, to a clock that never starts again."""

    def __init__(self, discontinuities: Discontinuities) -> None:
        self._discontinuities = discontinuities
        self._piece: dict[int, int] = {}

    def apply(self, packet: Packet[Any]) -> None:
        """Correct the times of a packet in place."""
        if not self._discontinuities:
            return
        stream = packet.stream_index
        if packet.pos is not None:  # a packet without a place is of the piece of the one before
            self._piece[stream] = self._discontinuities.piece(stream, packet.pos)
        piece = self._piece.get(stream, 0)
        ticks = round(self._discontinuities.shifts[piece] / Fraction(packet.time_base))
        if packet.pts is not None:
            key = stream, piece, packet.dts if packet.dts is not None else packet.pts
            packet.pts = self._discontinuities.repaired.get(key, packet.pts) + ticks
        if packet.dts is not None:
            packet.dts += ticks


def find_discontinuities(tracks: Mapping[int, TrackTimes], *, leaps: bool) -> Discontinuities:
    """Find the joins of a film.

    Args:
        tracks: The packets of all audio and video streams, by stream index.
        leaps: Whether time that leaps ahead by more than 10 s in all tracks is a join as well. So it
            is in transport and program streams, whose clock counts from any moment. In other
            containers it is a hole.

    Returns:
        The joins; none for a film with one clock.
    """
    tracks = {index: track for index, track in tracks.items() if track.dts}
    strays = {index: _strays(track) for index, track in tracks.items()}
    steps = {index: _steps(track, strays[index], leaps) for index, track in tracks.items()}
    joins = [join for join in _joins(tracks, steps) if not _is_hole(tracks, join)]
    if not joins:
        return ONE_CLOCK
    starts = {index: [_start(tracks, join, index) for join in joins] for index in tracks}
    repaired = {
        (stream, piece, repair[0]): repair[1]
        for stream, track in tracks.items()
        for piece, (first, stop) in enumerate(pairwise([0, *starts[stream]]))
        if (repair := track.repair_end(first, stop))
    }
    shifts = _shifts(tracks, strays, starts)
    bounds = {index: [_offset(tracks[index], k) for k in own] for index, own in starts.items()}
    everywhere = [min(each) for each in zip(*bounds.values(), strict=True)]
    return Discontinuities(bounds, everywhere, tuple(shifts), repaired)


def _strays(track: TrackTimes) -> frozenset[int]:
    """Packets with a wrong time: one soon after them goes on from the one before them."""
    last, found = 0, set()
    for index in range(1, len(track.dts)):
        following = range(index + 1, min(index + 1 + _STRAYS, len(track.dts)))
        if _is_step(track, last, index, True) and any(
            0 < track.seconds(last, later) <= _AHEAD for later in following
        ):
            found.add(index)
        else:
            last = index
    return frozenset(found)


def _is_step(track: TrackTimes, before: int, index: int, leaps: bool) -> bool:
    seconds = track.seconds(before, index)
    return seconds < -_BACK or (leaps and seconds > _AHEAD)


def _steps(track: TrackTimes, strays: frozenset[int], leaps: bool) -> list[int]:
    """The packets before which the track's own clock steps back, or leaps."""
    sound = [index for index in range(len(track.dts)) if index not in strays]
    return [index for before, index in pairwise(sound) if _is_step(track, before, index, leaps)]


def _joins(tracks: Mapping[int, TrackTimes], steps: Mapping[int, list[int]]) -> Iterator[_Join]:
    """The steps of all tracks, those at one join together."""
    ordered = sorted((tracks[s].offset[i], s, i) for s, own in steps.items() for i in own)
    join: _Join = {}
    for offset, stream, index in ordered:
        if join and (stream in join or not _is_near(tracks, steps, join, offset)):
            yield join
            join = {}
        join[stream] = index
    if join:
        yield join


def _is_near(
    tracks: Mapping[int, TrackTimes], steps: Mapping[int, list[int]], join: _Join, offset: int
) -> bool:
    """Whether a step at ``offset`` is of this join, not of the next one."""
    stream, index = next(iter(join.items()))  # its first step
    track, own = tracks[stream], steps[stream]
    here = max(index, bisect_left(track.offset, offset) - 1)
    # Packets without a place of their own are counted with those before, but may lie after `offset`.
    here = max(index, bisect_left(track.offset, track.offset[here]))
    since = track.seconds(index, here)
    following = own[bisect_right(own, index) :]
    return since <= _INTERLEAVED and (
        not following or (here < following[0] and since <= track.seconds(here, following[0] - 1))
    )


def _is_hole(tracks: Mapping[int, TrackTimes], join: _Join) -> bool:
    """Whether time only leaps ahead, and another track goes on meanwhile."""
    if any(tracks[s].seconds(i - 1, i) < 0 for s, i in join.items()):
        return False
    place = min(tracks[s].offset[i] for s, i in join.items())
    for stream, track in tracks.items():
        index = bisect_left(track.offset, place)
        if (
            stream not in join
            and 0 < index < len(track.dts)
            and track.seconds(index - 1, index) <= _AHEAD
        ):
            return True
    return False


def _start(tracks: Mapping[int, TrackTimes], join: _Join, stream: int) -> int:
    """The first packet of a stream after a join; the number of its packets if there is none.

    A track whose own clock shows no step starts with the first packet that lies at the join and does
    not follow the one before.
    """
    if stream in join:
        return join[stream]
    track = tracks[stream]
    place, first = min((tracks[s].offset[i], s) for s, i in join.items())
    before = tracks[first].offset[join[first] - 1]
    index = bisect_left(track.offset, place)
    for earlier in range(max(1, bisect_right(track.offset, before)), index):
        if abs(track.gap(earlier)) > _GAP:
            return earlier
    return index


def _offset(track: TrackTimes, index: int) -> int:
    return track.offset[index] if index < len(track.offset) else _END_OF_FILE


def _shifts(
    tracks: Mapping[int, TrackTimes],
    strays: Mapping[int, frozenset[int]],
    starts: Mapping[int, Sequence[int]],
) -> list[Fraction]:
    """The shift of each piece, in seconds."""
    count = len(next(iter(starts.values()))) + 1
    ends: dict[int, Fraction] = {}
    shifts: list[Fraction] = []
    for piece in range(count):
        spans = {}
        for stream, track in tracks.items():
            bounds = [0, *starts[stream], len(track.dts)]
            own = range(bounds[piece], bounds[piece + 1])
            if span := _span(track, (i for i in own if i not in strays[stream])):
                spans[stream] = span
        shifts.append(_shift(ends, spans) if shifts else Fraction(0))
        for stream, (_, end) in spans.items():
            end += shifts[-1]
            ends[stream] = max(end, ends.get(stream, end))
    return shifts


def _span(track: TrackTimes, packets: Iterable[int]) -> tuple[Fraction, Fraction] | None:
    """When the first of some packets begins and the last ends, in seconds."""
    chosen = list(packets)
    if not chosen:
        return None
    first, last = min(track.start[i] for i in chosen), max(track.end[i] for i in chosen)
    return first * track.time_base, last * track.time_base


def _shift(
    ends: Mapping[int, Fraction], spans: Mapping[int, tuple[Fraction, Fraction]]
) -> Fraction:
    own = [ends[stream] - start for stream, (start, _) in spans.items() if stream in ends]
    if own:
        return max(own)
    starts = [start for start, _ in spans.values()]
    return max(ends.values()) - min(starts) if starts and ends else Fraction(0)
