"""Decode pictures from any pts on. They equal, bit for bit, those of decoding the whole film.

A seek is used only if the packets and pictures after it pass the checks of :func:`_after_seek`. Otherwise
the film is decoded from its first packet. Decoding starts with several threads. After damage, the rest is
decoded with one thread, because only then is the result the same each time.
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

# The first, second and third seek go to so many seconds before the wanted pts.
_RUN_UPS = (0, 5, 60)


def pictures_from(
    path: str | Path, start: int | None, lead: int, report: DecodeReport
) -> Iterator[VideoFrame]:
    """Decode the pictures from a pts on.

    Args:
        path: The film.
        start: The pts, in the film's ``time_base``; None for the first picture.
        lead: Number of pictures wanted before ``start``. There may be more, and there are fewer if the
            film has fewer before ``start``.
        report: Its counts of damage are updated.

    Yields:
        Pictures in order of display.

    Raises:
        MediaError: The film cannot be opened.
    """
    yielded, ordered = 0, True
    latest: int | None = None
    with Demuxer(path, threads=0) as film:
        try:
            for picture in _positioned(film, start, lead):
                yield picture
                ordered = ordered and _follows(picture, latest)
                yielded, latest = yielded + 1, picture.pts
            report.truncated |= film.truncated
            # At the end of the film, several threads can lose pictures after damage without an error. One
            # thread may decode these.
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
                yield from islice(_positioned(film, start, lead), yielded, None)
        finally:
            report.corrupt_packets += film.corrupt
            report.truncated |= film.truncated


def seekable(path: str | Path) -> bool:
    """Whether :func:`pictures_from` can seek, so that it need not decode all pictures before its start.

    Args:
        path: The film.

    Returns:
        Whether it can seek.

    Raises:
        MediaError: The film cannot be opened.
    """
    with Demuxer(path) as film:
        return _is_seekable(film)


def _follows(picture: VideoFrame, latest: int | None) -> bool:
    """Whether the picture has a pts, and it is greater than ``latest``, if that is given."""
    return picture.pts is not None and (latest is None or picture.pts > latest)


def _positioned(film: Demuxer, start: int | None, lead: int) -> Iterator[VideoFrame]:
    """The pictures from ``start`` on and ``lead`` before it; all pictures if no seek is valid."""
    film.discontinuities = scan_packets(film).discontinuities
    if start is not None and _is_seekable(film):
        for run_up in _RUN_UPS:
            pictures = _after_seek(film, start, lead, run_up)
            if pictures is not None:
                return pictures
        film.rewind()
    return film.pictures()


def _after_seek(film: Demuxer, start: int, lead: int, run_up: int) -> Iterator[VideoFrame] | None:
    """Seek to ``run_up`` seconds before ``start``; None if a check fails.

    The checks:

    - The first picture, a key frame, has a pts of at most ``start``.
    - The pts increase up to the second picture from ``start`` on.
    - ``lead`` pictures come before ``start``. This is not required if no picture comes from ``start`` on.
    - From the first key packet on, all packets read are in the packet index.

    Returns:
        The last ``lead`` pictures before ``start``, and all from ``start`` on.
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
            # A wrong, too large pts can make an earlier picture appear to be the first from `start` on.
            # The next picture then has a smaller pts.
            after = list(islice(pictures, 1))
            increasing = all(_follows(picture, pts) for picture in after)
            passed = len(before) == lead and increasing and not film.seek_mismatch
            return chain(before, [picture], after, pictures) if passed else None
        before.append(picture)
        latest = pts
    return None if latest is None or film.seek_mismatch else iter(before)


def _is_seekable(film: Demuxer) -> bool:
    """Whether packets after a seek can be checked. Sets ``film.packet_index``, which the check needs."""
    scan = scan_packets(film)
    film.packet_index = scan.index
    return scan.seekable and film.display_times is None
