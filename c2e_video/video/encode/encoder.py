"""Encodes colorized batches into part files.

The encoder gets the decoder's own Y samples. Where the codec has more bits than the source they are shifted
left, which a shift right undoes. Only a profile changes depth or range otherwise (``codecs.py``). Codecs of
single pictures get R'G'B' (``rgb.py``).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.error
import numpy as np
from av.codec.context import Flags
from av.container import OutputContainer
from av.filter import Graph
from av.packet import Packet
from av.video.stream import VideoStream

from ...color.luma_range import LumaRange, convert
from ...color.matrices import Matrix
from ...color.primaries import BT709
from ...color.transfer import SRGB
from ...errors import MediaError
from ...utils.arrays import Plane
from ...utils.files import disk_errors, local
from ...utils.scheduling import kept_scheduling
from ..filters import video_filter
from ..frames import ColorBatch, Frame, VideoInfo
from .codec_specs import CODEC_SPECS
from .codecs import (
    EncodeSettings,
    able_codecs,
    encoder_options,
    keeps_fields,
    picture_format,
    reorders,
    rgb_format,
)
from .part import Part, decoding_time
from .rgb import as_shown, fill, rgb_light, rgb_steps, shown_size

# ITU-T H.273 code points. BT.601 has two that mean the same; 5 goes with the primaries of 625 lines.
_MATRICES: Mapping[Matrix, int] = {"bt601": 6, "bt709": 1, "bt2020": 9}
_TOP_FIRST, _BOTTOM_FIRST = 2, 3
_BT709_PRIMARIES, _SRGB_CURVE = 1, 13
_MOST_REORDERED = 16  # frames, by the standards of H.264 and H.265


def _open_encoder(
    container: OutputContainer, info: VideoInfo, settings: EncodeSettings
) -> VideoStream:
    """A stream in ``container`` with its encoder opened; :class:`MediaError` if that refuses."""
    spec, picture = CODEC_SPECS[settings.codec], picture_format(info, settings)
    # Only rate control looks at it; a guess from a few odd times can be far off.
    rate = info.frame_rate if info.frame_rate and 1 <= info.frame_rate <= 240 else 25
    stream = container.add_stream(spec.library, rate=rate)
    assert isinstance(stream, VideoStream)
    context = stream.codec_context
    rgb = rgb_format(info, settings)
    context.width, context.height = shown_size(info) if rgb else (info.width, info.height)
    context.pix_fmt = rgb[0] if rgb else picture.pixel_format
    # On the context: on the stream it is lost, and x264 then refuses a variable frame rate.
    context.time_base = info.time_base
    context.sample_aspect_ratio = info.sample_aspect_ratio
    if rgb and info.turns % 2:
        context.sample_aspect_ratio = 1 / info.sample_aspect_ratio
    _tag(context, info, picture.full_range, is_rgb=rgb is not None)
    if keeps_fields(info, settings):
        context.flags |= Flags.interlaced_dct
        context.field_order = field_order(info)
    context.thread_count = spec.threads
    context.thread_type = "AUTO"
    context.options = encoder_options(info, settings)
    if settings.codec == "av1":
        os.environ.setdefault("SVT_LOG", "1")  # errors only: it writes to stderr by itself
    try:
        with kept_scheduling():
            context.open()
    except av.FFmpegError as error:
        raise MediaError(
            f"the {settings.codec} encoder refuses {info.width}x{info.height} pictures in "
            f"{context.pix_fmt} ({error.strerror}); use codec {able_codecs(info, settings.codec)}"
        ) from error
    return stream


def _tag(target: Any, info: VideoInfo, full_range: bool, *, is_rgb: bool) -> None:
    """Say on an encoder or a frame what its samples mean."""
    if is_rgb:
        _tag_rgb(target, info)
        return
    matrix = 5 if info.matrix == "bt601" and info.primaries == 5 else _MATRICES[info.matrix]
    target.colorspace = matrix
    target.color_range = 2 if full_range else 1
    target.color_trc, target.color_primaries = info.transfer, info.primaries


def field_order(info: VideoInfo) -> int:
    """FFmpeg's number for the field order of an interlaced film."""
    return _TOP_FIRST if info.top_field_first else _BOTTOM_FIRST


def _field_filter(info: VideoInfo, settings: EncodeSettings, pixel_format: str) -> Graph | None:
    """What flags frames as interlaced, which PyAV has no other way to do."""
    if not keeps_fields(info, settings):
        return None
    mode = "tff" if info.top_field_first else "bff"
    return video_filter(
        *(pixel_format, info.width, info.height, info.time_base), *("setfield", f"mode={mode}")
    )


def _tag_rgb(target: Any, info: VideoInfo) -> None:
    """The film's own tags; curves that are read as the sRGB curve are called that, as viewers expect."""
    film = info.colorimetry
    target.colorspace, target.color_range = 0, 2
    target.color_trc = _SRGB_CURVE if film.curve is SRGB else info.transfer
    target.color_primaries = info.primaries if film.gamut != BT709 else _BT709_PRIMARIES


