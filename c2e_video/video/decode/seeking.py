"""The film's pictures, wherever one begins and whatever is damaged: always the same ones."""

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

# How far before the wanted frame a first, second and third seek aim, in seconds.
_RUN_UPS = (0, 5, 60)


def pictures_from(
    path: str | Path, start: int | None, lead: int, report: DecodeReport
) -> Iterator[VideoFrame]:
    """The pictures from pts ``start`` on, or from earlier: ``lead`` come before it if so many do.

    At the first damage one thread takes over, and goes on after the last picture given.
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
            # At the end, threads lose what waits behind damage without a word: see if one finds more.
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
    """Whether :func:`pictures_from` finds its start by a seek, not by decoding all before it."""
    with Demuxer(path) as film:
        return _is_seekable(film)


def _follows(picture: VideoFrame, latest: int | None) -> bool:
    return picture.pts is not None and (latest is None or picture.pts > latest)


def _positioned(film: Demuxer, start: int | None, lead: int) -> Iterator[VideoFrame]:
    """The film's pictures from ``start`` on with ``lead`` before it, or from the beginning."""
    film.discontinuities = scan_packets(film).discontinuities
    if start is not None and _is_seekable(film):
        for run_up in _RUN_UPS:
            landed = _landed(film, start, lead, run_up)
            if landed is not None:
                return landed
        film.rewind()
    return film.pictures()


def _landed(film: Demuxer, start: int, lead: int, run_up: int) -> Iterator[VideoFrame] | None:
    """The pictures from ``start`` on after a seek; None where the whole film's might be others.

    They are the same if a key frame not after ``start`` was met and all from there are in order.
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
            # A stray that leaps ahead looks as if it were the first; the one after it gives it away.
            after = list(islice(pictures, 1))
            follow = all(_follows(picture, pts) for picture in after)
            trusted = len(before) == lead and follow and not film.seek_mismatch
            return chain(before, [picture], after, pictures) if trusted else None
        before.append(picture)
        latest = pts
    return None if latest is None or film.seek_mismatch else iter(before)


def _is_seekable(film: Demuxer) -> bool:
    """Whether a seek finds what the whole film has there; the film then knows how to check it."""
    scan = scan_packets(film)
    film.packet_index = scan.index
    return scan.seekable and film.display_times is None
