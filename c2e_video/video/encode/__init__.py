"""From painted batches to closed part files.

A film is painted segment by segment; each becomes one part, a file that is whole by itself
(``encoder.py``). ``codecs.py`` knows what each codec holds.
"""

from ...utils.choices import Codec, ProfileName
from .codecs import (
    EncodeSettings,
    conversion,
    keeps_fields,
    output_suffix,
    part_suffix,
    picture_format,
    settings_for,
)
from .encoder import Encoder
from .part import Part

__all__ = [
    "Codec",
    "EncodeSettings",
    "Encoder",
    "Part",
    "ProfileName",
    "conversion",
    "keeps_fields",
    "output_suffix",
    "part_suffix",
    "picture_format",
    "settings_for",
]
