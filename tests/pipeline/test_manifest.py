"""How a film was made is told beside it and in it, and by that it can be made again."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from fractions import Fraction
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import av
import pytest

from c2e_video import __version__
from c2e_video.pipeline import manifest
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.digests import file_digest, film_digest
from c2e_video.pipeline.options import Options
from c2e_video.references.table_rows import COLUMNS
from c2e_video.video.encode import EncodeSettings
from tests.media import picture_digests, write_film


def test_the_film_says_what_was_done_to_it(tmp_path: Path, reference: Path, quick: Options) -> None:
    film = write_film(tmp_path / "film.mp4", 8, metadata={"comment": "theirs"})
    result = colorize_video(film, references=reference, options=quick)
    assert quick.weights is not None
    digest = file_digest(quick.weights)
    with av.open(str(result.output)) as painted:
        ours = f"colorized by c2e-video {__version__} (weights {digest[:16]})"
        assert painted.metadata["comment"] == f"theirs; {ours}"


def test_the_record_is_enough_to_make_the_film_again(
    tmp_path: Path, reference: Path, quick: Options
) -> None:
    film = write_film(tmp_path / "film.mkv", shots=[16, 16], codec="ffv1", subtitles=[(0, 1, "x")])
    options = replace(
        quick, encode=EncodeSettings("ffv1"), start=Fraction(1, 5), drop=frozenset({"subtitles"})
    )
    first = colorize_video(film, references=reference, options=options)
    frames_with_embeddings: dict[str, Any] = json.loads(
        (tmp_path / "film.color.mkv.json").read_text()
    )
    assert frames_with_embeddings["source"] == {
        "path": str(film),
        "sha256 of samples": film_digest(film),
    }
    assert frames_with_embeddings["versions"]["c2e-video"] == __version__
    assert options.weights is not None
    assert frames_with_embeddings["weights"]["sha256"] == file_digest(options.weights)
    assert frames_with_embeddings["options"]["encode"]["codec"] == "ffv1"
    assert (
        frames_with_embeddings["options"]["start"],
        frames_with_embeddings["options"]["drop"],
    ) == ("1/5", ["subtitles"])
    assert frames_with_embeddings["notes"] == list(first.notes)
    assert any("dropped, as asked" in note for note in frames_with_embeddings["notes"])
    with open(tmp_path / "map.csv", "w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        for number, shot in enumerate(frames_with_embeddings["shots"], 1):
            for told_reference in shot["references"]:
                row = {key: shot[key] for key in ("start", "end", "transition")}
                picture, at = told_reference["path"], told_reference["at"] or ""
                table.writerow({"shot": number, **row, "reference": picture, "at": at})
    again = colorize_video(
        film, tmp_path / "again.mkv", references=tmp_path / "map.csv", options=options
    )
    assert picture_digests(again.output) == picture_digests(first.output)


def test_two_films_of_one_name_have_two_records(
    tmp_path: Path, reference: Path, quick: Options
) -> None:
    film = write_film(tmp_path / "film.mp4", 8)
    for name in ("reel.mkv", "reel.mp4"):
        colorize_video(film, tmp_path / name, references=reference, options=quick)
    assert {"reel.mkv.json", "reel.mp4.json"} <= {path.name for path in tmp_path.iterdir()}


def test_a_film_is_not_lost_for_its_record(
    tmp_path: Path, reference: Path, quick: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(manifest, "write_whole", full)
    film = write_film(tmp_path / "film.mp4", 8)
    result = colorize_video(film, references=reference, options=quick)
    assert result.output.exists()
    assert not (tmp_path / "film.color.mp4.json").exists()
    assert "the film is whole, but film.color.mp4.json could not be written" in result.notes[-1]


def test_a_library_without_package_data_is_no_failure_after_the_film_is_made(
    film: Path, reference: Path, quick: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(manifest, "version", missing)
    result = colorize_video(film, references=reference, options=quick)
    made = json.loads(manifest.manifest_path(result.output).read_text())
    assert made["versions"]["torch"] == "unknown"
