"""How the picture is encoded: the settings, and the pictures and options that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import av
import cv2

from ...errors import MediaError
from ...utils.choices import Codec, ProfileName, Quality
from ..frames import PictureFormat, VideoInfo
from .codec_specs import CODEC_SPECS, PROFILES
from .numbered_path import PICTURE_CODECS
from .rgb import CHROMA_DEPTH, is_half

_CODECS_OF_SUFFIXES: Mapping[str, Codec] = {**PICTURE_CODECS, ".mxf": "dnxhr"}
_SUFFIXES = {"mp4": ".mp4", "mov": ".mov", "matroska": ".mkv"}


@dataclass(frozen=True)
class EncodeSettings:
    """How the picture is encoded. ``crf`` and ``preset`` are the codec's own defaults where None.

    ``crf`` is the constant quality of h264 and h265 (0 to 51) and av1 (whole, 0 to 63): lower is
    better. ``preset`` is an x264/x265 preset name, or "0" to "13" for av1. ffv1 is lossless and
    prores has the quality of its HQ profile; neither takes the two. ``profile`` goes with its own
    codec: :func:`settings_for` finds it. Raises :class:`MediaError`.
    """

    codec: Codec = "h264"
    crf: float | None = None
    preset: str | None = None
    profile: ProfileName | None = None

    def __post_init__(self) -> None:
        if self.codec not in get_args(Codec):
            raise MediaError(f"codec is one of {', '.join(get_args(Codec))}; got {self.codec!r}")
        if self.profile is not None:
            self._check_profile()
        spec = CODEC_SPECS[self.codec]
        for name, value in (("crf", self.crf), ("preset", self.preset)):
            if value is not None and getattr(spec, name) is None:
                raise MediaError(
                    f"{name} {value} means nothing to {self.codec}, which has one quality; "
                    f"leave {name} out, or take codec h264, h265 or av1"
                )
        whole = self.codec == "av1"
        if self.crf is not None and not isinstance(self.crf, (int, float)):
            raise MediaError(f"crf is a number, got {self.crf!r} ({type(self.crf).__name__})")
        if self.crf is not None and not (
            0 <= self.crf <= spec.crf_limit and (self.crf == int(self.crf) or not whole)
        ):
            kind = "a whole number from 0" if whole else "0"
            raise MediaError(
                f"crf is {kind} to {spec.crf_limit} for {self.codec}, got {self.crf:g}"
            )
        if self.preset is not None and self.preset not in spec.presets:
            raise MediaError(
                f"preset is one of {', '.join(spec.presets)} for {self.codec}, got {self.preset!r}"
            )

    def with_preset(self, quality: Quality = "standard") -> EncodeSettings:
        """The same with the preset named that counts where none is asked for.

        Args:
            quality: That of the film.

        Returns:
            The settings; without a preset where the codec has none.
        """
        spec = CODEC_SPECS[self.codec]
        usual = spec.quality_presets.get(quality, spec.preset)
        return replace(self, preset=self.preset or usual)

    def _check_profile(self) -> None:
        own = PROFILES.get(self.profile or "")
        if own is None:
            raise MediaError(f"profile is one of {', '.join(PROFILES)}; got {self.profile!r}")
        if self.codec != own.codec:
            raise MediaError(
                f"profile {self.profile} is {own.codec} in {own.suffix}, got codec {self.codec}; "
                "give one of the two"
            )


def settings_for(
    profile: ProfileName | None,
    codec: Codec | None = None,
    crf: float | None = None,
    preset: str | None = None,
    output: Path | None = None,
) -> EncodeSettings:
    """The settings of a profile, or of a codec.

    Args:
        profile: A delivery, which has its own codec.
        codec: By default the profile's, else the one that ``output`` asks for, else h264.
        crf: See :class:`EncodeSettings`.
        preset: The same.
        output: Where the film is written: pictures have the codec of their suffix, mxf has dnxhr.

    Raises:
        MediaError: The settings do not go together.
    """
    own = PROFILES.get(profile or "")
    suffix = output.suffix.lower() if output is not None else ""
    usual: Codec = own.codec if own else _CODECS_OF_SUFFIXES.get(suffix, "h264")
    return EncodeSettings(codec or usual, crf, preset, profile)


def output_suffix(settings: EncodeSettings) -> str | None:
    """The suffix the output must or should have: a profile's, or that of FFV1, ProRes or DNxHR."""
    if settings.profile is not None:
        return PROFILES[settings.profile].suffix
    return {"ffv1": ".mkv", "prores": ".mov", "dnxhr": ".mov"}.get(settings.codec)


