"""From colorized batches to closed part files.

A film is colorized segment by segment. Each segment becomes one part, a file that is whole by itself
(``encoder.py``). ``codec_specs.py`` says what each codec holds, ``codecs.py`` what a film becomes in it.
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
