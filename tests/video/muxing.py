"""Helpers for tests of muxing."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from c2e_video.video.cropping import cropped_template
from c2e_video.video.decode.decoder import decode, probe
from c2e_video.video.encode import Encoder, EncodeSettings, Part, part_suffix
from c2e_video.video.frames import ColorBatch, Crop, Frame, FrameBatch, Shot, VideoInfo
from c2e_video.video.mux import MuxPlan, mux, plan_mux

B_FRAMES: dict[str, Any] = {"options": {"qp": "-1", "crf": "30", "preset": "medium"}, "b_frames": 3}
NTSC: dict[str, Any] = {"time_base": Fraction(1, 24000), "rate": Fraction(24000, 1001)}
UNEVEN = [0, 1001, 2002, 3003, 5005, 6006, 30030, 31031, 32032, 33033, 34034, 36036]
UNEVEN += [36036 + 1001 * k for k in range(1, 13)]


H264 = EncodeSettings("h264", preset="veryfast")


FFV1 = EncodeSettings("ffv1")


def paint(
    source: Path, how: EncodeSettings, parts: int = 1, window: Any = (None, None)
) -> list[Part]:
    """The film's frames with made-up chroma, in so many parts beside it."""
    info = probe(source)
    start, stop = window
    frames = list(decode(source, info, start=start, stop=stop))
    length = -(-len(frames) // parts)
    return [
        _part(source.with_name(f"part{k}{part_suffix(how)}"), info, how, frames[k : k + length])
        for k in range(0, len(frames), length)
    ]


def _part(path: Path, info: VideoInfo, how: EncodeSettings, frames: Sequence[Frame]) -> Part:
    with Encoder(path, info, how) as encoder:
        sx, sy = encoder.picture.subsampling
        shape = (len(frames), -(-info.height // sy), -(-info.width // sx))
        depth = encoder.picture.bit_depth
        chroma = np.full(shape, 100 << (depth - 8), np.uint8 if depth == 8 else np.uint16)
        shot = Shot(0, frames[0].pts, frames[-1].pts + 1)
        encoder.write(ColorBatch(FrameBatch(tuple(frames), shot), chroma, chroma))
        return encoder.close()


def finish(
    source: Path,
    output: Path,
    how: EncodeSettings = H264,
    parts: int = 1,
    drop: frozenset[str] = frozenset(),
    window: Any = (None, None),
    **metadata: str,
) -> MuxPlan:
    plan = plan_mux(source, output, probe(source), how, drop, window=window)
    mux(plan, paint(source, how, parts, window), output, metadata)
    return plan


def picture_times(path: Path) -> list[Fraction]:
    with av.open(str(path)) as film:
        return [
            f.pts * f.time_base for f in film.decode(video=0) if f.pts is not None and f.time_base
        ]


def tracks(path: Path, kind: str) -> list[list[tuple[Fraction, bytes]]]:
    """For every stream of a kind, its packets' times in seconds and bytes."""
    with av.open(str(path)) as film:
        found: dict[int, list[tuple[Fraction, bytes]]] = {
            s.index: [] for s in film.streams if s.type == kind
        }
        for packet in film.demux():
            if packet.size and packet.stream.index in found and packet.pts is not None:
                at = packet.pts * Fraction(packet.time_base)
                found[packet.stream.index].append((at, bytes(packet)))
    return list(found.values())


def assert_same_sound(source: Path, output: Path, within: Fraction = Fraction(0)) -> None:
    before, after = tracks(source, "audio"), tracks(output, "audio")
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        assert [data for _, data in old] == [data for _, data in new]
        assert max(abs(a - b) for (a, _), (b, _) in zip(old, new, strict=True)) <= within


def hiding_borders(plain: Path, path: Path, crop: Crop, sar: Fraction | None = None) -> Path:
    """The film in a container that hides some of its borders, and turns it as before."""
    info = probe(plain)
    with (
        av.open(str(plain)) as film,
        av.open(cropped_template(film, crop), "r") as template,
        av.open(str(path), "w") as copy,
    ):
        film.seek(0)
        stream = copy.add_stream_from_template(template.streams.video[0], opaque=True)
        stream.codec_context.sample_aspect_ratio = sar or info.sample_aspect_ratio
        if info.rotation:
            stream.set_display_rotation(info.rotation)
        for packet in film.demux(video=0):
            if packet.size:
                packet.stream = stream
                copy.mux(packet)
    return path
