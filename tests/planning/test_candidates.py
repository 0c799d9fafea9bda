"""References from anywhere: folders of many pictures, and colour films."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from c2e_video.errors import BadReference
from c2e_video.inference.colorizer import Colorizer
from c2e_video.inference.matching import PictureMatcher
from c2e_video.inference.video_colorizer import VideoColorizer
from c2e_video.planning import picture_index
from c2e_video.planning.candidates import (
    COMPARED_FULLY,
    COMPARED_SAMPLES,
    CandidatePool,
    collect_candidates,
    spread,
)
from c2e_video.planning.coverage import FilmMatcher
from c2e_video.planning.planner import make_plan
from c2e_video.references.given import sort_references
from c2e_video.references.image import Reference, load_reference
from c2e_video.references.named_reference import load_named
from c2e_video.references.table_file import read_table
from c2e_video.utils import tensor_cache
from c2e_video.utils.progress import Silent
from c2e_video.video.decode.decoder import probe
from tests.factories import color_picture, video_info, write_picture
from tests.media import luma_frames, write_film


@pytest.fixture
def colorizer(tiny_weights: Path) -> Colorizer:
    return Colorizer(tiny_weights, device="cpu", precision="fp32", size=32)


def collected(colorizer: Colorizer, *given: Path) -> tuple[CandidatePool, list[str]]:
    notes: list[str] = []
    found = sort_references(list(given), video_info(), notes.append)
    pool = collect_candidates(found, PictureMatcher(colorizer), Silent(), notes.append)
    return pool, notes


def many(folder: Path, count: int) -> Path:
    folder.mkdir()
    for seed in range(count):
        write_picture(folder / f"{seed:03d}.png", seed)
    return folder


def test_a_folder_of_many_pictures_is_read_once_and_remembered(
    tmp_path: Path, colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = many(tmp_path / "photos", 70)
    read: list[str] = []

    def load(path: Path) -> Reference:
        read.append(path.name)
        return load_reference(path)

    monkeypatch.setattr(picture_index, "load_reference", load)
    first, _ = collected(colorizer, folder)
    assert len(read) == 70
    index = tmp_path / "photos.c2e-index.npz"
    assert index.exists()
    assert not any(candidate.loaded for candidate in first.candidates)
    os.utime(folder / "003.png", (1, 1))
    write_picture(folder / "new.png", 99)
    read.clear()
    again, _ = collected(colorizer, folder)
    assert read == ["003.png", "new.png"]
    for one, other in zip(first.candidates, again.candidates, strict=False):
        np.testing.assert_array_equal(one.gray, other.gray)
        np.testing.assert_allclose(one.descriptor, other.descriptor, atol=1e-3)
    index.write_bytes(b"PK damaged")
    read.clear()
    assert len(collected(colorizer, folder)[0]) == 71
    assert len(read) == 71


def test_a_folder_that_cannot_be_written_beside_is_read_all_the_same(
    tmp_path: Path, colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("numpy.savez", full)
    assert len(collected(colorizer, many(tmp_path / "photos", 66))[0]) == 66
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_pictures_that_cannot_serve_are_left_out_of_a_folder_and_counted(
    tmp_path: Path, colorizer: Colorizer
) -> None:
    folder = many(tmp_path / "stills", 2)
    cv2.imwrite(str(folder / "gray.png"), color_picture(1)[..., 0])
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    pool, notes = collected(colorizer, folder)
    assert [candidate.path.name for candidate in pool.candidates] == ["000.png", "001.png"]
    (note,) = notes
    assert "2 of 4 pictures left out" in note
    (tmp_path / "only").mkdir()
    cv2.imwrite(str(tmp_path / "only" / "gray.png"), color_picture(1)[..., 0])
    with pytest.raises(
        BadReference, match="is gray; give a picture with colours, or write the word"
    ):
        collected(colorizer, tmp_path / "only")


def test_a_gray_picture_that_is_named_is_refused_with_the_way_out(
    tmp_path: Path, colorizer: Colorizer
) -> None:
    cv2.imwrite(str(tmp_path / "gray.png"), color_picture(1)[..., 0])
    with pytest.raises(BadReference, match="write the word gray in the table"):
        collected(colorizer, tmp_path / "gray.png")


def test_of_many_pictures_a_dozen_is_compared_cell_by_cell(
    tmp_path: Path, tiny_weights: Path, colorizer: Colorizer
) -> None:
    """And a frame of the film is among them, wherever it stands in the folder."""
    film = write_film(tmp_path / "film.mp4", shots=(12, 12), size=(160, 96))
    folder = many(tmp_path / "photos", 40)
    gray = luma_frames(film)[18]
    cv2.imwrite(str(folder / "zz.png"), np.clip(gray[..., None] * [0.8, 1.0, 1.15], 0, 255))
    given = sort_references(folder, probe(film))
    made = make_plan(film, probe(film), given, VideoColorizer(colorizer, probe(film)), Silent())
    assert made.assignments[1].source == "frame"
    assert made.assignments[1].candidates[0].candidate.path.name == "zz.png"
    assert not made.unused  # of forty, those that are not used are not named
    pool = collect_candidates(given, PictureMatcher(colorizer), Silent(), lambda line: None)
    matcher = plan_matcher(colorizer)
    assert len(pool.ranked(made.samples[0], matcher)) == COMPARED_FULLY


def test_each_picture_is_read_and_encoded_once_for_all_shots(
    tmp_path: Path, colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though memory holds few features; and the scores are those of a run that holds all."""
    film = write_film(tmp_path / "film.mp4", shots=(8,) * 5, size=(160, 96))
    given = sort_references(many(tmp_path / "photos", 40), probe(film))
    encoded: list[bytes] = []
    encode = PictureMatcher.encode

    def counted(self: PictureMatcher, picture: Any) -> Any:
        if picture.ndim == 3:
            encoded.append(picture.tobytes())
        return encode(self, picture)

    def scores() -> list[list[tuple[str, float]]]:
        pool = collect_candidates(given, PictureMatcher(colorizer), Silent(), lambda line: None)
        monkeypatch.setattr(PictureMatcher, "encode", counted)
        matcher, info = plan_matcher(colorizer), probe(film)
        made = make_plan(film, info, (), VideoColorizer(colorizer, info), Silent())
        ranked = [pool.ranked(samples, matcher) for _ in range(2) for samples in made.samples]
        monkeypatch.setattr(PictureMatcher, "encode", encode)
        return [[(one.candidate.path.name, one.score) for one in row] for row in ranked]

    in_memory = scores()
    assert len({name for row in in_memory for name, _ in row}) > COMPARED_FULLY
    encoded.clear()
    monkeypatch.setattr(tensor_cache, "IN_MEMORY", 1)
    assert scores() == in_memory
    assert len(encoded) == len(set(encoded)) == len({n for row in in_memory for n, _ in row})


