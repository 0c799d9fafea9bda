"""All segments of all films in one pool; one that is broken stops no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from c2e_video.cluster.queue import run_queue_on_cluster
from c2e_video.cluster.settings import ClusterSettings
from c2e_video.pipeline import planned_film
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.film_queue import make_queue
from c2e_video.pipeline.options import Options
from c2e_video.video.encode import EncodeSettings
from tests.cluster.watch import Watch
from tests.media import picture_digests, write_film

pytestmark = pytest.mark.cluster


def test_a_queue_with_a_broken_film(
    workers: Callable[..., None],
    tmp_path: Path,
    reference: Path,
    quick: Options,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(planned_film, "SEGMENT_SECONDS", 0.4)
    options = replace(quick, encode=EncodeSettings("ffv1"))
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "a.mkv").write_bytes(b"no film")
    for name, frames in (("b", 16), ("c", 40)):
        write_film(folder / f"{name}.mkv", frames, codec="ffv1")
    films, watch = make_queue([folder], [reference], options), Watch()
    run_queue_on_cluster(films, ClusterSettings(cpus=1), options, watch)
    assert [film.state for film in films] == ["failed", "done", "done"]
    assert "is not a film that can be read" in films[0].line
    assert watch.frames == 56
    for name in "bc":
        whole = tmp_path / f"{name}.mkv"
        colorize_video(folder / whole.name, whole, references=reference, options=options)
        assert picture_digests(folder / f"{name}.color.mkv") == picture_digests(whole)
    again = make_queue([folder], [reference], options)
    assert [film.state for film in again] == ["left", "done", "done"]
    names = {path.name for path in folder.iterdir()}
    made = {f"{name}.color.mkv{end}" for name in "bc" for end in ("", ".json")}
    assert names == {"a.mkv", "b.mkv", "c.mkv", *made}