class Encoder:
    """Encodes colorized batches into one part file.

    A context manager: left without an exception it closes the part, with one it removes the file.

    Args:
        path: The part file. Its container is the codec's (:func:`~.codecs.part_suffix`).
        info: The film.
        settings: How it is encoded.

    Raises:
        MediaError: The codec refuses the pictures, or the file cannot be written.
    """

    def __init__(self, path: Path, info: VideoInfo, settings: EncodeSettings) -> None:
        self.path, self.info = path, info
        self.picture, self._rgb = picture_format(info, settings), rgb_format(info, settings)
        kind = CODEC_SPECS[settings.codec].part
        scale = str(info.time_base.denominator)
        clock = {"video_track_timescale": scale, "movie_timescale": scale}
        self._part: Part | None = None
        self._pts: list[int] = []
        self._before_zero = 0  # the first pts, if negative: mp4 hides what is shown before zero
        self._durations: list[int] = []
        self._packets = 0
        self._fields = _field_filter(info, settings, self.picture.pixel_format)
        self._delay = _MOST_REORDERED if reorders(settings) else 0
        self._file = av.open(
            local(path), "w", format=kind, container_options={} if kind == "matroska" else clock
        )
        try:
            self._stream = _open_encoder(self._file, info, settings)
            with disk_errors(path):
                self._file.start_encoding()
        except BaseException:  # a signal, too, must not leave a half-open file to the collector
            self._abandon()
            raise

    def write(self, batch: ColorBatch) -> None:
        """Encode a batch.

        Args:
            batch: Frames after those of the batch before, in the film's size and depth; chroma as
                :func:`~.codecs.picture_format` has it.

        Raises:
            MediaError: A frame has another size than the film, or the file cannot be written.
            ValueError: A frame's pts is not after the frame's before it.
        """
        for frame, cb, cr in zip(batch.gray.frames, batch.cb, batch.cr, strict=True):
            if self._pts and frame.pts <= self._pts[-1]:
                raise ValueError(f"pts must grow: {frame.pts} after {self._pts[-1]}")
            if not self._pts:
                self._before_zero = min(0, frame.pts)
            picture = self._picture(frame, cb, cr)
            self._pts.append(frame.pts)
            self._durations.append(frame.duration)
            self._mux(self._stream.encode(picture))

    def _picture(self, frame: Frame, cb: Plane, cr: Plane) -> av.VideoFrame:
        width, height = self.info.width, self.info.height
        if frame.luma.shape != (height, width):
            raise MediaError(
                f"the picture of {self.info.path.name} changes from {width}x{height} to "
                f"{frame.luma.shape[1]}x{frame.luma.shape[0]} at "
                f"{self.info.seconds(frame.pts):.3f} s; cut the film there and colorize both pieces"
            )
        if self._rgb is None:
            picture = av.VideoFrame(width, height, self.picture.pixel_format)
            _fill(picture.planes[0], *self._fitted(frame.luma))
            _fill(picture.planes[1], cb)
            _fill(picture.planes[2], cr)
        else:
            picture = self._rgb_picture(frame.luma, cb, cr, *self._rgb)
        picture.pts, picture.time_base = frame.pts - self._before_zero, self.info.time_base
        picture.duration = frame.duration
        if self._fields is not None:
            self._fields.vpush(picture)
            picture = self._fields.vpull()
        picture.pict_type = 0  # the encoder's own choice
        _tag(picture, self.info, self.picture.full_range, is_rgb=self._rgb is not None)
        return picture

    def _rgb_picture(
        self, luma: Plane, cb: Plane, cr: Plane, pixel_format: str, depth: int
    ) -> av.VideoFrame:
        planes: list[Any]
        if pixel_format == "gbrpf32le":
            planes = list(rgb_light(luma, cb, cr, self.info))
        else:
            planes = list(rgb_steps(luma, cb, cr, self.info, depth))
        picture = av.VideoFrame(*shown_size(self.info), pixel_format)
        fill(picture, [as_shown(plane, self.info) for plane in planes])
        return picture

    def _fitted(self, luma: Plane) -> tuple[Plane, int]:
        """Luma for the output's pictures, and by how many bits it is still to be shifted left."""
        source = LumaRange(self.info.bit_depth, self.info.full_range)
        wanted = LumaRange(self.picture.bit_depth, self.picture.full_range)
        shift = wanted.bit_depth - source.bit_depth
        if shift < 0 or source.full_range != wanted.full_range:
            return convert(luma, source, wanted), 0
        return luma, shift

    def _mux(self, packets: Sequence[Packet[Any]]) -> None:
        with disk_errors(self.path):
            for packet in packets:
                # Its own: x265 gives random dts to films of a few frames.
                dts = decoding_time(self._pts, self._packets, self._delay)
                packet.dts = dts - self._before_zero
                self._packets += 1
                self._file.mux_one(packet)

    def close(self) -> Part:
        """Finish the file.

        Returns:
            The part, with the times of its frames. Further calls return the same.

        Raises:
            MediaError: The file cannot be written.
            ValueError: No frame was written.
        """
        if self._part is None:
            if not self._pts:
                raise ValueError("a part holds at least one frame")
            self._mux(self._stream.encode(None))
            with disk_errors(self.path):
                self._file.close()
            self._part = Part(self.path, tuple(self._pts), tuple(self._durations))
        return self._part

    def __enter__(self) -> Encoder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._abandon()

    def _abandon(self) -> None:
        if self._part is None:
            with contextlib.suppress(av.FFmpegError):
                self._file.close()
        self.path.unlink(missing_ok=True)


def _fill(plane: Any, samples: Plane, shift: int = 0) -> None:
    """Copy samples ``[H, W]`` into a plane, whose rows may be padded, in one strided pass."""
    dtype = np.dtype(np.uint8 if samples.dtype == np.uint8 and not shift else np.uint16)
    rows = np.frombuffer(plane, dtype).reshape(plane.height, plane.line_size // dtype.itemsize)
    target = rows[:, : plane.width]
    if shift:
        np.left_shift(samples, shift, out=target, dtype=np.uint16)
    else:
        target[...] = samples
