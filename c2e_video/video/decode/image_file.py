"""One picture file, decoded by FFmpeg."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from av.error import InvalidDataError
from av.video.frame import VideoFrame

from ...color.transfer import srgb_encode
from ..openexr import primaries_code
from .demuxer import MAX_SAMPLES

# FFmpeg's decoders by the suffix in lower case.
DECODERS = {
    ".png": "png",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".dpx": "dpx",
    ".exr": "exr",
    ".jpg": "mjpeg",
    ".jpeg": "mjpeg",
    ".jp2": "jpeg2000",
    ".j2k": "jpeg2000",
    ".j2c": "jpeg2000",
    ".webp": "webp",
    ".bmp": "bmp",
    ".tga": "targa",
}
_SRGB_CURVE = 13  # IEC 61966-2-1, as ITU-T H.273 numbers it


def is_image(path: Path) -> bool:
    """Whether a file has the suffix of a picture, in any case."""
    return path.suffix.lower() in DECODERS


def decode_image(file: Path) -> tuple[VideoFrame, Any]:
    """Decode a picture file.

    Args:
        file: A file with a suffix of ``DECODERS``, in any case.

    Returns:
        The picture, and its decoder's context. Float samples (OpenEXR) become 16 bits, full range: linear
        light 0 to 1 through the sRGB curve; what lies outside is clipped.

    Raises:
        FFmpegError: The file is damaged, or is not what its suffix says.
        OSError: The file cannot be read.
    """
    context: Any = av.CodecContext.create(DECODERS[file.suffix.lower()], "r")
    context.options = {"max_pixels": str(MAX_SAMPLES)}
    context.thread_count = 1
    content = file.read_bytes()
    packet: Any = av.Packet(content)
    pictures = context.decode(packet) if packet.size else []
    if not pictures:
        raise InvalidDataError(0, "no picture", str(file))
    picture = pictures[0]
    if _is_float(picture):
        picture = _in_steps(picture)
        picture.color_primaries = primaries_code(content)
    return picture, context


def _is_float(picture: VideoFrame) -> bool:
    return picture.format.name.startswith(("grayf", "gbrpf", "gbrapf"))


def _in_steps(picture: VideoFrame) -> VideoFrame:
    """Linear light in float samples as steps of 16 bits, by the sRGB curve."""
    kind = np.dtype("<f2" if picture.format.components[0].bits == 16 else "<f4")
    if picture.format.is_big_endian:
        kind = kind.newbyteorder(">")
    gray = picture.format.name.startswith("gray")
    made = VideoFrame(picture.width, picture.height, "gray16le" if gray else "gbrp16le")
    sources: Any = picture.planes  # alpha, where there is one, is the last
    targets: Any = made.planes
    for source, target in zip(sources, targets, strict=False):
        samples = np.frombuffer(source, kind).reshape(source.height, -1)[:, : source.width]
        light = torch.from_numpy(np.nan_to_num(samples.astype(np.float64)).clip(0, 1))
        rows = np.frombuffer(target, np.uint16).reshape(target.height, -1)
        rows[:, : target.width] = np.rint(srgb_encode(light).numpy() * 65535)
    made.color_range, made.color_trc = 2, _SRGB_CURVE
    return made
