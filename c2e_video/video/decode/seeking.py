"""Pictures from any pts on. They are the same, bit for bit, as those that decoding the whole film gives.

A seek is trusted only if what follows it can be checked; otherwise the film is decoded from its first
packet. Decoding begins with all threads; after damage, one thread goes on, whose result is repeatable.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import chain, dropwhile, islice
from pathlib import Path

from av.error import FFmpegError
from av.video.frame import VideoFrame

from .demuxer import Damaged, Demuxer
from .packet_scan import scan_packets
from .report import DecodeReport

# How far before the wanted frame the first, second and third seek go, in seconds.
_RUN_UPS = (0, 5, 60)


def pictures_from(
    path: str | Path, start: int | None, lead: int, report: DecodeReport
) -> Iterator[VideoFrame]:
    """Decode the pictures from a pts on.

    Args:
        path: The film.
        start: The pts, in the film's ``time_base``; None for the first picture.
        lead: Pictures wanted before ``start``. More may come, and fewer at the film's beginning.
        report: Damage is counted in it.

    Yields:
        Pictures in order of display.

    Raises:
        MediaError: The film cannot be opened.
    """
    given, ordered = 0, True
    latest: int | None = None
    with Demuxer(path, threads=0) as film:
        try:
            for picture in _positioned(film, start, lead):
                yield picture
                ordered = ordered and _follows(picture, latest)
                given, latest = given + 1, picture.pts
            report.truncated |= film.truncated
            # At the end, threads lose pictures behind damage without an error. One thread may find them.
            if not (film.holds_back and latest is not None and ordered and _is_seekable(film)):
                return
        except Damaged:
            pass
    with Demuxer(path) as film:
        try:
            if latest is not None and ordered:
                after = _positioned(film, latest + 1, 0)
                yield from dropwhile(lambda picture: not _follows(picture, latest), after)
            else:
                yield from islice(_positioned(film, start, lead), given, None)
        finally:
            report.corrupt_packets += film.corrupt
            report.truncated |= film.truncated


def seekable(path: str | Path) -> bool:
    """Whether :func:`pictures_from` seeks to its start, and need not decode everything before it."""
    with Demuxer(path) as film:
        return _is_seekable(film)


def _follows(picture: VideoFrame, latest: int | None) -> bool:
    """Whether a picture has a pts after ``latest``."""
    return picture.pts is not None and (latest is None or picture.pts > latest)


def _positioned(film: Demuxer, start: int | None, lead: int) -> Iterator[VideoFrame]:
    """The pictures from ``start`` on with ``lead`` before it, or, without a trusted seek, all of them."""
    film.discontinuities = scan_packets(film).discontinuities
    if start is not None and _is_seekable(film):
        for run_up in _RUN_UPS:
            landed = _landed(film, start, lead, run_up)
            if landed is not None:
                return landed
        film.rewind()
    return film.pictures()


def _landed(film: Demuxer, start: int, lead: int, run_up: int) -> Iterator[VideoFrame] | None:
    """The pictures after a seek to ``run_up`` seconds before ``start``; None if it is not trusted.

    It is trusted if a key frame is shown at ``start`` or before it, if pts grow from there on, if
    ``lead`` pictures come before ``start``, and if all packets read are in the packet index.
    """
    try:
        film.container.seek(start - round(run_up / film.time_base), stream=film.stream)
    except (FFmpegError, OverflowError):
        return None
    pictures = film.pictures(sought=start)
    before: deque[VideoFrame] = deque(maxlen=lead)
    latest: int | None = None
    for picture in pictures:
        pts = picture.pts
        if pts is None or not _follows(picture, latest) or (latest is None and pts > start):
            return None
        if pts >= start:
            # A picture whose pts is too large by an error would pass for the first one from `start` on;
            # the pts of the picture after it is then smaller.
            after = list(islice(pictures, 1))
            follow = all(_follows(picture, pts) for picture in after)
            trusted = len(before) == lead and follow and not film.seek_mismatch
            return chain(before, [picture], after, pictures) if trusted else None
        before.append(picture)
        latest = pts
    return None if latest is None or film.seek_mismatch else iter(before)


def _is_seekable(film: Demuxer) -> bool:
    """Whether packets after a seek can be checked; sets ``packet_index`` to check them with."""
    scan = scan_packets(film)
    film.packet_index = scan.index
    return scan.seekable and film.display_times is None
