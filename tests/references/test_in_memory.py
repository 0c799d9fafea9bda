"""References need no file: arrays, Pillow images and references that were read before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from c2e_video.errors import BadReference, C2EError
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from c2e_video.references.given import sort_references
from c2e_video.references.image import load_reference
from c2e_video.references.reference_map import ReferenceMap
from c2e_video.video.frames import Shot
from tests.factories import color_picture, video_info, write_picture


def references(given: Any) -> list[Any]:
    return list(sort_references(given, video_info()).pictures)


def rgb(seed: int = 0) -> Any:
    return np.ascontiguousarray(color_picture(seed)[..., ::-1])


def test_an_array_an_image_and_a_file_of_one_picture_are_one_reference(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "picture.png", 0)
    read = load_reference(path)
    given = [rgb(), Image.fromarray(rgb()), read, path, str(path)]
    assert {reference.digest for reference in references(given)} == {read.digest}
    assert [r.in_memory for r in references(given)] == [True, True, False, False, False]
    assert references(rgb())[0].digest == read.digest  # one alone needs no list
    assert references(Image.fromarray(rgb()))[0].path == Path("picture 1")


def test_an_image_of_any_mode_is_prepared_as_a_file_is(tmp_path: Path) -> None:
    image = Image.fromarray(np.kron(rgb(), np.ones((20, 20, 1), np.uint8)))
    image.putalpha(128)
    image.save(tmp_path / "large.png")
    read = load_reference(tmp_path / "large.png")
    assert references(image)[0].digest == read.digest
    assert min(read.image.shape[:2]) == 512


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((48, 64), np.uint8), r"picture 1 is an array of uint8 \[48, 64\]; accepted: RGB"),
        (np.zeros((48, 64, 3)), "array of float64"),
        (np.zeros((4, 4, 3), np.uint8), "picture 1 is tiny"),
        (np.zeros((48, 64, 3), np.uint8), "picture 1 is gray"),
        ([rgb(), 5], "reference 2 is 5; accepted: a path, an RGB array"),
        (5, "references are a path, .* or a ReferenceMap; got 5"),
    ],
)
def test_what_is_no_reference_is_named(given: Any, message: str) -> None:
    with pytest.raises(C2EError, match=message):
        references(given)


def test_a_table_names_files_alone(tmp_path: Path) -> None:
    table = ReferenceMap.single(references(rgb())[0], [Shot(0, 0, 50)])
    with pytest.raises(BadReference, match="picture 1 is in memory alone; save it first"):
        table.to_csv(tmp_path / "map.csv", video_info())


def test_a_table_is_named_by_a_string_too(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "picture.png", 0)
    table = ReferenceMap.single(load_reference(path), [Shot(0, 0, 50)])
    table.to_csv(str(tmp_path / "map.csv"), video_info())
    again = ReferenceMap.from_csv(str(tmp_path / "map.csv"), video_info())
    assert again.shots == table.shots
    assert sort_references(str(tmp_path / "map.csv"), video_info()).table is not None


def test_a_film_is_colorized_from_an_array(film: Path, quick: Options) -> None:
    result = colorize_video(film, references=[rgb(), rgb(1)], options=quick)
    manifest = json.loads(result.output.with_name("film.color.mp4.json").read_text())
    used = [r["path"] for shot in manifest["shots"] for r in shot["references"]]
    assert set(used) == {None}
