"""Options are refused where they are given, in Python's words; what can only mean one thing is taken."""

from __future__ import annotations

import re
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from c2e_video.errors import C2EError
from c2e_video.pipeline.options import Options, window_of
from c2e_video.video.encode import EncodeSettings
from tests.factories import video_info

EXACT = "an int or a Fraction, such as Fraction(3, 2)"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("encode", "h265", "encode is an EncodeSettings, such as EncodeSettings(\"h265\"), got 'h265' (str)"),
        ("size", "256", "size is a whole number of pixels, got '256' (str)"),
        ("size", 256.0, "size is a whole number of pixels, got 256.0 (float)"),
        ("batch", True, "batch is a whole number of frames, got True (bool)"),
        ("batch", 0, "batch is 1 to 1024 frames, got 0"),
        ("saturation", "2", "saturation is a number, got '2' (str)"),
        ("weights", 3, "weights is the path of a file, or None, got 3 (int)"),
        ("start", 1.5, f"start is exact seconds: {EXACT}, got 1.5 (float)"),
        ("end", "00:01", f"end is exact seconds: {EXACT}, got '00:01' (str)"),
        ("fps", 23.976, f"fps is exact frames a second: {EXACT}, got 23.976 (float)"),
        ("drop", "audio", 'drop is a collection of kinds of streams, such as {"audio"}, got \'audio\' (str)'),
        ("device", "gpu", "device is one of 'auto', 'cpu', 'cuda', 'mps'; got 'gpu'"),
        ("precision", 16, "precision is one of 'auto', 'fp32', 'bf16', 'fp16'; got 16"),
        ("deinterlace", True, "deinterlace is one of 'off', 'auto', 'on'; got True"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_where_it_is_given(name: str, value: Any, message: str) -> None:
    with pytest.raises(C2EError, match=f"^{re.escape(message)}$"):
        Options(**{name: value})


def test_a_crf_that_is_no_number() -> None:
    wrong: Any = "18"
    with pytest.raises(C2EError, match=r"crf is a number, got '18' \(str\)"):
        EncodeSettings(crf=wrong)


def test_what_can_only_mean_one_thing_is_taken() -> None:
    given: Any = {"weights": "w.safetensors", "start": 1, "end": 3, "drop": ["audio", "data"]}
    assert Options(**given) == Options(
        weights=Path("w.safetensors"),
        start=Fraction(1),
        end=Fraction(3),
        drop=frozenset({"audio", "data"}),
    )


def test_every_option_is_documented() -> None:
    text = Options.__doc__ or ""
    for field in fields(Options):
        assert re.search(rf"^        {field.name}: \S", text, re.MULTILINE), field.name


def test_a_stretch_begins_with_the_frame_whose_time_is_written_to_the_millisecond() -> None:
    """23.976 frames a second: frame 1 is at 41.708 ms, and people write 0.042."""
    info = video_info(time_base=Fraction(1001, 24000))
    assert window_of(info, Options(start=Fraction(42, 1000))) == (1, None)
    assert window_of(info, Options(start=Fraction(43, 1000), end=1)) == (2, 24)  # type: ignore[arg-type]


def test_each_quality_has_its_encoder_preset_unless_another_is_asked_for() -> None:
    assert Options().encoding.preset == "faster"
    assert Options(quality="best").encoding.preset == "fast"
    assert Options(quality="draft").encoding.preset == "veryfast"
    assert Options(quality="draft", encode=EncodeSettings(preset="slow")).encoding.preset == "slow"
    assert Options(quality="draft", encode=EncodeSettings("ffv1")).encoding.preset is None
