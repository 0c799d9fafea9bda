"""Frames of a film, in order, from any place on; and what its picture track holds."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from av.sidedata.sidedata import SideDataContainer
from av.video.frame import VideoFrame

from ...errors import MediaError
from ...utils.choices import Deinterlace
from ...utils.files import local_path
from ..frames import Frame, VideoInfo
from .deinterlace import deinterlaced
from .demuxer import Demuxer
from .image_sequence import USUAL_RATE, check_alone, numbered
from .luma import luma_of, plain
from .metadata import describe
from .report import DecodeReport
from .seeking import pictures_from, seekable
from .timestamps import timed


def probe(path: str | Path, fps: Fraction | None = None) -> VideoInfo:
    """Read what a film's picture track holds, from its container and its first frame that decodes.

    The track is the first that is not cover art. What the film does not state is guessed as players do:
    BT.709 above 576 lines or 1024 columns, else BT.601; limited range, but full for RGB and gray.

    Args:
        path: A film, a folder of numbered pictures, or a pattern such as ``scan_%05d.dpx``.
        fps: Frames a second of numbered pictures; 24 by default. A film has times of its own.

    Returns:
        The description.

    Raises:
        MediaError: There is no such film, nothing in it decodes, or ``fps`` is given for a film.
    """
    path = local_path(path)
    if run := numbered(path):
        return run.describe(path, USUAL_RATE if fps is None else fps)
    check_alone(Path(path))
    if fps is not None:
        raise MediaError(
            f"fps=… is for numbered pictures, and {str(path)!r} is a film with its own times; leave it out"
        )
    with Demuxer(path) as film:
        for picture in film.pictures():
            plain(picture, path)  # or say now that it cannot be read
            return describe(film, picture)
        raise MediaError(film.why_nothing())


def decode(
    path: str | Path,
    info: VideoInfo,
    *,
    start: int | None = None,
    stop: int | None = None,
    deinterlace: Deinterlace = "off",
    report: DecodeReport | None = None,
) -> Generator[Frame, None, None]:
    """The frames of a film, in order, decoded as they are asked for.

    The frames from ``start`` on are those that decoding from the beginning gives there. pts are the film's
    own and strictly increasing; a frame without one, or with one out of order, is placed after the frame
    before. Frames of another size, depth or range than the film's first are converted to the film's, and
    counted.

    Args:
        path: The film, as for :func:`probe`.
        info: What :func:`probe` returned.
        start: First pts wanted, in ``info.time_base``; None for the beginning.
        stop: The pts to stop before; None for the end.
        deinterlace: "auto" makes one progressive frame of each frame flagged as interlaced, "on" of every
            frame (bwdif), "off" of none.
        report: Counts what was not as it should be.

    Yields:
        Frames with ``start <= pts < stop``.

    Raises:
        MediaError: The film cannot be opened.
    """
    if deinterlace not in ("off", "auto", "on"):
        raise ValueError(f'deinterlace is "off", "auto" or "on", got {deinterlace!r}')
    report = DecodeReport() if report is None else report
    weave = deinterlace == "on" or (deinterlace == "auto" and info.interlaced)
    lead = 2 if weave else 0  # bwdif needs the picture before
    run = numbered(path)
    if run is None:
        pictures = pictures_from(path, start, lead, report)
    else:
        pictures = run.pictures(info, start, lead, report)
    if weave:
        pictures = deinterlaced(pictures, info, deinterlace == "on")
    return _frames(pictures, info, start, stop, report)


def frames_at(path: str | Path, info: VideoInfo, wanted: Sequence[int]) -> Iterator[Frame]:
    """Decode single frames: by a seek for each, or, where seeks are not sure, in one pass.

    Args:
        path: The film, as for :func:`probe`.
        info: What :func:`probe` returned.
        wanted: The pts of the frames, in growing order.

    Yields:
        The frames with these pts, in order.

    Raises:
        MediaError: The film cannot be opened.
    """
    if not wanted:
        return
    if numbered(path) or seekable(path):
        for pts in wanted:
            yield from decode(path, info, start=pts, stop=pts + 1)
        return
    chosen = frozenset(wanted)
    for frame in decode(path, info, start=wanted[0], stop=wanted[-1] + 1):
        if frame.pts in chosen:
            yield frame


def _frames(
    pictures: Iterator[VideoFrame],
    info: VideoInfo,
    start: int | None,
    stop: int | None,
    report: DecodeReport,
) -> Generator[Frame, None, None]:
    for picture, pts, duration in timed(pictures, info):
        if stop is not None and pts >= stop:
            return
        if start is None or pts >= start:
            report.frames += 1
            report.damaged_frames += picture.is_corrupt
            report.repaired_timestamps += pts != picture.pts
            report.captioned += _has_captions(picture)
            yield Frame(luma_of(picture, info, report), pts, duration)


def _has_captions(picture: VideoFrame) -> bool:
    # The picture's own would keep the picture in a cycle, until the collector comes by.
    container: Any = SideDataContainer
    try:
        return "A53_CC" in container(picture)
    except ValueError:  # beside them, or instead, lies a kind of data that PyAV does not know
        return False
