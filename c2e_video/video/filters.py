"""FFmpeg's filters on video frames."""

from __future__ import annotations

from fractions import Fraction

from av.filter import Graph


def video_filter(
    pixel_format: str, width: int, height: int, time_base: Fraction, name: str, arguments: str
) -> Graph:
    """One filter, ready for frames.

    Args:
        pixel_format: Of the frames that go in.
        width: Of these frames, in samples.
        height: Of these frames, in samples.
        time_base: Of their pts, in seconds.
        name: The filter.
        arguments: Its options, as FFmpeg writes them.

    Returns:
        A graph that takes frames by ``vpush`` and gives them by ``vpull``.

    Raises:
        FFmpegError: The filter does not take such frames.
    """
    graph = Graph()
    graph.link_nodes(
        graph.add(
            "buffer",
            video_size=f"{width}x{height}",
            pix_fmt=pixel_format,
            time_base=str(time_base),
            pixel_aspect="1/1",
        ),
        graph.add(name, arguments),
        graph.add("buffersink"),
    )
    graph.configure()
    return graph
