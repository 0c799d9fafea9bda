"""The film as it is: ``probe`` says what it holds, ``decode`` gives its frames, one by one.

Luma is the decoder's own Y plane, untouched (``luma.py`` tells of the formats that have none).
Time is the film's own (``timing.py``). Damage never stops a film: what decodes is given, the rest is
counted in a ``DecodeReport`` (``pictures.py``).
"""

from ...utils.choices import Deinterlace
from .decoder import decode, frames_at, probe
from .image_sequence import base_path, check_not_among, files_of, numbered
from .report import DecodeReport

__all__ = [
    "DecodeReport",
    "Deinterlace",
    "base_path",
    "check_not_among",
    "decode",
    "files_of",
    "frames_at",
    "numbered",
    "probe",
]