def test_coverage_asks_for_nothing_that_comparing_knows(
    tmp_path: Path, colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each picture is encoded once, and each pair of a sample and a picture compared once."""
    film = write_film(tmp_path / "film.mp4", shots=(8, 8), size=(160, 96))
    folder = many(tmp_path / "photos", 40)
    given, info = sort_references(folder, probe(film)), probe(film)
    matcher = plan_matcher(colorizer)
    pool = collect_candidates(given, matcher.matcher, Silent(), lambda line: None)
    bare = make_plan(film, info, (), VideoColorizer(colorizer, info), Silent())
    samples = bare.samples[0]
    best = pool.ranked(samples, matcher)[0]
    again = load_reference(best.candidate.path)
    monkeypatch.setattr(PictureMatcher, "match", lambda *_: pytest.fail("is known"))
    monkeypatch.setattr(PictureMatcher, "encode", lambda *_: pytest.fail("is known"))
    some = spread(samples, COMPARED_SAMPLES)
    score = sum(matcher.match(sample, again).confidence for sample in some) / len(some)
    assert score == best.score
    matcher.reference_features(again)


def plan_matcher(colorizer: Colorizer) -> FilmMatcher:
    return FilmMatcher(PictureMatcher(colorizer))


def write_color_film(path: Path, pictures: list[Any], rate: int = 25) -> Path:
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream("libx264", rate=rate)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt, stream.options = "yuv444p", {"qp": "0"}
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def scene(seed: int, length: int) -> list[Any]:
    """A pan over a wide colour picture."""
    small = np.random.default_rng(seed).integers(20, 236, (9, 30, 3)).astype(np.uint8)
    wide = cv2.resize(small, (480, 96), interpolation=cv2.INTER_CUBIC)
    return [np.ascontiguousarray(wide[:, 4 * i : 4 * i + 160]) for i in range(length)]


def test_a_colour_film_is_the_only_reference(tmp_path: Path, colorizer: Colorizer) -> None:
    """Clip A is gray; clip B, another part of the same footage, is in colour: found, used, written."""
    footage = [scene(seed, 40) for seed in (1, 2)]
    gray = [
        np.repeat(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
        for shot in footage
        for p in shot[:20]
    ]
    film = write_color_film(tmp_path / "a.mp4", gray)
    other = write_color_film(tmp_path / "b.mp4", [p for shot in footage[::-1] for p in shot[16:]])
    info = probe(film)
    given = sort_references(other, info)
    assert given.films == (other,)
    made = make_plan(film, info, given, VideoColorizer(colorizer, info), Silent())
    assert made.reference_map is not None
    names = [row[0].path.name for row in made.reference_map.references]
    seconds = [float(name.split("#t=")[1]) for name in names]
    assert all(name.startswith("b.mp4#t=") for name in names)
    assert seconds[0] >= 0.96 > seconds[1]  # the footage's first scene comes second in b
    made.write(tmp_path / "a.csv")
    table = read_table(tmp_path / "a.csv", info)
    (again,) = table.references(table.shots[0])
    assert again.digest == made.reference_map.references[0][0].digest
    assert np.abs(again.image.astype(int) - load_named(tmp_path / names[0]).image).max() == 0


def test_the_frame_of_a_film_has_its_colours(tmp_path: Path) -> None:
    pictures = scene(3, 10)
    film = write_color_film(tmp_path / "b.mp4", pictures)
    found = load_named(film.with_name("b.mp4#t=0.16")).image
    assert np.abs(found.astype(int) - pictures[4]).mean() < 3
    with pytest.raises(BadReference, match=r"has no frame at 9\.000 s"):
        load_named(film.with_name("b.mp4#t=9"))


def test_a_gray_film_is_no_reference(tmp_path: Path, colorizer: Colorizer) -> None:
    with pytest.raises(BadReference, match="has no colours"):
        collected(colorizer, write_film(tmp_path / "b.mp4", 10, pixel_format="gray"))
