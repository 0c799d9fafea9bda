"""Sound that does not go over as it is: named to Matroska by its Windows format, or encoded anew."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import islice
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.filter import Graph
from av.packet import Packet
from av.stream import Stream

from .streams import describe

_HEADER_PACKETS = 4  # so many are enough for FFmpeg to read a WAV file
# Gaps and overlaps above this become silence or a cut, in seconds. What is below is rounding.
_TOLERANCE = 0.04
_AAC_BITS = 96_000  # a second and channel
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
_AAC_RATES = (
    *(96000, 88200, 64000, 48000, 44100, 32000, 24000),
    *(22050, 16000, 12000, 11025, 8000, 7350),
)


def add_acm(file: OutputContainer, film: InputContainer, stream: AudioStream) -> Stream:
    """A track of Matroska's A_MS/ACM kind, in which the codec is named by its WAVEFORMATEX.

    PyAV refuses codecs without a name of their own in Matroska. The muxer takes their parameters all
    the same, with the tag that WAV has for them: they are read back from a WAV file in memory.

    Raises:
        FFmpegError, ValueError: The codec has no tag in WAV.
    """
    memory = io.BytesIO()
    with (
        av.open(film.name, metadata_errors="surrogateescape") as again,
        av.open(memory, "w", format="wav") as wav,
    ):
        source = again.streams[stream.index]
        copy = wav.add_stream_from_template(source, opaque=True)
        for packet in islice((p for p in again.demux(source) if p.size), _HEADER_PACKETS):
            packet.stream, packet.pts, packet.dts = copy, None, None
            wav.mux_one(packet)
    new = file.add_mux_stream("pcm_s16le")  # any codec that Matroska names: it is replaced
    with av.open(io.BytesIO(memory.getvalue()), format="wav") as read:
        BitStreamFilterContext("null", in_stream=read.streams.audio[0], out_stream=new)
    new.time_base = stream.time_base
    return new


class AudioEncoder:
    """Encodes a track of the film anew, at the times of its packets.

    Gaps become silence and overlaps are cut, so that the sound stays with the picture whatever the
    player does with gaps.

    Args:
        file: The output, to which a track is added.
        stream: The track of the source.
        codec: "aac" (96 kbit/s and channel), "flac" or "pcm": 16 bits, or as many as the source has.
        notes: At the end, a line about packets that could not be decoded is added.
        from_zero: Whether the sound is to begin at time zero, as in files that hold no times: earlier
            sound is cut off, silence fills what is missing.

    Raises:
        FFmpegError, ValueError: The container or the encoder does not take it.
    """

    def __init__(
        self,
        file: OutputContainer,
        stream: AudioStream,
        codec: str,
        notes: list[str],
        *,
        from_zero: bool = False,
    ) -> None:
        self._decoder: Any = stream.codec_context
        depth = _depth(stream)
        channels = self._decoder.layout.nb_channels
        rate = self._decoder.sample_rate
        if codec == "aac":
            rate = rate if rate in _AAC_RATES else 48000
        name = {"aac": "aac", "flac": "flac", "pcm": f"pcm_{depth}le"}[codec]
        new: Any = file.add_stream(
            name, rate=rate, layout=_LAYOUTS.get(channels, self._decoder.layout.name)
        )
        context = new.codec_context
        if codec == "aac":
            context.bit_rate = _AAC_BITS * channels
        elif codec == "flac":
            context.format = "s16" if depth == "s16" else "s32"
        context.open()
        self.stream: Stream = new
        self._encoder = new
        self._source, self._notes, self._failed = describe(stream), notes, 0
        self._first_pts = ":first_pts=0" if from_zero else ""
        self._graph: Graph | None = None
        self._shape: tuple[str, str, int] | None = None

    def write(self, packet: Packet[Any] | None) -> Iterator[Packet[Any]]:
        """The packets that come out after one of the source's; after None, all that are left."""
        for frame in self._decode(packet):
            shape = (frame.format.name, frame.layout.name, frame.sample_rate)
            if shape != self._shape:
                yield from self._drain()
                self._graph, self._shape = self._resampling(frame), shape
                self._first_pts = ""  # of the first shape alone
            assert self._graph is not None
            self._graph.push(frame)
            yield from self._encoded()
        if packet is None:
            yield from self._drain()
            yield from self._encoder.encode(None)
            if self._failed:
                self._notes.append(
                    f"packets of {self._source} too damaged to decode: {self._failed}; they are silent"
                )

    def _decode(self, packet: Packet[Any] | None) -> list[AudioFrame]:
        try:
            frames: list[AudioFrame] = self._decoder.decode(packet)
        except FFmpegError:
            self._failed += 1
            return []
        return frames

    def _resampling(self, frame: AudioFrame) -> Graph:
        graph, context = Graph(), self._encoder.codec_context
        graph.link_nodes(
            graph.add_abuffer(
                sample_rate=frame.sample_rate,
                format=frame.format.name,
                layout=frame.layout.name,
                time_base=frame.time_base,
            ),
            graph.add(
                "aresample",
                f"{context.sample_rate}:async=1:min_hard_comp={_TOLERANCE}{self._first_pts}",
            ),
            graph.add(
                "aformat",
                f"sample_fmts={context.format.name}:channel_layouts={context.layout.name}",
            ),
            graph.add("abuffersink"),
        )
        graph.configure()
        return graph

    def _drain(self) -> Iterator[Packet[Any]]:
        if self._graph is not None:
            self._graph.push(None)
            yield from self._encoded()
            self._graph = None

    def _encoded(self) -> Iterator[Packet[Any]]:
        assert self._graph is not None
        while True:
            try:
                frame = self._graph.pull()
            except (BlockingIOError, EOFError):
                return
            yield from self._encoder.encode(frame)


def _depth(stream: AudioStream) -> str:
    """The samples of a lossless copy: "s16", "s24", "s32" or "f32"."""
    context: Any = stream.codec_context
    form = context.format.name.removesuffix("p")
    if context.codec.lossy and not context.codec.name.startswith("pcm_"):
        return "s16"
    if form in ("flt", "dbl"):
        return "f32"
    if form == "s32":
        return "s32" if context.codec.name.startswith("pcm_s32") else "s24"
    return "s16"