def part_suffix(settings: EncodeSettings) -> str:
    """The usual suffix of a part's file: ".mp4", ".mov" or ".mkv"."""
    return _SUFFIXES[CODEC_SPECS[settings.codec].part]


def reorders(settings: EncodeSettings) -> bool:
    """Whether a part's packets may come in another order than its frames."""
    return CODEC_SPECS[settings.codec].reorders


def keeps_fields(info: VideoInfo, settings: EncodeSettings) -> bool:
    """Whether an interlaced film is interlaced in the output as well.

    H.265 and AV1 would code each field as a picture; H.264 needs heights that divide by four.
    """
    codec_allows = settings.codec != "h264" or info.height % 4 == 0
    return info.interlaced and CODEC_SPECS[settings.codec].fields and codec_allows


def picture_format(info: VideoInfo, settings: EncodeSettings) -> PictureFormat:
    """The output's pictures: the source's depth and range, 4:2:0 (ProRes 4:2:2).

    Where a codec lacks the source's depth it takes the next higher one it has, and luma is shifted
    left. H.264 and H.265 refuse odd sizes below 4:4:4 and get 4:4:4 then. A profile with a depth
    has that, and limited range where the codec has no other. Pictures of RGB get chroma of 16 bits at
    luma's size (``rgb.py``), whatever their own depth (:func:`rgb_format`).

    Raises:
        MediaError: The codec cannot hold the film without loss to luma.
    """
    spec = CODEC_SPECS[settings.codec]
    fixed = PROFILES[settings.profile].depth if settings.profile else None
    across, down = spec.smallest
    if info.width < across or info.height < down:
        raise MediaError(
            f"{settings.codec} needs pictures of at least {across}x{down}, "
            f"got {info.width}x{info.height}; use codec h264 or ffv1"
        )
    if info.full_range and not spec.full_range and fixed is None:
        raise MediaError(
            f"{info.path.name} has full-range luma, which {settings.codec} cannot hold unchanged; "
            f"use codec {able_codecs(info)}"
        )
    odd = info.width % 2 or info.height % 2
    sx, sy = (1, 1) if odd and not spec.odd_sizes else spec.subsampling
    if odd and settings.profile == "web":
        raise MediaError(
            f"profile web is 4:2:0, which h264 has for even sizes only, got "
            f"{info.width}x{info.height}; use codec h264 without a profile (4:4:4), or profile archive"
        )
    depth = fixed or _depth(settings.codec, info.bit_depth, sx, sy)
    if depth is None:
        raise MediaError(
            f"{info.path.name} has {info.bit_depth}-bit luma, which {settings.codec} "
            f"cannot hold; use codec {able_codecs(info)}"
        )
    if spec.rgb:
        return PictureFormat("yuv444p16le", CHROMA_DEPTH, (1, 1), info.matrix, True)
    full_range = info.full_range and spec.full_range
    return PictureFormat(_format_name(depth, sx, sy), depth, (sx, sy), info.matrix, full_range)


def rgb_format(info: VideoInfo, settings: EncodeSettings) -> tuple[str, int] | None:
    """Pixel format and depth of a picture codec for this film; None for other codecs."""
    rgb = CODEC_SPECS[settings.codec].rgb
    return next(((rgb[depth], depth) for depth in sorted(rgb) if depth >= info.bit_depth), None)


