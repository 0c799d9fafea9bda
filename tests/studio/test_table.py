"""Edits of the table: what becomes of keyframes when shots are split, merged and moved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from c2e_video.references.image import Reference
from c2e_video.studio.errors import RequestError
from c2e_video.studio.table import History, ShotRow, ShotTable


def picture(number: int, at: int | None = None) -> Reference:
    image = np.full((16, 16, 3), (number, 0, 200), np.uint8)
    return Reference(image, Path(f"{number}.png"), at)


def names(table: ShotTable) -> list[list[tuple[str, int | None]]]:
    return [[(r.path.name, r.at) for r in row.references] for row in table.rows]


@pytest.fixture
def table() -> ShotTable:
    """Shots of 0 to 10 and 10 to 30; the second has keyframes at 12 and 25."""
    return ShotTable(
        (
            ShotRow(0, 10, references=(picture(1),), note="titles", extra={"reel": "1"}),
            ShotRow(10, 30, references=(picture(2, 12), picture(3, 25)), saturation=0.5),
        )
    )


def test_a_split_gives_each_half_its_own_keyframes(table: ShotTable) -> None:
    halves = table.split(20)
    assert [(row.start, row.stop) for row in halves.rows] == [(0, 10), (10, 20), (20, 30)]
    assert names(halves)[1:] == [[("2.png", 12)], [("3.png", 25)]]
    assert [row.saturation for row in halves.rows] == [None, 0.5, 0.5]


def test_a_half_without_a_keyframe_keeps_the_nearest_as_its_picture(table: ShotTable) -> None:
    assert names(table.split(28))[1:] == [[("2.png", 12), ("3.png", 25)], [("3.png", None)]]
    assert names(table.split(5))[:2] == [[("1.png", None)], [("1.png", None)]]


def test_a_merge_keeps_all_keyframes_in_order_and_drops_borrowed_pictures(table: ShotTable) -> None:
    merged = table.merge(0)
    assert names(merged) == [[("2.png", 12), ("3.png", 25)]]
    assert (merged.rows[0].start, merged.rows[0].stop) == (0, 30)
    assert merged.rows[0].note == "titles"
    assert merged.rows[0].extra == {"reel": "1"}


def test_a_moved_border_takes_its_keyframes_along(table: ShotTable) -> None:
    assert names(table.move_border(1, 14)) == [[("2.png", 12)], [("3.png", 25)]]
    for pts in (0, 30):
        with pytest.raises(RequestError):
            table.move_border(1, pts)


def test_a_keyframe_takes_the_place_of_a_borrowed_picture_and_of_one_of_its_frame(
    table: ShotTable,
) -> None:
    assert names(table.add(0, picture(4, 3)))[0] == [("4.png", 3)]
    assert names(table.add(1, picture(4, 12)))[1] == [("4.png", 12), ("3.png", 25)]
    assert names(table.add(1, picture(4, 20)))[1] == [("2.png", 12), ("4.png", 20), ("3.png", 25)]
    assert names(table.add(1, picture(4)))[1] == [("4.png", None)]
    with pytest.raises(RequestError):
        table.add(0, picture(4, 20))


def test_undo_and_redo_go_through_all_versions(table: ShotTable) -> None:
    history = History(table)
    tables = [table]
    for pts in (5, 20, 25):
        history.change(history.table.split(pts))
        tables.append(history.table)
    for expected in reversed(tables[:-1]):
        history.undo()
        assert history.table is expected
    for expected in tables[1:]:
        history.redo()
        assert history.table is expected
    history.undo()
    history.change(table)
    assert not history.can_redo
    assert history.version == 1 + 3 + 3 + 3 + 1 + 1


def test_a_history_forgets_its_oldest_edits(table: ShotTable) -> None:
    history = History(table)
    for _ in range(History.MOST + 5):
        history.change(table)
    count = 0
    while history.can_undo:
        history.undo()
        count += 1
    assert count == History.MOST
