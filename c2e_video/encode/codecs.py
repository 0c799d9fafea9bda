"""The output's codecs: what each one holds, and what may be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import av

from ..errors import MediaError
from ..frames import PictureFormat, VideoInfo

Codec = Literal["h264", "h265", "ffv1", "prores", "av1"]

_X26X_PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow", "placebo"),
)


@dataclass(frozen=True)
class Recipe:
    """What a codec's encoder is called in FFmpeg, what it takes, and what holds its parts.

    ``part`` is the muxer of its parts: one that keeps times exact where frames are reordered.
    """

    library: str
    part: str
    options: Mapping[str, str] = field(default_factory=dict)
    crf: float | None = None
    crf_limit: int = 0
    preset: str | None = None
    presets: tuple[str, ...] = ()
    subsampling: tuple[int, int] = (2, 2)
    odd_sizes: bool = True  # at its usual subsampling
    full_range: bool = True
    reorders: bool = True
    smallest: int = 1  # samples across and down


RECIPES: Mapping[str, Recipe] = {
    "h264": Recipe(
        library="libx264",
        part="mp4",
        crf=16,
        crf_limit=51,
        preset="medium",
        presets=_X26X_PRESETS,
        odd_sizes=False,
    ),
    "h265": Recipe(
        library="libx265",
        part="mp4",
        options={"x265-params": "log-level=none"},
        crf=18,
        crf_limit=51,
        preset="medium",
        presets=_X26X_PRESETS,
        odd_sizes=False,
        smallest=16,
    ),
    "ffv1": Recipe(
        library="ffv1",
        part="matroska",
        options={"level": "3", "slicecrc": "1", "g": "1"},
        reorders=False,
    ),
    "prores": Recipe(
        library="prores_ks",
        part="mov",
        options={"profile": "hq", "vendor": "apl0"},
        subsampling=(2, 1),
        full_range=False,  # no container says otherwise of ProRes
        reorders=False,
    ),
    "av1": Recipe(
        library="libsvtav1",
        part="mp4",
        crf=24,
        crf_limit=63,
        preset="8",
        presets=tuple(str(speed) for speed in range(14)),
        smallest=4,  # less is refused, and the refusal corrupts memory
    ),
}
_SUFFIXES = {"mp4": ".mp4", "mov": ".mov", "matroska": ".mkv"}


@dataclass(frozen=True)
class EncodeSettings:
    """How the picture is encoded. ``crf`` and ``preset`` are the codec's own defaults where None.

    ``crf`` is the constant quality of h264 and h265 (0 to 51) and av1 (whole, 0 to 63): lower is
    better. ``preset`` is an x264/x265 preset name, or "0" to "13" for av1. ffv1 is lossless and
    prores has the quality of its HQ profile; neither takes the two. Raises :class:`MediaError`.
    """

    codec: Codec = "h264"
    crf: float | None = None
    preset: str | None = None

    def __post_init__(self) -> None:
        if self.codec not in get_args(Codec):
            raise MediaError(f"codec is one of {', '.join(get_args(Codec))}; got {self.codec!r}")
        recipe = RECIPES[self.codec]
        for name, value in (("crf", self.crf), ("preset", self.preset)):
            if value is not None and getattr(recipe, name) is None:
                raise MediaError(
                    f"{name} {value} means nothing to {self.codec}, which has one quality; "
                    f"leave {name} out, or take codec h264, h265 or av1"
                )
        whole = self.codec == "av1"
        if self.crf is not None and not (
            0 <= self.crf <= recipe.crf_limit and (self.crf == int(self.crf) or not whole)
        ):
            kind = "a whole number from 0" if whole else "0"
            raise MediaError(
                f"crf is {kind} to {recipe.crf_limit} for {self.codec}, got {self.crf:g}"
            )
        if self.preset is not None and self.preset not in recipe.presets:
            raise MediaError(
                f"preset is one of {', '.join(recipe.presets)} for {self.codec}, "
                f"got {self.preset!r}"
            )


def part_suffix(settings: EncodeSettings) -> str:
    """The usual suffix of a part's file: ".mp4", ".mov" or ".mkv"."""
    return _SUFFIXES[RECIPES[settings.codec].part]


def reorders(settings: EncodeSettings) -> bool:
    """Whether a part's packets may come in another order than its frames."""
    return RECIPES[settings.codec].reorders


def picture_format(info: VideoInfo, settings: EncodeSettings) -> PictureFormat:
    """The output's pictures: the source's depth and range, 4:2:0 (ProRes 4:2:2).

    Where a codec lacks the source's depth it takes the next higher one it has, and luma is shifted
    left. H.264 and H.265 refuse odd sizes below 4:4:4 and get 4:4:4 then. Raises
    :class:`MediaError` for what the codec cannot hold without loss to luma.
    """
    recipe = RECIPES[settings.codec]
    if min(info.width, info.height) < recipe.smallest:
        raise MediaError(
            f"{settings.codec} needs pictures of at least {recipe.smallest}x{recipe.smallest}, "
            f"got {info.width}x{info.height}; use codec h264 or ffv1"
        )
    if info.full_range and not recipe.full_range:
        raise MediaError(
            f"{info.path.name} has full-range luma, which {settings.codec} cannot hold unchanged; "
            f"use codec {able_codecs(info)}"
        )
    odd = info.width % 2 or info.height % 2
    sx, sy = (1, 1) if odd and not recipe.odd_sizes else recipe.subsampling
    depth = _depth(settings.codec, info.bit_depth, sx, sy)
    if depth is None:
        raise MediaError(
            f"{info.path.name} has {info.bit_depth}-bit luma, which {settings.codec} "
            f"cannot hold; use codec {able_codecs(info)}"
        )
    return PictureFormat(_format_name(depth, sx, sy), depth, (sx, sy), info.matrix, info.full_range)


def _format_name(depth: int, sx: int, sy: int) -> str:
    sampling = {(2, 2): "420", (2, 1): "422", (1, 1): "444"}[sx, sy]
    return f"yuv{sampling}p" + (f"{depth}le" if depth > 8 else "")


def _depth(codec: Codec, least: int, sx: int, sy: int) -> int | None:
    """The lowest depth the codec has that holds ``least`` bits."""
    formats = av.codec.Codec(RECIPES[codec].library, "w").video_formats or []
    names = {known.name for known in formats}
    fitting = (depth for depth in range(least, 17) if _format_name(depth, sx, sy) in names)
    return next(fitting, None)


def able_codecs(info: VideoInfo, without: Codec | None = None) -> str:
    """The codecs that hold this film's luma, for the user to choose from."""
    able = [
        codec
        for codec in get_args(Codec)
        if codec != without
        and _depth(codec, info.bit_depth, *RECIPES[codec].subsampling)
        and (RECIPES[codec].full_range or not info.full_range)
    ]
    return " or ".join(able)


def encoder_options(info: VideoInfo, settings: EncodeSettings) -> dict[str, str]:
    """What the codec's encoder is told."""
    recipe = RECIPES[settings.codec]
    options = dict(recipe.options)
    if recipe.crf is not None and recipe.preset is not None:
        options["crf"] = f"{recipe.crf if settings.crf is None else settings.crf:g}"
        options["preset"] = settings.preset or recipe.preset
    # 4x4 slices need whole chroma samples; for other sizes FFmpeg finds a division itself.
    if settings.codec == "ffv1" and info.width % 8 == info.height % 8 == 0 and info.width >= 640:
        options["slices"] = "16"
    return options
