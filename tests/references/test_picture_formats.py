"""Every picture that Pillow reads is a reference; what is left out of a folder is named."""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from c2e_video.cli import cli
from c2e_video.errors import BadReference
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from c2e_video.references import picture_formats
from c2e_video.references.image import load_reference, load_references
from c2e_video.references.picture_formats import formats, missing_plugin, suffixes
from tests.references.test_image import colours

HEIC = b"\0\0\0\x18ftypheic" + bytes(40)
JXL = b"\xff\x0a" + bytes(40)


@pytest.fixture(autouse=True)
def _no_plugins(monkeypatch: pytest.MonkeyPatch) -> Any:
    """None is installed, whatever this machine has."""
    for module in ("pillow_heif", "pillow_jxl"):
        monkeypatch.setitem(sys.modules, module, None)
    picture_formats._load.cache_clear()
    yield
    picture_formats._load.cache_clear()


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.avif", "AVIF"),
        ("a.jp2", "JPEG2000"),
        ("a.j2k", "JPEG2000"),
        ("a.jfif", "JPEG"),
        ("a.JPE", "JPEG"),
        ("a.webp", "WEBP"),
        ("a.tga", "TGA"),
        ("a.qoi", "QOI"),
        ("a.sgi", "SGI"),
        ("a.PNG", "PNG"),
        ("a.dib", "BMP"),
    ],
)
def test_pictures_are_references(tmp_path: Path, name: str, form: str) -> None:
    Image.fromarray(colours()).save(tmp_path / name, form)
    (reference,) = load_references([tmp_path])
    assert np.abs(reference.image.astype(int) - colours()).mean() < 12


def test_what_runs_programs_is_no_format() -> None:
    assert "EPS" not in formats()
    assert not {".eps", ".ps", ".wmf", ".mpg", ".pdf"} & set(suffixes())
    assert {".png", ".tif", ".avif", ".psd"} <= set(suffixes())


@pytest.mark.parametrize(
    ("name", "content", "package"),
    [
        ("a.heic", HEIC, "pillow-heif"),
        ("a.jpg", HEIC, "pillow-heif"),
        ("a.HIF", b"", "pillow-heif"),
        ("a.jxl", JXL, "pillow-jxl-plugin"),
        ("a.png", b"\0\0\0\x0cJXL " + bytes(40), "pillow-jxl-plugin"),
    ],
)
def test_a_missing_plugin_is_named(tmp_path: Path, name: str, content: bytes, package: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadReference, match=f"needs the package {package} .*pip install {package}"):
        load_reference(tmp_path / name)


def test_an_installed_plugin_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[bool] = []
    plugin: Any = SimpleNamespace(register_heif_opener=lambda: called.append(True))
    monkeypatch.setitem(sys.modules, "pillow_heif", plugin)
    monkeypatch.setitem(sys.modules, "pillow_jxl", ModuleType("pillow_jxl"))
    for name, content in (("a.heic", HEIC), ("a.jxl", JXL)):
        (tmp_path / name).write_bytes(content)
        assert missing_plugin(tmp_path / name) is None
    assert called == [True]


def test_what_is_left_out_of_a_folder_is_named_with_its_number(tmp_path: Path) -> None:
    Image.fromarray(colours()).save(tmp_path / "1.png")
    (tmp_path / "2.heic").write_bytes(HEIC)
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "old").mkdir()
    for hidden in (".DS_Store", "Thumbs.db"):
        (tmp_path / hidden).write_text("")
    lines: list[str] = []
    assert len(load_references([tmp_path], lines.append)) == 1
    assert lines == [
        f"of {str(tmp_path)!r}, 3 left out: 2.heic (needs pillow-heif), notes.txt, old (a folder)"
    ]


def test_of_many_left_out_the_first_are_named(tmp_path: Path) -> None:
    Image.fromarray(colours()).save(tmp_path / "1.png")
    for number in range(30):
        (tmp_path / f"{number:02d}.txt").write_text("")
    lines: list[str] = []
    load_references([tmp_path], lines.append)
    assert "30 left out: 00.txt, " in lines[0]
    assert lines[0].endswith("07.txt, and 22 more")


def test_a_folder_of_unread_pictures_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "2.heic").write_bytes(HEIC)
    with pytest.raises(BadReference, match=r"no picture; it holds 2\.heic \(needs pillow-heif\)"):
        load_references([tmp_path])


def test_a_run_says_what_it_left_out(film: Path, reference: Path, quick: Options) -> None:
    folder = film.parent / "keys"
    folder.mkdir()
    reference.rename(folder / "key.png")
    (folder / "note.txt").write_text("")
    result = colorize_video(film, references=folder, options=quick)
    assert f"of {str(folder)!r}, 1 left out: note.txt" in result.notes
    arguments = ["plan", str(film), "--refs", str(folder), "--weights", str(quick.weights)]
    said = CliRunner().invoke(cli, [*arguments, "-o", str(film.parent / "shots.csv")]).output
    assert "1 left out: note.txt" in said


def test_a_tiff_that_pillow_does_not_know_is_named(tmp_path: Path) -> None:
    """Lab of 16 bits, as Photoshop may write it; made from 8 bits by changing the tag of their number."""
    path = tmp_path / "a.tif"
    Image.fromarray(colours()).convert("LAB").save(path)
    content = path.read_bytes()
    bits = struct.pack("<3H", 8, 8, 8)
    assert content.count(bits) == 1
    path.write_bytes(content.replace(bits, struct.pack("<3H", 16, 16, 16)))
    with pytest.raises(BadReference, match="a kind of TIFF that is not read, as is Lab of 16 bits"):
        load_reference(path)
