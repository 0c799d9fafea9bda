"""Deinterlacing by FFmpeg's bwdif: one progressive picture for each interlaced one, at the same time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, groupby

from av.error import FFmpegError
from av.filter import Graph
from av.video.frame import VideoFrame

from ...errors import MediaError
from ..filters import video_filter
from ..frames import VideoInfo
from .luma import plain

Shape = tuple[str, int, int]


def deinterlaced(
    pictures: Iterable[VideoFrame], info: VideoInfo, everything: bool
) -> Iterator[VideoFrame]:
    """Deinterlace pictures. Each result depends on its picture, the one before and the one after.

    Args:
        pictures: In order of display.
        info: The film.
        everything: Whether pictures are deinterlaced that are not flagged as interlaced.

    Yields:
        As many pictures, with the same times.

    Raises:
        MediaError: The filter does not take the pixel format.
    """
    readable = (plain(picture, info.path) for picture in pictures)
    for shape, run in groupby(readable, key=_shape):
        yield from _through(_bwdif(shape, info, "all" if everything else "interlaced"), run)


def _shape(picture: VideoFrame) -> Shape:
    return picture.format.name, picture.width, picture.height


def _bwdif(shape: Shape, info: VideoInfo, which: str) -> Graph:
    form, width, height = shape
    try:
        return video_filter(
            form, width, height, info.time_base, "bwdif", f"mode=send_frame:deint={which}"
        )
    except FFmpegError:
        raise MediaError(
            f"{str(info.path)!r}: pictures of {width}x{height} in {form} cannot be deinterlaced; "
            "leave deinterlacing off"
        ) from None


def _through(graph: Graph, pictures: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
    """The pictures out of a filter that gives one for each that goes in, with a delay."""
    kept: deque[tuple[int | None, int, int]] = deque()
    for picture in chain(pictures, [None]):
        if picture is not None:
            kept.append((picture.pts, picture.duration, picture.color_range))
        graph.vpush(picture)
        while True:
            try:
                filtered = graph.vpull()
            except (BlockingIOError, EOFError):
                break
            filtered.pts, filtered.duration, filtered.color_range = kept.popleft()
            yield filtered
