"""The qualities a person chooses from, in terms of the run's options."""

from __future__ import annotations

from typing import cast, get_args

from ..pipeline.options import Options
from ..utils.choices import Quality

QUALITIES: tuple[str, ...] = get_args(Quality)


def with_quality(options: Options, quality: str) -> Options:
    """The options at one of ``QUALITIES``. A size below 192 that was asked for stays: it is for tests."""
    return options if options.size < 192 else options.at_quality(cast(Quality, quality))
