"""docs/formats.md, told by the code itself: ``python -m tests.formats_page`` writes it anew."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from c2e_video.errors import MediaError
from c2e_video.video.decode.decoder import probe
from c2e_video.video.decode.image_file import DECODERS
from c2e_video.video.decode.luma import is_untouched
from c2e_video.video.decode.metadata import depth_of, is_rgb
from c2e_video.video.encode import EncodeSettings
from c2e_video.video.encode.codec_specs import CODEC_SPECS, PROFILES
from c2e_video.video.encode.codecs import depths
from c2e_video.video.mux import DROPPABLE, plan_mux
from c2e_video.video.mux.containers import CONTAINERS
from c2e_video.video.mux.fields import FILE_FIELDS, PACKET_FIELDS
from tests import media

PAGE = Path(__file__).parents[1] / "docs" / "formats.md"

PIXEL_FORMATS = (
    *("yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv410p", "yuva420p", "nv12", "gray", "ya8"),
    *("yuv420p10le", "yuv422p10le", "p010le", "gray10le", "yuv444p12le", "gray12le", "gray16le"),
    *("yuyv422", "uyvy422", "rgb24", "bgr0", "gbrp", "gbrp10le", "gbrp12le", "rgb48le", "pal8"),
)
SOUND = ("aac", "ac3", "libmp3lame", "opus", "flac", "alac", "pcm_s16le", "pcm_s24le")
WINDOWS_SOUND = ("adpcm_ms", "adpcm_ima_wav", "pcm_mulaw", "pcm_alaw")
WORDS = {
    "subrip": b"Hello",
    "webvtt": b"Hello",
    "mov_text": b"\0\5Hello",
    "ass": b"0,0,Default,,0,0,0,,Hello",
    "hdmv_pgs_subtitle": bytes(22),
    "dvd_subtitle": bytes(22),
    "dvb_subtitle": bytes(22),
}


def page() -> str:
    """The whole page."""
    with tempfile.TemporaryDirectory() as folder:
        return INTRODUCTION + "\n".join(
            (*_sources(), *_outputs(), *_streams(Path(folder)), *_fields(), "")
        )


INTRODUCTION = """# What goes in, what comes out

This page is made by `python -m tests.formats_page` from what the code does, and a test holds it to
that. Streams in the tables below are real ones, put through the plan that is made before the first
frame is painted.

