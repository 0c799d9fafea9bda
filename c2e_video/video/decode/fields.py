"""The order of the two fields in a frame of interlaced film."""

from __future__ import annotations

from fractions import Fraction

from av.error import FFmpegError
from av.video.frame import VideoFrame

from ..filters import video_filter

# FFmpeg's numbers: the field that is coded first, and the one that is shown first.
_TOP_TOP, _BOTTOM_BOTTOM, _TOP_BOTTOM, _BOTTOM_TOP = 2, 3, 4, 5
_SHOWN_FIRST = {_TOP_TOP: True, _BOTTOM_BOTTOM: False, _TOP_BOTTOM: False, _BOTTOM_TOP: True}
INTERLACED_FIELD_ORDERS = tuple(_SHOWN_FIRST)


def shows_top_field_first(picture: VideoFrame, field_order: int, codec: str) -> bool:
    """Whether the top field is the earlier one.

    The frame's own flag decides where it is interlaced, then the stream's ``field_order``; without
    either, DV begins with the bottom field and everything else with the top one.
    """
    if picture.interlaced_frame:
        try:
            graph = video_filter(
                *(picture.format.name, picture.width, picture.height, Fraction(1, 25)),
                *("select", "eq(interlace_type,TOPFIRST)"),
            )
            graph.vpush(picture)
            graph.vpush(None)
            graph.vpull()
        except EOFError:
            return False
        except FFmpegError:  # a pixel format that filters do not take
            pass
        else:
            return True
    return _SHOWN_FIRST.get(field_order, codec != "dvvideo")
