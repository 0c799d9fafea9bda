"""Where numbered pictures are written: a pattern such as ``out/%06d.png``, in a folder of its own."""

from __future__ import annotations

import re
from pathlib import Path

from ...utils.choices import Codec

# The codecs of single pictures, by the suffix of their files.
PICTURE_CODECS: dict[str, Codec] = {
    ".png": "png",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".dpx": "dpx",
    ".exr": "exr",
}
_NUMBER = re.compile(r"%(?:0(\d+))?d")


def is_pattern(output: Path) -> bool:
    """Whether an output is numbered pictures: it has one ``%d`` or ``%06d`` and a picture's suffix."""
    return output.suffix.lower() in PICTURE_CODECS and len(_NUMBER.findall(output.name)) == 1


def place_of(output: Path) -> Path:
    """What is replaced when the output is written: the folder of numbered pictures, else the file."""
    return output.parent if is_pattern(output) else output


def picture_name(pattern: str, number: int) -> str:
    """The name of one picture: ``%06d.png`` and 7 are ``000007.png``."""
    return _NUMBER.sub(lambda match: f"{number:0{int(match[1] or 1)}d}", pattern)


def is_picture_of(pattern: str, name: str) -> bool:
    """Whether a file's name is that of a picture of this pattern."""
    before, _, after = _NUMBER.split(pattern)
    return re.fullmatch(f"{re.escape(before)}\\d+{re.escape(after)}", name) is not None
