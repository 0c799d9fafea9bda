"""Reading films: ``probe`` describes the picture track, ``decode`` gives its frames in order.

Luma is the decoder's own Y plane, unchanged (``luma.py`` has the formats without one). Times are the
film's own (``timestamps.py``), on one clock (``discontinuity.py``). Damage does not end decoding: frames
that decode are given, the rest is counted in a ``DecodeReport``.
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
