"""What each codec of the output holds, and the deliveries that name one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...utils.choices import Codec, Quality

_X26X_PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow", "placebo"),
)


@dataclass(frozen=True)
class CodecSpec:
    """What a codec's encoder is called in FFmpeg, what it takes, and what holds its parts.

    ``part`` is the muxer of its parts: one that keeps times exact where frames are reordered. ``threads``
    is 0 for one a processor. It is fixed where the pictures depend on it: every machine writes the same.
    ``quality_presets`` are the presets of a draft and of the best quality, where they differ from ``preset``.
    ``rgb`` has a pixel format for each depth where pictures are R'G'B' (``rgb.py``).
    """

    library: str
    part: str
    options: Mapping[str, str] = field(default_factory=dict)
    crf: float | None = None
    crf_limit: int = 0
    preset: str | None = None
    quality_presets: Mapping[Quality, str] = field(default_factory=dict)
    presets: tuple[str, ...] = ()
    subsampling: tuple[int, int] = (2, 2)
    odd_sizes: bool = True  # at its usual subsampling
    full_range: bool = True
    reorders: bool = True
    smallest: tuple[int, int] = (1, 1)  # samples across and down
    rgb: Mapping[int, str] = field(default_factory=dict)
    fields: bool = False  # whether it says that frames are interlaced, and in which order
    threads: int = 0


def _pictures(library: str, rgb: Mapping[int, str], **options: str) -> CodecSpec:
    """A codec of single pictures. QuickTime files hold its parts, whatever it is."""
    return CodecSpec(library, "mov", options, subsampling=(1, 1), reorders=False, rgb=rgb)


CODEC_SPECS: Mapping[str, CodecSpec] = {
    "h264": CodecSpec(
        library="libx264",
        part="mp4",
        crf=16,
        crf_limit=51,
        preset="faster",
        quality_presets={"draft": "veryfast", "best": "fast"},
        presets=_X26X_PRESETS,
        odd_sizes=False,
        threads=6,  # each takes 15 MB at 1080p
        fields=True,
    ),
    "h265": CodecSpec(
        library="libx265",
        part="mp4",
        options={"x265-params": "log-level=none"},
        crf=18,
        crf_limit=51,
        preset="medium",
        presets=_X26X_PRESETS,
        odd_sizes=False,
        smallest=(16, 16),
    ),
    "ffv1": CodecSpec(
        library="ffv1",
        part="matroska",
        options={"level": "3", "slicecrc": "1", "g": "1"},
        reorders=False,
        fields=True,
    ),
    "prores": CodecSpec(
        library="prores_ks",
        part="mov",
        options={"profile": "hq", "vendor": "apl0"},
        subsampling=(2, 1),
        full_range=False,  # no container says otherwise of ProRes
        reorders=False,
        fields=True,
    ),
    "dnxhr": CodecSpec(
        library="dnxhd",
        part="mov",
        subsampling=(2, 1),
        reorders=False,
        smallest=(256, 120),  # SMPTE ST 2019-1
    ),
    "av1": CodecSpec(
        library="libsvtav1",
        part="mp4",
        crf=24,
        crf_limit=63,
        preset="8",
        presets=tuple(str(speed) for speed in range(14)),
        smallest=(4, 4),  # less is refused, and the refusal corrupts memory
    ),
    "png": _pictures("png", {8: "rgb24", 16: "rgb48be"}, pred="mixed"),
    "tiff": _pictures("tiff", {8: "rgb24", 16: "rgb48le"}, compression_algo="raw"),
    "dpx": _pictures("dpx", {8: "rgb24", 10: "gbrp10be", 12: "gbrp12be", 16: "rgb48be"}),
    "exr": _pictures("exr", {16: "gbrpf32le"}, compression="zip16"),
}


@dataclass(frozen=True)
class Profile:
    """A delivery: its codec and container, and its depth where that is not the source's own.

    Where it has a depth, luma is brought to that, and to a range the codec has: the one place where
    luma is changed, and said before the first frame.
    """

    codec: Codec
    suffix: str
    depth: int | None = None


PROFILES: Mapping[str, Profile] = {
    "web": Profile("h264", ".mp4", depth=8),
    "master": Profile("prores", ".mov", depth=10),
    "archive": Profile("ffv1", ".mkv"),
}
