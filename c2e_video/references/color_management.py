"""Pictures to sRGB, from the colour space that their file names.

The first of these that is there holds: PNG's cICP, an ICC profile, HEIF's nclx code points, PNG's sRGB,
PNG's gAMA and cHRM, Exif's "R03" (Adobe RGB, DCF 2.0). The order is that of the PNG specification (third
edition, section 4.3) and of HEIF (ISO 23008-12, 6.5.5). A picture that names none is sRGB. A profile that is
damaged, or of another kind than the samples, is passed over, as viewers do.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
import torch
from PIL import ExifTags, Image, ImageCms

from ..color.display import rgb_to_srgb
from ..color.primaries import ADOBE_RGB, BT709, UNSPECIFIED, Primaries, primaries_of
from ..color.transfer import (
    SRGB,
    Transfer,
    power_curve,
    srgb_encode,
    srgb_linear,
    transfer_of,
)

# Modes of Pillow by the signature of an ICC profile's data colour space.
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}
_DISPLAY_GAMMA = 2.2  # a PNG whose gAMA is 1 / 2.2 is shown as it is (PNG, section 13.13)
_EXIF_ADOBE_RGB = 2  # ColorSpace of Exif; not in the standard, but written by cameras
_HEAD = 1 << 16  # bytes of a HEIF or JPEG 2000 file in which its colour box lies
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class ColorSpace(NamedTuple):
    """RGB primaries and a transfer curve."""

    primaries: Primaries
    transfer: Transfer


def to_srgb(picture: Image.Image, file: BinaryIO, adobe_rgb: bool) -> Image.Image:
    """A picture in sRGB.

    Args:
        picture: Mode "L", "RGB", "RGBA", "CMYK" or "LAB", with the ``info`` Pillow read of its file.
        file: That file, open for reading; what Pillow does not tell is read from it.
        adobe_rgb: What :func:`says_adobe_rgb` found in the picture as it was opened.

    Returns:
        The picture in mode "RGB"; in "RGBA" if it had alpha, which is not changed. The picture itself if
        it is sRGB.
    """
    head = _head_of(file)
    profile = picture.info.get("icc_profile") or _jpeg2000_profile(picture, head)
    space = None if profile and picture.format != "PNG" else _by_code_points(picture, head)
    if space is None and profile:
        converted = _through_profile(picture, profile)
        if converted is not None:
            return converted
    if picture.mode == "LAB":
        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        return _transformed(picture, lab)
    plain = picture if picture.mode in ("RGB", "RGBA") else picture.convert("RGB")
    adobe = ColorSpace(ADOBE_RGB, power_curve(563 / 256)) if adobe_rgb else None
    space = space or _by_gamma(picture) or adobe
    if space is None or space == ColorSpace(BT709, SRGB):
        return plain
    return _from_rgb(plain, space)


def _head_of(file: BinaryIO) -> bytes:
    """The bytes of the file in which its colour space is named."""
    file.seek(0)
    start = file.read(len(_PNG_SIGNATURE))
    if start != _PNG_SIGNATURE:
        return start + file.read(_HEAD)
    return b"".join(kind + body for kind, body in _png_chunks(file) if kind == b"cICP")


def _png_chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """The chunks before the picture's own, without their contents but for short ones."""
    while len(start := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", start)
        if kind == b"IDAT":
            return
        body = file.read(min(length, 64))
        yield kind, body
        file.seek(length - len(body) + 4, io.SEEK_CUR)


def _by_code_points(picture: Image.Image, head: bytes) -> ColorSpace | None:
    """What H.273 code points say: of PNG's cICP, or of the nclx box of AVIF and HEIF."""
    codes = head[4:6] if head.startswith(b"cICP") else b""
    if picture.format in ("AVIF", "HEIF"):
        box = _color_box(head)
        codes = box[5:8:2] if box.startswith(b"nclx") else b""
    if len(codes) < 2 or set(codes) <= {0, UNSPECIFIED}:
        return None
    return ColorSpace(primaries_of(codes[0]), transfer_of(codes[1]))


def _jpeg2000_profile(picture: Image.Image, head: bytes) -> bytes | None:
    """The ICC profile of a JPEG 2000 file (ISO 15444-1, I.5.3.3: methods 2 and 3)."""
    box = _color_box(head) if picture.format == "JPEG2000" else b""
    return box[3:] if box[:1] in (b"\2", b"\3") else None


def _color_box(head: bytes) -> bytes:
    """The content of the first "colr" box, as HEIF and JPEG 2000 have it; empty without one."""
    at = head.find(b"colr")
    size = int.from_bytes(head[at - 4 : at], "big") if at >= 4 else 0
    return head[at + 4 : at - 4 + size]


def _through_profile(picture: Image.Image, profile: bytes) -> Image.Image | None:
    """The picture by its ICC profile; None where that is damaged or of other samples."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _MODES.get(source.profile.xcolor_space.strip())
        if mode is None or mode != picture.mode.removesuffix("A"):
            return None
        if (source.profile.profile_description or "").startswith("sRGB"):
            return picture
        return _transformed(picture, source)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def _transformed(picture: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    """By relative colorimetry with black point compensation, as Photoshop does unless told otherwise."""
    mode = picture.mode.removesuffix("A")
    transform = ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    samples = picture if picture.mode == mode else picture.convert(mode)
    converted = transform.apply(samples)
    if mode != picture.mode:
        converted.putalpha(picture.getchannel("A"))
    return converted


def _by_gamma(picture: Image.Image) -> ColorSpace | None:
    """What PNG's gAMA and cHRM say, unless sRGB is named beside them."""
    gamma, chromaticity = picture.info.get("gamma"), picture.info.get("chromaticity")
    if picture.format != "PNG" or "srgb" in picture.info or not (gamma or chromaticity):
        return None
    transfer, primaries = SRGB, BT709
    if gamma and abs(gamma * _DISPLAY_GAMMA - 1) > 0.01:
        transfer = Transfer(
            lambda encoded: srgb_linear(encoded ** (1 / (gamma * _DISPLAY_GAMMA))), srgb_encode
        )
    if chromaticity and len(chromaticity) == 8:
        wx, wy, rx, ry, gx, gy, bx, by = chromaticity
        given = Primaries((rx, ry), (gx, gy), (bx, by), (wx, wy))
        if not np.allclose(np.array(given), np.array(BT709), atol=0.002):
            primaries = given
    return ColorSpace(primaries, transfer)


def says_adobe_rgb(picture: Image.Image) -> bool:
    """Whether Exif says Adobe RGB (1998): by the interoperability index, or by ColorSpace 2.

    It is to be asked of a picture just opened: Pillow does not keep Exif with one that it has worked on.
    """
    try:
        exif = picture.getexif()
        index = exif.get_ifd(ExifTags.IFD.Interop).get(ExifTags.Interop.InteropIndex)
        space = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.ColorSpace)
    except Exception:  # a damaged Exif makes its reader raise nearly anything
        return False
    if isinstance(index, bytes):
        index = index.decode("ascii", "replace")
    return space == _EXIF_ADOBE_RGB or (isinstance(index, str) and index.startswith("R03"))


def _from_rgb(picture: Image.Image, space: ColorSpace) -> Image.Image:
    """RGB or RGBA of ``space`` as sRGB."""
    samples = torch.tensor(np.asarray(picture.convert("RGB")), dtype=torch.float32) / 255
    srgb = rgb_to_srgb(samples.permute(2, 0, 1), *space)
    converted = Image.fromarray(srgb.permute(1, 2, 0).mul(255).round().byte().numpy())
    if picture.mode == "RGBA":
        converted.putalpha(picture.getchannel("A"))
    return converted
