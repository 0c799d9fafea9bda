"""What ``probe`` tells of a film: size, tags, range, matrix."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from c2e_video.errors import MediaError
from c2e_video.video.decode.decoder import probe
from tests.media import (
    luma,
    picture,
    write_film,
)
from tests.video.decoding import frames_of


def test_probe_tells_what_was_written(tmp_path: Path) -> None:
    film = write_film(
        tmp_path / "film.mov",
        size=(66, 50),
        rate=Fraction(24000, 1001),
        sar=Fraction(4, 3),
        rotation=90,
        audio="aac",
    )
    info = probe(film)
    assert (info.width, info.height, info.pixel_format, info.bit_depth) == (66, 50, "yuv420p", 8)
    assert info.frame_rate == Fraction(24000, 1001)
    assert info.sample_aspect_ratio == Fraction(4, 3)
    assert info.rotation == 90
    assert info.frame_count == 12
    assert info.duration_seconds == pytest.approx(12 * 1001 / 24000, abs=1e-3)
    assert info.path == film
    assert not info.interlaced


def test_probe_takes_a_path_as_text(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv", frames=2)
    assert probe(str(film)) == probe(film)


@pytest.mark.parametrize(
    ("size", "color", "matrix"),
    [
        ((64, 48), {}, "bt601"),
        ((1024, 16), {}, "bt601"),
        ((1026, 16), {}, "bt709"),
        ((16, 576), {}, "bt601"),
        ((16, 578), {}, "bt709"),
        ((64, 48), {"colorspace": 1}, "bt709"),
        ((1026, 16), {"colorspace": 5}, "bt601"),
        ((1026, 16), {"colorspace": 6}, "bt601"),
        ((64, 48), {"colorspace": 9}, "bt2020"),
        ((64, 48), {"color_primaries": 9}, "bt2020"),
    ],
)
def test_matrix_is_the_tag_or_guessed_by_size(
    tmp_path: Path, size: tuple[int, int], color: dict[str, int], matrix: str
) -> None:
    assert probe(write_film(tmp_path / "f.mp4", 1, size, color=color)).matrix == matrix


def test_tags_are_h273_code_points(tmp_path: Path) -> None:
    tagged = write_film(tmp_path / "a.mp4", 1, color={"color_trc": 16, "color_primaries": 9})
    plain = write_film(tmp_path / "b.mp4", 1)
    assert (probe(tagged).transfer, probe(tagged).primaries) == (16, 9)
    assert (probe(plain).transfer, probe(plain).primaries) == (2, 2)


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "tag", "full"),
    [
        ("f.mp4", "libx264", "yuv420p", None, False),
        ("f.mp4", "libx264", "yuv420p", 1, False),
        ("f.mp4", "libx264", "yuv420p", 2, True),
        ("f.avi", "mjpeg", "yuvj420p", None, True),
        ("f.mkv", "ffv1", "gray", None, True),
        ("f.mkv", "ffv1", "gray", 1, False),
        ("f.mkv", "libx264", "gray", None, False),
        ("f.mkv", "ffv1", "bgr0", None, True),
    ],
)
def test_range_is_the_tag_or_what_the_format_means(
    tmp_path: Path, name: str, codec: str, pixel_format: str, tag: int | None, full: bool
) -> None:
    color = {} if tag is None else {"color_range": tag}
    film = write_film(tmp_path / name, 1, codec=codec, pixel_format=pixel_format, color=color)
    assert probe(film).full_range is full


def test_cover_art_is_no_film(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv", 2, attachments=[("cover.png", "image/png", png())])
    with av.open(str(film)) as container:
        assert len(container.streams.video) == 2  # FFmpeg shows the cover as a video track
    assert probe(film).width == 64
    assert len(frames_of(film)) == 2

    album = tmp_path / "album.mkv"
    with av.open(str(album), "w") as container:
        sound: Any = container.add_stream("flac", rate=48000, layout="mono")
        container.add_attachment("cover.png", "image/png", png())
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), "s16", "mono")
        silence.sample_rate = 48000
        container.mux(sound.encode(silence))
        container.mux(sound.encode())
    with pytest.raises(MediaError, match="holds no video, only audio, cover art"):
        probe(album)


def png() -> bytes:
    encoder: Any = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 16, 16, "gray"
    encoder.time_base = Fraction(1, 25)
    return bytes(encoder.encode(picture(luma(0, size=(16, 16)), "gray"))[0])
