"""What is done stays done; what is not whole does not count."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from c2e_video.errors import C2EError, JobMismatch
from c2e_video.pipeline.digests import film_digest
from c2e_video.pipeline.job import Job
from c2e_video.pipeline.segments import Segment, cut_segments
from c2e_video.video.encode import Part
from c2e_video.video.frames import Shot

SEGMENT = Segment(0, 0, 10)
IDENTITY = {"source": "abc", "options": {"size": 256}}


def finished(job: Job, segment: Segment = SEGMENT) -> Part:
    path = job.partial_path(segment, ".mp4")
    path.write_bytes(b"painted")
    return job.finish(segment, Part(path, (0, 4), (4, 4)))


def test_short_shots_gather_and_long_ones_are_split() -> None:
    shots = [
        Shot(0, 0, 40),
        Shot(1, 40, 90),
        Shot(2, 90, 100),
        Shot(3, 100, 350),
        Shot(4, 350, 360),
    ]
    segments = cut_segments(shots, 100)
    assert [(s.start, s.stop) for s in segments] == [(0, 100), (100, 200), (200, 300), (300, 360)]
    assert [s.index for s in segments] == [0, 1, 2, 3]


def test_segments_cover_a_film_that_starts_late() -> None:
    segments = cut_segments([Shot(0, -7, 3), Shot(1, 3, 25)], 10)
    assert [(s.start, s.stop) for s in segments] == [(-7, 3), (3, 13), (13, 23), (23, 25)]


def test_a_part_is_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "film.c2e"
    with Job.open(folder, IDENTITY) as job:
        assert not job.resumed
        assert job.part(SEGMENT) is None
        part = finished(job)
        assert part.path.name == "part-00000.mp4"
    with Job.open(folder, IDENTITY) as job:
        assert job.resumed
        assert job.part(SEGMENT) == part
        assert job.part(Segment(0, 0, 12)) is None


def test_a_damaged_or_lost_part_is_done_again(tmp_path: Path) -> None:
    with Job.open(tmp_path / "job", IDENTITY) as job:
        part = finished(job)
        part.path.write_bytes(b"damaged")
        assert job.part(SEGMENT) is None
        finished(job)
        (job.folder / "part-00000.json").write_text("{")
        assert job.part(SEGMENT) is None
        finished(job).path.unlink()
        assert job.part(SEGMENT) is None


def test_a_partial_file_is_no_part(tmp_path: Path) -> None:
    with Job.open(tmp_path / "job", IDENTITY) as job:
        finished(job)
        partial = job.partial_path(Segment(1, 10, 20), ".mp4")
        partial.write_bytes(b"half")
        assert job.part(Segment(1, 10, 20)) is None
    assert not partial.exists()


def test_differences_are_named(tmp_path: Path) -> None:
    with Job.open(tmp_path / "job", IDENTITY) as job:
        finished(job)
    with pytest.raises(JobMismatch, match=r"source \(was abc, is xyz\).*restart=True"):
        Job.open(tmp_path / "job", {**IDENTITY, "source": "xyz"})
    with Job.open(tmp_path / "job", {**IDENTITY, "source": "xyz"}, restart=True) as job:
        assert job.part(SEGMENT) is None


def test_only_what_differs_is_named_and_long_values_are_short(tmp_path: Path) -> None:
    identity: dict[str, Any] = {"shots": [{"start": 40 * k} for k in range(99)]}
    identity["options"] = {"size": 256, "encode": {"crf": None}}
    with Job.open(tmp_path / "job", identity) as job:
        finished(job)
    other: dict[str, Any] = {"shots": [dict(shot) for shot in identity["shots"]]}
    other["shots"][6]["start"] = 241
    other["options"] = {"size": 256, "encode": {"crf": 18.0}}
    with pytest.raises(JobMismatch) as caught:
        Job.open(tmp_path / "job", other)
    line = str(caught.value)
    assert "shots 7 start (was 240, is 241); options encode crf (was none, is 18.0); give" in line
    assert "size" not in line
    moved = {**other, "shots": [{"start": shot["start"] + 1} for shot in identity["shots"]]}
    with pytest.raises(JobMismatch, match=r"shots 5 start \(was 160, is 161\); and 95 more; give"):
        Job.open(tmp_path / "job", moved)


def test_a_job_without_parts_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Job.open(tmp_path / "job", IDENTITY):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_finished_job_leaves_nothing(tmp_path: Path) -> None:
    with Job.open(tmp_path / "job", IDENTITY) as job:
        finished(job)
        job.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="no flock")
def test_a_second_run_is_told_who_holds_the_job(tmp_path: Path) -> None:
    with Job.open(tmp_path / "job", IDENTITY):
        code = (
            "import sys; from pathlib import Path; from c2e_video.pipeline.job import Job\n"
            f"Job.open(Path({str(tmp_path / 'job')!r}), {IDENTITY!r})"
        )
        second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert f"another run (process {os.getpid()}) is at work" in second.stderr
    with Job.open(tmp_path / "job", IDENTITY):
        pass


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(C2EError, match="cannot write beside the output"):
        Job.open(tmp_path / "file" / "job", IDENTITY)


@pytest.mark.parametrize("name", ["lock", "job.json", "job.json.partial"])
def test_a_file_of_the_job_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "job" / name).mkdir(parents=True)
    with pytest.raises(C2EError, match=r"cannot write beside the output: .* choose another place"):
        Job.open(tmp_path / "job", IDENTITY)


def test_film_digest_sees_ends_size_and_middle(tmp_path: Path) -> None:
    film = tmp_path / "film"
    content = bytearray(os.urandom(3 << 20))
    digests = set()
    for change in (None, 0, 1_600_000, (3 << 20) - 1):
        if change is not None:
            content[change] ^= 1
        film.write_bytes(content)
        digests.add(film_digest(film))
    film.write_bytes(content + b"x")
    assert len(digests | {film_digest(film)}) == 5


def test_a_share_without_locks_is_worked_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fcntl = pytest.importorskip("fcntl")

    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refused)
    with Job.open(tmp_path / "job", {}):
        assert (tmp_path / "job" / "job.json").exists()
