"""Finished chroma is kept until its part is: whole records, of the frames expected, and no others."""

from __future__ import annotations

import errno
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from c2e_video.pipeline import journal as journals
from c2e_video.pipeline.journal import ChromaJournal
from c2e_video.video.frames import ColorBatch, Frame, FrameBatch, PictureFormat, Shot
from tests.factories import video_info

PTS = (0, 40, 80, 120)


def journal(path: Path, bit_depth: int = 8) -> ChromaJournal:
    picture = PictureFormat("yuv420p", bit_depth, (2, 2), "bt601", False)
    return ChromaJournal(path, video_info(6, 5, bit_depth), picture)


def gray(pts: tuple[int, ...]) -> FrameBatch:
    luma = np.zeros((5, 6), np.uint8)
    return FrameBatch(tuple(Frame(luma, at, 40) for at in pts), Shot(0, 0, 160))


def colored(pts: tuple[int, ...] = PTS, dtype: Any = np.uint8) -> ColorBatch:
    rng = np.random.default_rng(pts[0])
    cb, cr = (rng.integers(0, 250, (len(pts), 3, 3)).astype(dtype) for _ in range(2))
    return ColorBatch(gray(pts), cb, cr)


def written(path: Path, *batches: ColorBatch, bit_depth: int = 8) -> ChromaJournal:
    own = journal(path, bit_depth)
    for batch in batches:
        own.append(batch)
    own.close()
    return own


@pytest.mark.parametrize(("bit_depth", "dtype"), [(8, np.uint8), (10, np.uint16)])
def test_what_is_written_is_replayed(tmp_path: Path, bit_depth: int, dtype: Any) -> None:
    first, second = colored((0, 40), dtype), colored((80, 120), dtype)
    own = written(tmp_path / "j", first, second, bit_depth=bit_depth)
    assert own.kept(PTS) == 4
    (again,) = own.replay(iter([gray(PTS)]))  # in batches of any size
    for plane, planes in ((again.cb, (first.cb, second.cb)), (again.cr, (first.cr, second.cr))):
        assert plane.dtype == dtype
        np.testing.assert_array_equal(plane, np.concatenate(planes))


def test_a_file_that_is_not_there_keeps_nothing(tmp_path: Path) -> None:
    assert journal(tmp_path / "j").kept(PTS) == 0
    journal(tmp_path / "j").truncate(0)
    assert not (tmp_path / "j").exists()


def test_a_record_cut_short_or_damaged_ends_what_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "j"
    own = written(path, colored())
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert own.kept(PTS) == 3
    path.write_bytes(content[:40] + bytes([content[40] ^ 1]) + content[41:])
    assert own.kept(PTS) == 1


def test_frames_that_are_not_expected_are_not_kept(tmp_path: Path) -> None:
    own = written(tmp_path / "j", colored())
    assert own.kept((0, 40, 81, 120)) == 2
    assert own.kept((1,)) == 0
    assert own.kept(PTS[:3]) == 3


def test_records_after_the_kept_ones_are_written_over(tmp_path: Path) -> None:
    own = written(tmp_path / "j", colored())
    own.truncate(1)
    assert own.kept(PTS) == 1
    written(tmp_path / "j", colored((40, 80, 120)))
    assert own.kept(PTS) == 4


class FullDisk(io.BytesIO):
    """Takes half a record, then nothing."""

    def write(self, content: Any) -> int:
        if self.tell():
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(content[: len(content) // 2])


def test_a_full_disk_ends_the_journal_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk()

    def opened(*_: Any, **__: Any) -> Iterator[Any]:
        return disk

    monkeypatch.setattr(journals, "open", opened, raising=False)
    own = journal(tmp_path / "j")
    own.append(colored((0, 40)))
    own.append(colored((80, 120)))
    assert len(disk.getvalue()) == 15  # half of one record, and nothing after it
