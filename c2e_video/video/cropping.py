"""The samples at a picture's border that a container tells players not to show.

QuickTime says them by a clean aperture (clap), Matroska by PixelCrop. FFmpeg keeps them beside the
parameters of a stream, where PyAV does not reach; but they pass from stream to stream, and Matroska
headers in memory are read and written here.
"""

from __future__ import annotations

import io
from itertools import islice

import av
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from .ebml import (
    CRC,
    PIXEL_CROP_BOTTOM,
    PIXEL_CROP_LEFT,
    PIXEL_CROP_RIGHT,
    PIXEL_CROP_TOP,
    SEGMENT,
    TRACK,
    TRACKS,
    VIDEO,
    VOID,
    Element,
    child,
    children,
    element,
    number,
    numbers,
    video_track,
)
from .frames import Crop

_SIDES = (PIXEL_CROP_LEFT, PIXEL_CROP_TOP, PIXEL_CROP_RIGHT, PIXEL_CROP_BOTTOM)
_TEMPLATE_PACKETS = 40  # as many as FFmpeg needs to find out how frames are reordered


def crop_of(stream: VideoStream) -> Crop | None:
    """The samples of a stream's pictures that its container hides; None if it hides none."""
    memory = io.BytesIO()
    file = av.open(memory, "w", format="matroska")
    try:
        copy = file.add_mux_stream("ffv1")  # any codec: it is replaced by the stream's
        BitStreamFilterContext("null", in_stream=stream, out_stream=copy)
        copy.time_base = stream.time_base
        file.start_encoding()
        file.close()
    except (FFmpegError, ValueError):  # a codec that Matroska does not name
        return None
    data = memory.getvalue()
    found = video_track(data)
    if found is None:
        return None
    said = numbers(data, found[2])
    crop = Crop(*(said.get(side, 0) for side in _SIDES))
    return crop if any(crop) else None


def cropped_template(part: InputContainer, crop: Crop) -> io.BytesIO:
    """A file in memory whose video stream has a part's parameters, and a crop."""
    memory = io.BytesIO()
    with av.open(memory, "w", format="matroska") as file:
        source = part.streams.video[0]
        copy = file.add_stream_from_template(source, opaque=True)
        for packet in islice((p for p in part.demux(source) if p.size), _TEMPLATE_PACKETS):
            packet.stream = copy
            file.mux_one(packet)
    return io.BytesIO(_with_crop(memory.getvalue(), crop))


def _with_crop(data: bytes, crop: Crop) -> bytes:
    """A Matroska file whose first video track has a crop. What its index says is not true any more."""
    found = video_track(data)
    segment = child(data, Element(0, 0, 0, len(data)), SEGMENT)
    assert found is not None
    assert segment is not None
    tracks, track, video = found
    sides = b"".join(number(s, n) for s, n in zip(_SIDES, crop, strict=True) if n)
    inner = element(VIDEO, data[video.body : video.end] + sides)
    outer = data[track.body : video.head] + inner + data[video.end : track.end]
    lists = b"".join(
        element(TRACK, outer) if each == track else data[each.head : each.end]
        for each in children(data, tracks)
        if each.name not in (CRC, VOID)
    )
    body = (
        data[segment.body : tracks.head] + element(TRACKS, lists) + data[tracks.end : segment.end]
    )
    size = (len(body) | 1 << 56).to_bytes(8, "big")
    return data[: segment.head + 4] + size + body
