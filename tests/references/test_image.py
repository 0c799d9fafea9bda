"""Reference pictures of every kind."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from c2e_video.errors import BadReference
from c2e_video.references.image import load_reference, load_references


def colours(height: int = 40, width: int = 60) -> Any:
    """A smooth colour picture, RGB uint8."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 // width, y * 255 // height, 255 - x * 255 // width], -1).astype(
        np.uint8
    )


def saved(path: Path, picture: Image.Image, **options: Any) -> Path:
    picture.save(path, **options)
    return path


def test_plain_png(tmp_path: Path) -> None:
    reference = load_reference(saved(tmp_path / "a.png", Image.fromarray(colours())), at=7)
    np.testing.assert_array_equal(reference.image, colours())
    assert reference.image.flags.c_contiguous
    assert reference.at == 7


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.bmp", "a.tiff", "a.gif", "a.ppm"])
def test_other_formats(tmp_path: Path, name: str) -> None:
    image = load_reference(saved(tmp_path / name, Image.fromarray(colours()))).image
    assert image.shape == (40, 60, 3)
    assert np.abs(image.astype(int) - colours()).mean() < 12


def test_alpha_is_laid_over_gray(tmp_path: Path) -> None:
    rgba = np.dstack([colours(), np.full((40, 60), 255, np.uint8)])
    rgba[:, 30:, 3] = 0
    image = load_reference(saved(tmp_path / "a.png", Image.fromarray(rgba))).image
    np.testing.assert_array_equal(image[:, :30], colours()[:, :30])
    np.testing.assert_array_equal(image[:, 30:], 128)


def test_cmyk(tmp_path: Path) -> None:
    picture = Image.fromarray(colours()).convert("CMYK")
    image = load_reference(saved(tmp_path / "a.jpg", picture, quality=95)).image
    assert np.abs(image.astype(int) - colours()).mean() < 12


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_sixteen_bits(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    cv2.imwrite(str(path), colours()[:, :, ::-1].astype(np.uint16) * 257)
    assert np.abs(load_reference(path).image.astype(int) - colours()).max() <= 1


def test_palette(tmp_path: Path) -> None:
    picture = Image.fromarray(colours()).quantize(64)
    image = load_reference(saved(tmp_path / "a.png", picture)).image
    assert np.abs(image.astype(int) - colours()).mean() < 20


def test_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path / "a.jpg", Image.fromarray(colours()), exif=exif)
    assert load_reference(path).image.shape == (60, 40, 3)


def test_large_pictures_are_reduced(tmp_path: Path) -> None:
    large = Image.fromarray(colours()).resize((3000, 2000))
    assert load_reference(saved(tmp_path / "a.png", large)).image.shape == (512, 768, 3)


def bad(path: Path) -> str:
    with pytest.raises(BadReference) as error:
        load_reference(path)
    message = str(error.value)
    assert "\n" not in message
    return message


def test_bad_references_are_one_line(tmp_path: Path) -> None:
    assert "no reference at" in bad(tmp_path / "none.png")
    assert "is no file" in bad(tmp_path)
    (tmp_path / "text.png").write_text("hello")
    assert "not a picture" in bad(tmp_path / "text.png")
    (tmp_path / "empty.png").write_bytes(b"")
    assert "not a picture" in bad(tmp_path / "empty.png")
    assert "is gray" in bad(saved(tmp_path / "g.png", Image.fromarray(colours()).convert("L")))
    assert "is gray" in bad(saved(tmp_path / "g3.png", Image.fromarray(colours()[..., [1, 1, 1]])))
    assert "tiny (60x9)" in bad(saved(tmp_path / "t.png", Image.fromarray(colours(9))))
    half = saved(tmp_path / "half.png", Image.fromarray(colours(400, 600)))
    half.write_bytes(half.read_bytes()[: half.stat().st_size // 2])
    assert "damaged" in bad(half)


def test_postscript_is_never_run(tmp_path: Path) -> None:
    path = tmp_path / "a.eps"
    path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 50 50\nshowpage\n")
    assert "not a picture" in bad(path)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.integers(0, 2**32),
    st.sampled_from(["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "JPEG2000", "TGA"]),
)
def test_mutated_pictures_never_give_a_traceback(tmp_path: Path, seed: int, kind: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray(colours()).save(buffer, kind)
    content = np.frombuffer(buffer.getvalue(), np.uint8).copy()
    rng = np.random.default_rng(seed)
    for _ in range(rng.integers(1, 8)):
        content[rng.integers(0, len(content))] = rng.integers(0, 256)
    path = tmp_path / "mutant"
    path.write_bytes(content[: rng.integers(1, len(content) + 1)].tobytes())
    try:
        lines = [str(load_reference(path).path)]
    except BadReference as error:
        lines = str(error).splitlines()
    assert len(lines) == 1


def test_a_folder_stands_for_its_pictures(tmp_path: Path) -> None:
    for name in ("b.png", "a.png"):
        saved(tmp_path / name, Image.fromarray(colours()))
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "._a.png").write_bytes(b"resource fork")
    assert [r.path.name for r in load_references([tmp_path])] == ["a.png", "b.png"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadReference, match="holds no picture"):
        load_references([tmp_path / "empty"])
