"""OpenEXR says what its primaries are, and stays a file that can be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from c2e_video.color.primaries import PRIMARIES
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from c2e_video.video.decode.decoder import probe
from c2e_video.video.encode import EncodeSettings
from c2e_video.video.openexr import primaries_code, with_chromaticities
from tests.factories import video_info
from tests.media import write_film
from tests.video.test_rgb_pictures import written


@pytest.mark.parametrize("code", [5, 6, 9, 12])
def test_chromaticities_come_back(tmp_path: Path, code: int) -> None:
    """And the pictures are the same: the table of chunks leads to them."""
    info = video_info(97, 61, 8, primaries=code)
    written(tmp_path / "part.mov", info, "exr")
    with av.open(str(tmp_path / "part.mov")) as part:
        plain = next(bytes(packet) for packet in part.demux(video=0) if packet.size)
    named = with_chromaticities(plain, PRIMARIES[code])
    assert (primaries_code(plain), primaries_code(named)) == (2, code)
    planes = []
    for content in (plain, named):
        (tmp_path / "a.exr").write_bytes(content)
        with av.open(str(tmp_path / "a.exr")) as file:
            planes.append([bytes(p) for p in next(file.decode(video=0)).planes])
    assert planes[0] == planes[1]
    assert np.frombuffer(planes[0][0], np.float16).max() > 0.5


def test_bt709_need_not_be_said() -> None:
    assert with_chromaticities(b"a file", PRIMARIES[1]) == b"a file"
    assert primaries_code(b"a file") == 2


def test_a_wide_film_is_wide_again(tmp_path: Path, reference: Path, quick: Options) -> None:
    film = write_film(
        tmp_path / "film.mkv", 2, codec="ffv1", color={"color_primaries": 9, "colorspace": 9}
    )
    pattern = tmp_path / "out" / "%d.exr"
    options = replace(quick, encode=EncodeSettings("exr"))
    colorize_video(film, pattern, references=reference, options=options)
    assert probe(pattern).primaries == probe(film).primaries == 9
