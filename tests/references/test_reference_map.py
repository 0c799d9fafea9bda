"""Which reference colours which frame."""

from __future__ import annotations

from pathlib import Path

import pytest

from c2e_video.references.image import Reference
from c2e_video.references.reference_map import ReferenceMap, snap_shots
from c2e_video.video.frames import Shot
from tests.factories import color_noise


def reference(seed: int, at: int | None = None) -> Reference:
    return Reference(color_noise(seed, 20, 20), Path(f"{seed}.png"), at)


A, B, C = reference(1), reference(2), reference(3)


def weights(chosen: ReferenceMap, pts: int) -> dict[str, float]:
    found = {r.path.stem: w for r, w in chosen.weights_at(pts)}
    assert sum(found.values()) == pytest.approx(1)
    return found


def test_a_cut_is_hard() -> None:
    chosen = ReferenceMap((Shot(0, 0, 10), Shot(1, 10, 20)), ((A,), (B,)))
    assert [weights(chosen, t) for t in (-3, 0, 9, 10, 19, 99)] == [
        *[{"1": 1.0}] * 3,
        *[{"2": 1.0}] * 3,
    ]


def test_keyframes_of_a_shot_move_from_one_to_the_next() -> None:
    row = (A.moved(10), B.moved(20), C.moved(40))
    chosen = ReferenceMap((Shot(0, 0, 50),), (row,))
    assert weights(chosen, 0) == weights(chosen, 10) == {"1": 1.0}
    assert weights(chosen, 15) == {"1": 0.5, "2": 0.5}
    assert weights(chosen, 25) == {"2": 0.75, "3": 0.25}
    assert weights(chosen, 45) == {"3": 1.0}


def test_a_dissolve_fades_steadily_from_look_to_look() -> None:
    chosen = ReferenceMap((Shot(0, 0, 10), Shot.after(8, 1, 10, 30)), ((A,), (B,)))
    shares = [weights(chosen, t).get("2", 0.0) for t in range(9, 20)]
    assert shares == pytest.approx([0, *[(k + 0.5) / 8 for k in range(8)], 1, 1])


def test_equal_pictures_are_one_look() -> None:
    twin = Reference(A.image.copy(), Path("twin.png"))
    assert twin.digest == A.digest
    chosen = ReferenceMap((Shot(0, 0, 10), Shot.after(8, 1, 10, 30)), ((A,), (twin,)))
    assert len(chosen.weights_at(14)) == 1
    assert [r.path.stem for r in chosen.distinct()] == ["1"]


def test_distinct_is_in_order_of_use() -> None:
    shots = (Shot(0, 0, 5), Shot(1, 5, 10), Shot(2, 10, 15))
    assert ReferenceMap(shots, ((B,), (A,), (B,))).distinct() == (B, A)


def test_snapping_takes_the_nearest_frame() -> None:
    pts = [0, 3003, 6006, 9009, 12012]  # 29.97 a second on a clock of 90000
    shots = (Shot(0, 0, 5985), Shot(1, 5985, 12060), Shot(2, 12060, 12100))
    snapped = ReferenceMap(shots, ((A,), (B.moved(9045),), (C,))).snapped(pts)
    assert [(s.start, s.stop) for s in snapped.shots] == [(0, 6006), (6006, 12012), (12012, 12100)]
    assert snapped.references[1][0].at == 9009


def test_snapping_drops_shots_without_frames() -> None:
    shots = (Shot(0, 0, 105), Shot(1, 105, 106), Shot(2, 106, 900))
    snapped = ReferenceMap(shots, ((A,), (B,), (C,))).snapped(list(range(0, 900, 40)))
    assert [row[0].path.stem for row in snapped.references] == ["1", "3"]
    assert [s.index for s in snapped.shots] == [0, 1]


def test_snapping_shots_alone() -> None:
    shots = (Shot(0, 0, 105), Shot(1, 105, 106), Shot.after(300, 2, 106, 310), Shot(3, 310, 900))
    assert snap_shots(shots, range(0, 900, 40)) == (
        Shot(0, 0, 120),
        Shot.after(200, 1, 120, 320),
        Shot(2, 320, 900),
    )


def test_snapping_to_a_part_of_the_film() -> None:
    """What lies outside leaves no trace: no frame of a far shot's colours, no keyframe moved."""
    shots = (Shot(0, 0, 400), Shot(1, 400, 1000), Shot(2, 1000, 2000))
    row = (B.moved(900), C.moved(980))
    snapped = ReferenceMap(shots, ((A,), row, (A,))).snapped(range(480, 720, 40))
    assert snapped.shots == (Shot(0, 480, 720),)
    assert [r.at for r in snapped.references[0]] == [900, 980]


def test_snapping_two_keyframes_of_one_frame() -> None:
    chosen = ReferenceMap((Shot(0, 0, 400),), ((A.moved(81), B.moved(84)),))
    assert [r.at for r in chosen.snapped(range(0, 400, 40)).references[0]] == [81, 84]


def test_maps_check_themselves() -> None:
    with pytest.raises(ValueError, match="starts at 11"):
        ReferenceMap((Shot(0, 0, 10), Shot(1, 11, 20)), ((A,), (B,)))
    with pytest.raises(ValueError, match="1 shots have 2 saturations"):
        ReferenceMap((Shot(0, 0, 10),), ((A,),), (1.0, 1.0))
    with pytest.raises(ValueError, match="saturation is 0 to"):
        ReferenceMap((Shot(0, 0, 10),), ((A,),), (4.1,))
    with pytest.raises(ValueError, match="their own time"):
        ReferenceMap((Shot(0, 0, 10),), ((A, B.moved(3)),))


def test_a_gray_shot_has_no_references_and_its_neighbor_fades_in_a_dissolve() -> None:
    shots = (Shot(0, 0, 10), Shot.after(4, 1, 10, 30), Shot.after(4, 2, 30, 50))
    mapped = ReferenceMap(shots, ((A,), (), (B,)), (1.0, 1.0, 2.0))
    assert [weights(mapped, t) for t in (9, 10, 13)] == [{"1": 1.0}] * 3
    assert mapped.weights_at(14) == mapped.weights_at(29) == ()
    assert [weights(mapped, t) for t in (30, 33, 34)] == [{"2": 1.0}] * 3
    assert [mapped.saturation_at(t) for t in (9, 10, 13, 14, 29)] == [1, 0.875, 0.125, 0, 0]
    assert [mapped.saturation_at(t) for t in (30, 33, 34)] == [0.25, 1.75, 2]
    assert mapped.distinct() == (A, B)


def test_saturation_of_a_shot_is_kept_when_borders_move() -> None:
    shots = (Shot(0, 0, 105), Shot(1, 105, 106), Shot(2, 106, 900))
    snapped = ReferenceMap(shots, ((A,), (B,), (C,)), (0.5, 1, 2)).snapped(range(0, 900, 40))
    assert snapped.saturations == (0.5, 2)
