"""Tiny films for everybody's tests, and plain PyAV code to read them back.

Everything here is deterministic. The default codec of a container is lossless where it has one
(H.264 at qp 0), so that ``luma(...)`` is exactly what a decoder returns. Nothing here uses the
package under test.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np

from c2e_video.utils.arrays import Plane

Size = tuple[int, int]

CODECS = {
    ".mp4": "libx264",
    ".mov": "libx264",
    ".ts": "libx264",
    ".m2ts": "libx264",
    ".mkv": "libx264",
    ".avi": "ffv1",
    ".nut": "ffv1",
    ".webm": "libvpx-vp9",
    ".mpg": "mpeg2video",
}
OPTIONS: dict[str, dict[str, str]] = {
    "libx264": {"qp": "0", "preset": "veryfast", "threads": "1"},
    "libx265": {"x265-params": "lossless=1:log-level=none", "preset": "ultrafast"},
    "libvpx-vp9": {"lossless": "1", "cpu-used": "8", "threads": "1"},
    "ffv1": {"threads": "1"},
    "libsvtav1": {"preset": "12"},
}


# -- pictures --------------------------------------------------------------------------------------


def luma(index: int, *, shot: int = 0, size: Size = (64, 48), bit_depth: int = 8) -> Plane:
    """The Y plane ``[height, width]`` of frame ``index`` of a shot: moving texture on a slope.

    Shots differ in texture, slope, mean and direction. Samples stay inside the limited range.
    """
    width, height = size
    random = np.random.default_rng(1000 + shot)
    coarse = random.random((height // 8 + 2, width // 8 + 2))
    texture = np.kron(coarse, np.ones((8, 8)))[:height, :width] + 0.25 * random.random(
        (height, width)
    )
    angle = random.random() * 2 * np.pi
    y, x = np.mgrid[:height, :width]
    slope = (x * np.cos(angle) / width + y * np.sin(angle) / height) / 2
    mean = (0.25, 0.6, 0.4, 0.75)[shot % 4]
    step = index if shot % 2 == 0 else -index
    unit = mean + 0.35 * (np.roll(texture, 2 * step, axis=1) / 1.25 - 0.5) + 0.3 * slope
    scale = 1 << (bit_depth - 8)
    values: Plane = np.rint((16 + 219 * np.clip(unit, 0, 1)) * scale).astype(
        np.uint8 if bit_depth == 8 else np.uint16
    )
    return values


def plane_array(plane: Any, bit_depth: int, *, big_endian: bool = False) -> Plane:
    """A writable view ``[rows, samples]`` of a one-component plane, row padding cut off."""
    dtype = np.dtype(np.uint8 if bit_depth <= 8 else (">u2" if big_endian else "<u2"))
    rows: Any = np.frombuffer(plane, dtype).reshape(plane.height, plane.line_size // dtype.itemsize)
    view: Plane = rows[:, : plane.width]
    return view


def picture(y: Plane, pixel_format: str = "yuv420p") -> av.VideoFrame:
    """A frame of ``pixel_format`` whose Y plane (or R = G = B, or gray) is ``y``.

    ``y`` has the depth of the format. Chroma planes are flat and not neutral.
    """
    height, width = y.shape
    frame = av.VideoFrame(width, height, pixel_format)
    first = frame.format.components[0]
    if frame.format.is_rgb or frame.format.has_palette or not _planar_luma(frame.format.name):
        return _packed(y, pixel_format)
    planes: Sequence[Any] = frame.planes
    for index, plane in enumerate(planes):
        samples = plane_array(plane, first.bits, big_endian=frame.format.is_big_endian)
        if index == 0:
            samples[:] = y
        else:
            np.frombuffer(plane, samples.dtype)[:] = (1 << (first.bits - 1)) + index * 9
    return frame


def _planar_luma(name: str) -> bool:
    return name.startswith(("yuv4", "yuvj", "yuva", "gray", "nv"))


def _packed(y: Plane, pixel_format: str) -> av.VideoFrame:
    """Formats whose luma shares a plane: written by swscale from an equal planar picture."""
    if pixel_format == "pal8":
        frame = av.VideoFrame(y.shape[1], y.shape[0], "pal8")
        plane_array(frame.planes[0], 8)[:] = y
        palette = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 4, axis=1)
        palette[:, 3] = 255
        colors: Any = frame.planes[1]
        np.frombuffer(colors, np.uint8)[:] = palette.ravel()
        return frame
    deep = "" if y.dtype == np.uint8 else f"{_depth(pixel_format)}le"
    if av.VideoFormat(pixel_format).is_rgb:
        frame = av.VideoFrame(y.shape[1], y.shape[0], f"gbrp{deep}")
        for plane in frame.planes:
            plane_array(plane, 16 if deep else 8)[:] = y
        return frame.reformat(format=pixel_format, threads=1)
    between = {"ya": "gray", "p0": "yuv420p"}.get(pixel_format[:2], "yuv422p")
    return picture(y, f"{between}{deep}").reformat(format=pixel_format, threads=1)


def _depth(pixel_format: str) -> int:
    return max(component.bits for component in av.VideoFormat(pixel_format).components)


# -- films -----------------------------------------------------------------------------------------


def write_film(
    path: Path,
    frames: int = 12,
    size: Size = (64, 48),
    *,
    shots: Sequence[int] | None = None,
    pixel_format: str = "yuv420p",
    codec: str | None = None,
    options: Mapping[str, str] | None = None,
    rate: Fraction | int = 25,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    b_frames: int = 0,
    gop: int = 12,
    audio: str | Sequence[str] | None = None,
    sound_seconds: float | None = None,
    languages: Sequence[str] = (),
    subtitles: Sequence[tuple[float, float, str]] | None = None,
    attachments: Sequence[tuple[str, str, bytes]] = (),
    chapters: Sequence[tuple[float, float, str]] = (),
    metadata: Mapping[str, str] | None = None,
    sar: Fraction | None = None,
    rotation: int = 0,
    color: Mapping[str, int] | None = None,
    container_options: Mapping[str, str] | None = None,
    pictures: Sequence[av.VideoFrame] | None = None,
) -> Path:
    """Write a film and return ``path``.

    ``shots`` are lengths in frames (``frames`` is then their sum); ``pts`` is one integer a frame
    in ``time_base`` (default 1/rate) for variable rates. ``audio`` is one codec or several,
    as long as the film or ``sound_seconds``;
    ``subtitles`` and ``chapters`` are ``(start, end, text)`` in seconds; ``attachments`` are
    ``(name, mimetype, data)`` (an image type is cover art). ``color`` sets ``color_range``,
    ``colorspace``, ``color_trc``, ``color_primaries`` on encoder and frames. ``pictures``
    replaces the generated ones.
    """
    rate = Fraction(rate)
    base = time_base or 1 / rate
    codec = codec or CODECS[path.suffix]
    film = (
        list(pictures)
        if pictures is not None
        else list(_moving(shots or [frames], size, pixel_format))
    )
    times = list(pts) if pts is not None else list(range(len(film)))
    with av.open(str(path), "w", container_options=dict(container_options or {})) as output:
        output.metadata.update(metadata or {})
        video: Any = output.add_stream(
            codec, rate=rate, options=OPTIONS.get(codec, {}) | dict(options or {})
        )
        video.width, video.height, video.pix_fmt = film[0].width, film[0].height, pixel_format
        context = video.codec_context
        context.time_base = base
        context.gop_size = gop
        context.max_b_frames = b_frames
        for name, value in (color or {}).items():
            setattr(context, name, value)
        if sar:
            context.sample_aspect_ratio = sar
        if rotation:
            video.set_display_rotation(rotation)
        tracks = _audio_streams(
            output, [audio] if isinstance(audio, str) else audio or [], languages
        )
        text: Any = None
        if subtitles:
            text = output.add_mux_stream(_subtitle_codec(path))
            text.time_base = Fraction(1, 1000)
        for attachment in attachments:
            output.add_attachment(*attachment)
        if chapters:
            output.set_chapters([_chapter(i, *chapter) for i, chapter in enumerate(chapters)])
        for frame, time in zip(film, times, strict=True):
            frame.pts, frame.time_base = time, base
            for name, value in (color or {}).items():
                setattr(frame, name, value)
            output.mux(video.encode(frame))
        output.mux(video.encode())
        seconds = sound_seconds or float((times[-1] + 1) * base)
        for number, track in enumerate(tracks):
            _write_sound(output, track, seconds, 220.0 * (number + 1))
        for start, end, line in subtitles or ():
            output.mux(_subtitle(text, _subtitle_codec(path), start, end, line))
    return path


def _moving(shots: Sequence[int], size: Size, pixel_format: str) -> Iterator[av.VideoFrame]:
    depth = min(16, max(8, _depth(pixel_format)))
    for shot, length in enumerate(shots):
        for index in range(length):
            yield picture(luma(index, shot=shot, size=size, bit_depth=depth), pixel_format)


def _chapter(number: int, start: float, end: float, title: str) -> Any:
    return {
        "id": number,
        "start": round(start * 1000),
        "end": round(end * 1000),
        "time_base": Fraction(1, 1000),
        "metadata": {"title": title},
    }


def _audio_streams(output: Any, codecs: Sequence[str], languages: Sequence[str]) -> list[Any]:
    streams = []
    for number, codec in enumerate(codecs):
        stream = output.add_stream(codec, rate=48000, layout="mono")
        if number < len(languages):
            stream.metadata["language"] = languages[number]
        streams.append(stream)
    return streams


def _write_sound(output: Any, stream: Any, seconds: float, pitch: float) -> None:
    """A steady tone as long as the film."""
    total = round(seconds * 48000)
    wave = 0.2 * np.sin(2 * np.pi * pitch * np.arange(total) / 48000, dtype=np.float32)
    wave = wave.astype(np.float32)
    chunk = stream.codec_context.frame_size or 1024
    resampler = av.AudioResampler(format=stream.format, layout="mono", rate=48000, frame_size=chunk)
    for at in range(0, total, chunk):
        sound = av.AudioFrame.from_ndarray(wave[None, at : at + chunk].copy(), "fltp", "mono")
        sound.sample_rate, sound.pts, sound.time_base = 48000, at, Fraction(1, 48000)
        for ready in resampler.resample(sound):
            output.mux(stream.encode(ready))
    for ready in resampler.resample(None):
        output.mux(stream.encode(ready))
    output.mux(stream.encode())


def _subtitle_codec(path: Path) -> str:
    return "mov_text" if path.suffix in (".mp4", ".mov") else "subrip"


def _subtitle(stream: Any, codec: str, start: float, end: float, line: str) -> av.Packet[Any]:
    text = line.encode()
    if codec == "mov_text":
        text = len(text).to_bytes(2, "big") + text
    packet: av.Packet[Any] = av.Packet(text)
    packet.stream, packet.time_base = stream, Fraction(1, 1000)
    packet.pts = packet.dts = round(start * 1000)
    packet.duration = round((end - start) * 1000)
    return packet


def png_bytes() -> bytes:
    """A picture file."""
    encoder: Any = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 16, 16, "gray"
    encoder.time_base = Fraction(1, 25)
    return bytes(encoder.encode(picture(luma(0, size=(16, 16)), "gray"))[0])


# -- reading back ----------------------------------------------------------------------------------


class PacketRecord(NamedTuple):
    """One packet: its times in its stream's ``time_base``, its bytes, and its stream's index."""

    pts: int | None
    dts: int | None
    duration: int | None
    data: bytes
    stream: int


def _frames(path: Path) -> Iterator[av.VideoFrame]:
    with av.open(str(path), metadata_errors="surrogateescape") as film:
        stream = next(
            s for s in film.streams.video if not s.disposition & av.stream.Disposition.attached_pic
        )
        yield from film.decode(stream)


def video_pts(path: Path) -> list[int | None]:
    """The pts of every decoded frame of the first video track."""
    return [frame.pts for frame in _frames(path)]


def luma_frames(path: Path) -> list[Plane]:
    """Plane 0 of every decoded frame as the decoder left it, for planar YUV and gray films."""
    return [
        plane_array(
            f.planes[0], f.format.components[0].bits, big_endian=f.format.is_big_endian
        ).copy()
        for f in _frames(path)
    ]


def picture_digests(path: Path) -> list[tuple[int | None, str]]:
    """The pts and a digest of all samples of every decoded frame of the first video track."""
    return [
        (f.pts, hashlib.sha256(b"".join(map(bytes, f.planes))).hexdigest()) for f in _frames(path)
    ]


def packets(path: Path, kind: str) -> list[PacketRecord]:
    """Every packet of the streams of ``kind`` (video, audio, subtitle, data), in file order."""
    with av.open(str(path)) as film:
        return [
            PacketRecord(p.pts, p.dts, p.duration, bytes(p), p.stream.index)
            for p in film.demux()
            if p.stream.type == kind and p.size
        ]
