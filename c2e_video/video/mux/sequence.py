"""Numbered pictures as output, and the film's sound beside them as WAV.

They are written into a folder: the pictures into its ``PICTURES``, each track of sound into ``1.wav``,
``2.wav`` and so on. The caller moves them to their places when all are whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream

from ...color.primaries import BT709
from ...color.transfer import SRGB
from ...errors import MediaError
from ...utils.files import local, remove, sync
from ..encode import Part
from ..encode.numbered_path import picture_name
from ..openexr import with_chromaticities
from .audio import AudioEncoder
from .concat import stamped
from .fields import film_fields, picture_fields
from .frame_numbers import frame_numbers, listed
from .frame_times import FrameTimes
from .plan import MuxPlan
from .selection import drop_words
from .source_packets import copied_packets, open_film
from .streams import describe, is_cover
from .tracks import PacketWriter, Track

PICTURES = "pictures"
_OF_TRACKS = ("language", "handler_name")  # fields that say nothing of the pictures


def sequence_tracks(
    source: Path, name: str, kept: Sequence[Stream], everything: Sequence[Stream]
) -> tuple[Track, ...]:
    """The tracks of sound, each to be a WAV file.

    Args:
        source: The film, for messages.
        name: What the pictures are called.
        kept: The streams that are not dropped.
        everything: All streams beside the picture.

    Raises:
        MediaError: A stream is neither sound nor a cover.
    """
    refused = [s for s in kept if not isinstance(s, AudioStream) and not is_cover(s)]
    if refused:
        words = ", ".join(f'"{word}"' for word in drop_words(refused, everything))
        raise MediaError(
            f"{source.name} has {' and '.join(map(describe, refused))}, which {name} pictures cannot "
            f"hold; write to .mkv with codec ffv1, or drop={{{words}}}"
        )
    return tuple(Track(s.index, "pcm") for s in kept if isinstance(s, AudioStream))


def sequence_notes(plan: MuxPlan, film: InputContainer, kept: Sequence[Stream]) -> list[str]:
    """A line for everything of the film that pictures do not hold, and for its sound."""
    name, info = plan.container.name, plan.info
    fields = film_fields(film, False) | picture_fields(film, plan.picture, False)
    lost = [field for field in fields if field not in _OF_TRACKS]
    notes = [
        f"{describe(film.streams[track.index])} becomes a .wav beside" for track in plan.tracks
    ]
    if lost:
        notes.append(f"{name} pictures do not keep the film's {listed(lost)}")
    if film.chapters() and plan.chapters:
        notes.append(f"{name} pictures do not keep the film's {len(film.chapters())} chapters")
    if any(map(is_cover, kept)):
        notes.append(f"{name} pictures do not keep the film's cover art")
    if not _says_colours(plan):
        notes.append(
            f"{name} pictures do not keep which primaries ({info.primaries}) and transfer curve "
            f"({info.transfer}) of ITU-T H.273 the film has"
        )
    if info.sample_aspect_ratio != 1 and name == "tiff":
        notes.append(
            f"tiff pictures do not keep that a pixel is {info.sample_aspect_ratio} as wide as high"
        )
    return notes


def _says_colours(plan: MuxPlan) -> bool:
    """Whether pictures say their primaries and curve, or need not: those of sRGB and BT.709."""
    film, name = plan.info.colorimetry, plan.container.name
    if name == "dpx":
        return film.curve is SRGB and plan.info.primaries in _DPX_CODES
    return name != "tiff" or (film.curve is SRGB and film.gamut == BT709)


def write_sequence(
    plan: MuxPlan, parts: Sequence[Part], folder: Path, pattern: str, limit: int | None = None
) -> list[str]:
    """Write the pictures of all parts, and the sound, into a folder.

    Sound begins with the first picture: what is before it is cut off, and silence fills what is missing.

    Args:
        plan: What goes into the output.
        parts: The parts, in order.
        folder: Is made; what is there is removed.
        pattern: The pictures' names, such as ``%06d.png``.
        limit: At most so many packets of the source are read; None for all.

    Returns:
        A line for everything of the source that was not as it should be.

    Raises:
        MediaError: A part is damaged, or the source cannot be read.
        OSError: The disk does not take it.
    """
    times = [pts for part in parts for pts in part.pts]
    numbers = frame_numbers(plan, times) or range(1, len(times) + 1)
    pictures = folder / PICTURES
    remove(folder)
    pictures.mkdir(parents=True)
    durations = [duration for part in parts for duration in part.durations]
    shown = FrameTimes(plan.info.time_base, times, durations)
    paths = []
    for number, packet in zip(numbers, stamped(parts, plan.settings, shown), strict=True):
        paths.append(pictures / picture_name(pattern, number))
        paths[-1].write_bytes(_content(packet, plan))
    notes = _write_sound(replace(plan, origin=times[0]), folder, limit)
    _sync_all([*paths, *folder.glob("*.wav")])
    return notes


def _content(packet: Packet[Any], plan: MuxPlan) -> bytes:
    content = bytes(packet)
    if plan.settings.codec == "dpx":
        return _dpx_named(content, plan)
    if plan.settings.codec == "exr":
        return with_chromaticities(content, plan.info.colorimetry.gamut)
    return content


# SMPTE ST 268-1: bytes of the first image element's header, and their codes.
_DPX_TRANSFER, _DPX_COLORIMETRIC = 801, 802
_DPX_USER, _DPX_BT709, _DPX_BT601_625, _DPX_BT601_525 = 0, 6, 7, 8
_DPX_CODES = {1: _DPX_BT709, 2: _DPX_BT709, 5: _DPX_BT601_625, 6: _DPX_BT601_525}


def _dpx_named(content: bytes, plan: MuxPlan) -> bytes:
    """A DPX picture that says its colours are video's; FFmpeg's encoder says they are linear light."""
    info = plan.info
    code = _DPX_CODES.get(info.primaries, _DPX_USER)
    named = bytearray(content)
    named[_DPX_TRANSFER] = code if info.colorimetry.curve.system_gamma is None else _DPX_USER
    named[_DPX_COLORIMETRIC] = code
    return bytes(named)


def _write_sound(plan: MuxPlan, folder: Path, limit: int | None) -> list[str]:
    """A WAV file for each track of sound."""
    notes: list[str] = []
    with ExitStack() as opened:
        film = opened.enter_context(open_film(plan.source))
        files: dict[int, OutputContainer] = {}
        writers: dict[int, PacketWriter] = {}
        for number, track in enumerate(plan.tracks, 1):
            wav = {"rf64": "auto"}  # above 4 GB
            file = av.open(
                local(folder / f"{number}.wav"), "w", format="wav", container_options=wav
            )
            files[track.index] = opened.enter_context(file)
            stream = cast(AudioStream, film.streams[track.index])
            encoder = AudioEncoder(file, stream, track.how, notes, from_zero=True)
            writers[track.index] = _into(file, encoder)
        for _ in copied_packets(plan, film, writers, limit, notes):
            pass
    return notes


def _into(file: OutputContainer, encoder: AudioEncoder) -> PacketWriter:
    """Writes what an encoder makes of a packet into a file of its own."""

    def write(packet: Packet[Any] | None) -> Iterator[Packet[Any]]:
        for ready in encoder.write(packet):
            file.mux_one(ready)
        yield from ()

    return write


def _sync_all(paths: Sequence[Path]) -> None:
    """Have files on the disk: all at once where the system can do that, for there may be 100,000."""
    if hasattr(os, "sync"):
        os.sync()
        return
    for path in paths:
        sync(path)
