"""The library names parameters as Python does, and the command line names them as its options."""

from __future__ import annotations

import pytest

from c2e_video import cli
from c2e_video.cli.flags import with_flags


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("overwrite=True overwrites it, output=… writes elsewhere", "-y overwrites it, -o writes elsewhere"),
        ("it's deinterlace=\"on\" of the film's", "it's --deinterlace on of the film's"),
        ('drop={"audio", "data"}, or device="cpu"', "--drop audio --drop data, or --device cpu"),
        ("a smaller size=… or batch=4", "a smaller --size or --batch 4"),
        ("vgg=… or perceptual_weight=0", "--vgg or --perceptual 0"),
        ("'size=3.mp4' exists; output=…", "'size=3.mp4' exists; -o"),
        ("nothing=True, a==b", "nothing=True, a==b"),
    ],
)  # fmt: skip
def test_parameters_become_options(text: str, shown: str) -> None:
    assert with_flags(text, cli.cli) == shown