"""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = (head, ["---"] * len(head), *rows)
    return [f"| {' | '.join(line)} |" for line in lines] + [""]


# -- what goes in ----------------------------------------------------------------------------------


def _sources() -> list[str]:
    def luma(name: str) -> str:
        form = av.VideoFormat(name)
        if is_rgb(form):
            return "computed from R, G and B by the film's matrix; theirs where all three are equal"
        return "the decoder's own plane" if is_untouched(name) else "unpacked: bits are moved only"

    rows = [(f"`{n}`", str(depth_of(av.VideoFormat(n))), luma(n)) for n in PIXEL_FORMATS]
    suffixes = ", ".join(suffix[1:] for suffix in DECODERS)
    return [
        "## In",
        "",
        "Films in any container that FFmpeg reads; mp4, mov, mkv, webm, avi, mpg, vob, ts, ogv and nut "
        f"are tested. Numbered pictures ({suffixes}) as a folder or a pattern such as "
        "`scan_%05d.dpx`, with `--fps` (24 if not told); a missing number is a hole in time and is "
        "named. Standard input as `-`. Playlists and addresses are not followed to the network.",
        "",
        "Luma is what the decoder gave:",
        "",
        *_table(("pixel format", "bits", "luma"), rows),
        "Range and matrix are the film's tags. Without tags: full range for RGB and gray (limited for "
        "gray H.264, H.265 and AV1), else limited; BT.709 above 576 lines or 1024 columns, else BT.601. "
        "Colour in the source's chroma planes is dropped, for it is painted anew.",
        "",
        "Luma changes only where it is asked for or cannot be helped, and then it is said: "
        "`--deinterlace`, a profile's depth, frames of another size, depth or range than the film's "
        "first. Packets too damaged to decode are counted; the other frames keep their time.",
        "",
    ]


# -- what comes out --------------------------------------------------------------------------------


def _outputs() -> list[str]:
    codecs = []
    for name, spec in CODEC_SPECS.items():
        sx, sy = spec.subsampling
        sampling = "RGB" if spec.rgb else {(2, 2): "4:2:0", (2, 1): "4:2:2"}[sx, sy]
        odd = sampling if spec.odd_sizes else "4:4:4"
        own = depths(name, sx, sy)  # type: ignore[arg-type]
        codecs.append(
            (
                f"`{name}`",
                "16 or 32, float" if name == "exr" else ", ".join(map(str, own)),
                sampling,
                odd,
                "kept" if spec.full_range else "refused",
                "{}x{}".format(*spec.smallest),
            )
        )
    containers = [(f"`{suffix}`", ", ".join(c.codecs), c.text) for suffix, c in CONTAINERS.items()]
    profiles = [
        (
            f"`{n}`",
            p.codec,
            p.suffix,
            f"{p.depth} bits, luma rounded, range fitted, and said"
            if p.depth
            else "the source's, bit for bit",
        )
        for n, p in PROFILES.items()
    ]
    head = ("codec", "bits", "sampling", "odd sizes", "full-range luma", "smallest picture")
    return [
        "## Out",
        "",
        "The source's depth and range. A codec that lacks the depth takes its next higher one, luma "
        "shifted left; where it has none, or not the range, it is refused with the codecs that do. "
        "FFV1 is lossless with a checksum for each slice. Numbered pictures and MXF: see "
        "[pictures and DNxHR](picture-sequences.md).",
        "",
        *_table(head, codecs),
        *_table(("container", "codecs", "plain subtitles become"), containers),
        *_table(("profile", "codec", "container", "luma"), profiles),
        "Bars around the picture, found over the whole film, and black frames get no colour. "
        "mp4 and mov have their index in front. `web` refuses odd sizes, which H.264 has in 4:4:4 only. "
        "Standard output is refused: a film is written whole or not at all.",
        "",
    ]


# -- streams ---------------------------------------------------------------------------------------


def _streams(folder: Path) -> list[str]:
    plain = media.write_film(folder / "plain.mkv", 2)
    sources: dict[str, Path] = {}
    for codec in SOUND:
        suffix = ".mov" if codec == "pcm_s24le" else ".mkv"
        name = f"{codec.removeprefix('lib').removesuffix('lame')} sound"
        sources[name] = media.write_film(folder / f"{codec}{suffix}", 2, audio=codec)
    for codec in WINDOWS_SOUND:
        name = f"{codec} sound"
        sources[name] = media.write_film(folder / f"{codec}.avi", 2, audio=codec)
    for codec, words in WORDS.items():
        sources[f"{codec} subtitles"] = with_words(plain, codec, words)
    font = [("a.ttf", "font/ttf", b"letters")]
    sources["attached fonts"] = media.write_film(folder / "font.mkv", 2, attachments=font)
    cover = [("cover.png", "image/png", media.png_bytes())]
    sources["cover art"] = media.write_film(folder / "cover.mkv", 2, attachments=cover)
    sources["chapters"] = media.write_film(folder / "chapters.mkv", 2, chapters=[(0, 1, "one")])
    sources["a timecode"] = media.write_film(
        folder / "timecode.mov", 2, metadata={"timecode": "01:02:03:04"}
    )
    # mxf, which has sound of PCM alone, and numbered pictures have a page of their own.
    elsewhere = [c for c in CONTAINERS.values() if c.is_sequence or c.name == "mxf"]
    names = list(dict.fromkeys(c.name for c in CONTAINERS.values() if c not in elsewhere))
    rows = [
        (what, *(_fate(source, folder / f"out.{name}") for name in names))
        for what, source in sources.items()
    ]
    return [
        "## Streams",
        "",
        f"Copied packet by packet; what is refused can be left out with `--drop` "
        f"({', '.join(DROPPABLE)}; one stream by its number, as `audio:2`). Sound that is refused can "
        "be encoded with `--audio` (aac, flac or pcm); all other sound is copied all the same. WMA, ADPCM "
        "and mu-law go into mkv as they are, by their Windows format (A_MS/ACM).",
        "",
        *_table(("", *names), rows),
        "## Time",
        "",
        "Every frame and packet keeps its time, at variable rates too, except:",
        "",
        "- Recordings joined end to end (ts, m2ts, mpg, vob) have a clock that starts again at each join. "
        "From there all tracks are moved by one shift, the smallest with which no track overlaps itself.",
        "- A clock that begins before zero, or in a broadcast after a minute or more, begins at zero.",
        "- A film of constant rate whose container rounded its times, as mkv does to milliseconds, has "
        "exactly that rate in mp4 and mov, if each frame is within half a millisecond of it.",
        "- In avi, which has times of decoding only, the frames of H.264 with B-frames are evenly spaced.",
        "- Of the frame rates that a container states, the one that the film's times show is taken: 25 for "
        "PAL DV, not 60000.",
        "",
    ]


def _fate(source: Path, output: Path) -> str:
    how = EncodeSettings("av1" if output.suffix == ".webm" else "h264")
    try:
        plan = plan_mux(source, output, probe(source), how)
    except MediaError:
        return "refused"
    if any("does not keep" in note for note in plan.notes):
        return "lost, and said"
    return next((n.rsplit(" ", 1)[1] for n in plan.notes if " becomes " in n), "kept")


def with_words(plain: Path, codec: str, words: bytes) -> Path:
    path = plain.with_name(f"{codec}{'.mp4' if codec == 'mov_text' else '.mkv'}")
    with av.open(str(plain)) as film, av.open(str(path), "w") as copy:
        picture = copy.add_stream_from_template(film.streams.video[0], opaque=True)
        text: Any
        if codec == "ass":
            text = copy.add_stream("ass")
            text.codec_context.subtitle_header = b"[Script Info]\r\nScriptType: v4.00+\r\n"
        else:
            text = copy.add_mux_stream(codec)
        text.time_base = Fraction(1, 1000)
        for packet in film.demux(video=0):
            if packet.size:
                packet.stream = picture
                copy.mux(packet)
        line: Any = av.Packet(words)
        line.stream, line.time_base = text, Fraction(1, 1000)
        line.pts, line.dts, line.duration = 0, 0, 40
        copy.mux(line)
    return path


# -- fields ----------------------------------------------------------------------------------------


def _fields() -> list[str]:
    of_file = ", ".join(f"`{field}`" for field in FILE_FIELDS)
    of_packets = ", ".join(f"`{field.strip('_')}…`" for field in PACKET_FIELDS)
    return [
        "## Fields",
        "",
        "Kept: sample aspect ratio, rotation and mirroring (display matrix), cropping (clap in mp4 and "
        "mov, PixelCrop in mkv and webm), colour tags, languages, dispositions, titles, timecode and reel, "
        "the film's and the streams' other metadata. What a container does not keep is named before the "
        "first frame.",
        "",
        "A timecode or the name of a reel (`TIMECODE`, `REEL_NAME`), wherever the film has it, becomes "
        "the timecode track in mov and mp4 (mp4 has no reel) and tags of the picture in mkv.",
        "",
        "Not carried over, because it is not true of another file: what a file says of itself and of the "
        f"program that wrote it ({of_file}), and of the colorized track what counted its old packets "
        f"({of_packets}).",
        "",
        "Added: a `comment` that names c2e-video, its version and the weights, after the film's own; "
        "and beside the film a `.json` of its name with all that is needed to make it again.",
        "",
        "Interlaced film whose frames are written as they are keeps its flag and the order of its fields "
        f"in {_either([n for n, spec in CODEC_SPECS.items() if spec.fields])} (h264 in heights that "
        "divide by four); elsewhere their loss is said. `--deinterlace` makes it progressive.",
        "",
        "Lost, and said: closed captions inside the pictures themselves (ATSC A/53).",
    ]


def _either(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


if __name__ == "__main__":
    PAGE.write_text(page())
