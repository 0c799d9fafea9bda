"""What one read through all packets of a film tells: where seeks lead, and where recordings are joined.

A film is read through only where its container does not say it: see :func:`scan_packets`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from av.format import Flags
from av.stream import Disposition

from .demuxer import Demuxer
from .discontinuity import ONE_CLOCK, Discontinuities, find_discontinuities
from .track_times import TrackTimes

# Containers with a table of their frames. In others a seek searches by time.
_WITH_TABLE = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi")
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


@dataclass(frozen=True)
class PacketScan:
    """The packets of a film.

    ``index`` holds byte offset and pts of every packet of the picture. It is None where the
    container's own table is enough, and empty where a seek is not sure: where packets have no times,
    or time goes back. ``discontinuities`` are the joins of the film.
    """

    index: frozenset[tuple[int | None, int]] | None = None
    discontinuities: Discontinuities = ONE_CLOCK

    @property
    def seekable(self) -> bool:
        """Whether the frames after a seek can be known to be those of the whole film."""
        return not self.discontinuities and (self.index is None or bool(self.index))


def scan_packets(film: Demuxer) -> PacketScan:
    """The packets of an open film, read through once and then kept in memory.

    mp4, mov, avi and Matroska have a table of their frames and one clock, so they are not read,
    except Matroska with another film appended to it, or of unknown length.
    """
    name = film.container.format.name
    if name in _WITH_TABLE and not (name == "matroska,webm" and _may_be_joined(film.path)):
        return PacketScan()
    status = os.stat(film.path)
    found = _scan(os.path.abspath(film.path), status.st_size, status.st_mtime_ns)
    return PacketScan(None, found.discontinuities) if name in _WITH_TABLE else found


def discontinuities_of(path: str | Path) -> Discontinuities:
    """The joins of a film; raises :class:`MediaError` if it cannot be opened."""
    with Demuxer(path) as film:
        return scan_packets(film).discontinuities


@lru_cache(maxsize=4)
def _scan(path: str, size: int, changed: int) -> PacketScan:
    tracks: dict[int, TrackTimes] = {}
    index, latest, sure = set(), -(1 << 63), True
    with Demuxer(path) as film:
        for stream in film.container.streams:
            if stream.type in ("audio", "video") and not stream.disposition & (
                Disposition.attached_pic
            ):
                tracks[stream.index] = TrackTimes(Fraction(stream.time_base or 1))
        for packet in film.every_packet():
            if (track := tracks.get(packet.stream_index)) is not None:
                track.add(packet)
            if packet.stream_index == film.stream.index and sure:
                sure = packet.pts is not None and packet.dts is not None and packet.dts >= latest
                if packet.pts is not None and packet.dts is not None:
                    index.add((packet.pos, packet.pts))
                    latest = packet.dts
        leaps = bool(Flags.ts_discont in Flags(film.container.format.flags))
        sure = sure and not film.truncated
    return PacketScan(
        frozenset(index) if sure else frozenset(), find_discontinuities(tracks, leaps=leaps)
    )


def _may_be_joined(path: str | Path) -> bool:
    """Whether a Matroska file goes on after its first segment, or does not say how long that is."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        end = 0
        for name in (_EBML, _SEGMENT):
            file.seek(end)
            head = file.read(12)
            if head[:4] != name or len(head) < 12:
                return False
            width = 9 - head[4].bit_length()
            body = int.from_bytes(head[4 : 4 + width], "big") & ((1 << 7 * width) - 1)
            if body == (1 << 7 * width) - 1:  # unknown
                return True
            end += 4 + width + body
            if end >= size:  # as in most films; a damaged one says more than a file can hold
                return False
        file.seek(end)
        return file.read(4) == _EBML
