"""The samples at a picture's border that a container tells players not to show.

QuickTime has a clean aperture (clap) for it, Matroska PixelCrop. FFmpeg keeps both beside the parameters
of a stream, where PyAV does not reach. They pass from stream to stream, so they are read from, and written
into, a header in memory: Matroska's, or QuickTime's for codecs that Matroska does not name.
"""

from __future__ import annotations

import io
from itertools import islice
from typing import cast

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
from .quicktime import clap_of, with_clap

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
        return _crop_by_quicktime(stream)
    data = memory.getvalue()
    found = video_track(data)
    if found is None:
        return None
    said = numbers(data, found[2])
    crop = Crop(*(said.get(side, 0) for side in _SIDES))
    return crop if any(crop) else None


def _crop_by_quicktime(stream: VideoStream) -> Crop | None:
    """The same by way of a QuickTime file, which has a header only with a packet; the film is rewound."""
    film = cast(InputContainer, stream.container)
    if "mov" not in film.format.name.split(","):
        return None
    try:
        film.seek(0)
        data = _short_copy(film, "mov", stream.index, 1)
        film.seek(0)
    except (FFmpegError, ValueError):
        return None
    return clap_of(data, stream.codec_context.width, stream.codec_context.height)


def cropped_template(part: InputContainer, crop: Crop) -> io.BytesIO:
    """A file in memory whose video stream has a part's parameters, and a crop."""
    context = part.streams.video[0].codec_context
    try:
        return io.BytesIO(_with_crop(_short_copy(part, "matroska", 0), crop))
    except ValueError:  # DNxHR, which Matroska does not name
        data = _short_copy(part, "mov", 0)
        return io.BytesIO(with_clap(data, context.width, context.height, crop))


def _short_copy(
    film: InputContainer, muxer: str, index: int, packets: int = _TEMPLATE_PACKETS
) -> bytes:
    """A file with the first packets of one video stream."""
    memory = io.BytesIO()
    with av.open(memory, "w", format=muxer) as file:
        source = film.streams[index]
        copy = file.add_stream_from_template(source, opaque=True)
        for packet in islice((p for p in film.demux(source) if p.size), packets):
            packet.stream = copy
            file.mux_one(packet)
    return memory.getvalue()


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
