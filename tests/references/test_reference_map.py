"""Reference pictures of every kind, and which of them colours which frame."""

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
from c2e_video.references.image import Reference, load_reference, load_references
from c2e_video.references.reference_map import ReferenceMap, snap_shots
from c2e_video.video.frames import Shot
from tests.factories import color_noise


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