def conversion(info: VideoInfo, settings: EncodeSettings) -> str | None:
    """A line about what happens to luma; None where every sample can be got back as it was."""
    picture = picture_format(info, settings)
    if CODEC_SPECS[settings.codec].rgb:
        if info.full_range:
            return None
        return f"{settings.codec} pictures are RGB: luma below black or above white is cut off"
    steps = []
    if picture.bit_depth < info.bit_depth:
        steps.append(f"from {info.bit_depth} bits to {picture.bit_depth}")
    if picture.full_range != info.full_range:
        steps.append("from full to limited range")
    if not steps:
        return None
    return f"profile {settings.profile} takes luma {' and '.join(steps)}, each sample to the nearest step"


def _format_name(depth: int, sx: int, sy: int) -> str:
    sampling = {(2, 2): "420", (2, 1): "422", (1, 1): "444"}[sx, sy]
    return f"yuv{sampling}p" + (f"{depth}le" if depth > 8 else "")


def depths(codec: Codec, sx: int, sy: int) -> list[int]:
    """The depths the codec has at a subsampling, in bits."""
    if CODEC_SPECS[codec].rgb:
        return sorted(CODEC_SPECS[codec].rgb)
    formats = av.codec.Codec(CODEC_SPECS[codec].library, "w").video_formats or []
    names = {known.name for known in formats}
    return [depth for depth in range(8, 17) if _format_name(depth, sx, sy) in names]


def _depth(codec: Codec, least: int, sx: int, sy: int) -> int | None:
    """The lowest depth the codec has that holds ``least`` bits."""
    return next((depth for depth in depths(codec, sx, sy) if depth >= least), None)


def able_codecs(info: VideoInfo, without: Codec | None = None) -> str:
    """The codecs that hold this film's luma, for the user to choose from."""
    able = [
        codec
        for codec in get_args(Codec)
        if codec != without
        and not CODEC_SPECS[codec].rgb
        and _depth(codec, info.bit_depth, *CODEC_SPECS[codec].subsampling)
        and (CODEC_SPECS[codec].full_range or not info.full_range)
    ]
    return " or ".join(able)


def _has_avx512() -> bool:
    avx2, avx512 = 11, 13  # CV_CPU_AVX2 and CV_CPU_AVX_512F, which OpenCV does not name in Python
    return cv2.checkHardwareSupport(avx2) and cv2.checkHardwareSupport(avx512)


def encoder_options(info: VideoInfo, settings: EncodeSettings) -> dict[str, str]:
    """What the codec's encoder is told."""
    spec = CODEC_SPECS[settings.codec]
    options = dict(spec.options)
    if spec.crf is not None and spec.preset is not None:
        options["crf"] = f"{spec.crf if settings.crf is None else settings.crf:g}"
        options["preset"] = settings.preset or spec.preset
    # A 1080p frame that x264 looks at ahead of time takes 6 MB. 20 instead of the preset's 30 cost 0.02 dB.
    if settings.codec == "h264" and options["preset"] == "fast":
        options["rc-lookahead"] = "20"  # as "faster" has it
    # x264's AVX-512 code reads memory that nobody wrote: the same film gets other pictures in each run. Its
    # other instruction sets agree with one another, and AVX2 takes no longer (measured).
    if settings.codec == "h264" and _has_avx512():
        options["x264-params"] = "asm=AVX2"
    if settings.codec == "exr":
        options["format"] = "half" if is_half(info) else "float"
    if settings.codec == "dnxhr":
        deep = picture_format(info, settings).bit_depth > 8
        options["profile"] = "dnxhr_hqx" if deep else "dnxhr_hq"
    # 4x4 slices need whole chroma samples; for other sizes FFmpeg finds a division itself.
    if settings.codec == "ffv1" and info.width % 8 == info.height % 8 == 0 and info.width >= 640:
        options["slices"] = "16"
    return options
