"""The qualities a person chooses from, in terms of the run's options."""

from __future__ import annotations

from dataclasses import replace

from ..pipeline.options import Options

QUALITIES = ("draft", "standard", "best")
_SIZES = {"draft": 192, "standard": 256, "best": 384}


def with_quality(options: Options, quality: str) -> Options:
    """The options at one of ``QUALITIES``. A size below 256 that was asked for stays: it is for tests."""
    if options.size < 192:
        return options
    return replace(options, size=_SIZES[quality])
