"""A film that players turn or mirror: kept in the output, and references are turned the same way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from c2e_video.video.decode.decoder import probe
from c2e_video.video.decode.metadata import display_matrix, orientation
from c2e_video.video.mux import plan_mux
from tests import media
from tests.factories import video_info
from tests.video.muxing import FFV1, H264, finish

ONE = 1 << 16
# Of the stored picture's pixel (x, y): a, b, c, d in x' = a x + c y, y' = b x + d y, y downwards.
ORIENTATIONS = {
    "left and right": (-1, 0, 0, 1),
    "top and bottom": (1, 0, 0, -1),
    "by 90 degrees": (0, -1, 1, 0),
    "by 180 degrees": (-1, 0, 0, -1),
    "by 270 degrees": (0, 1, -1, 0),
    "along the diagonal": (0, 1, 1, 0),
    "along the other diagonal": (0, -1, -1, 0),
}


def nine(a: float, b: float, c: float, d: float, shift: int = 0) -> tuple[int, ...]:
    return (
        *(round(v * ONE) for v in (a, b)),
        0,
        round(c * ONE),
        round(d * ONE),
        0,
        shift,
        0,
        1 << 30,
    )


def turned(path: Path, matrix: tuple[int, ...]) -> Path:
    plain = media.write_film(path.with_name("plain.mp4"), 2)
    with av.open(str(plain)) as film, av.open(str(path), "w") as copy:
        stream: Any = copy.add_stream_from_template(film.streams.video[0], opaque=True)
        stream.set_display_matrix(matrix)
        for packet in film.demux(video=0):
            if packet.size:
                packet.stream = stream
                copy.mux(packet)
    return path


def matrix_of(path: Path) -> tuple[int, ...] | None:
    with av.open(str(path)) as film:
        return display_matrix(next(film.decode(video=0)))


@pytest.mark.parametrize("output", ["out.mp4", "out.mov", "out.mkv"])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("name", ORIENTATIONS)
def test_every_orientation_is_kept(tmp_path: Path, name: str, suffix: str, output: str) -> None:
    matrix = nine(*ORIENTATIONS[name])
    source = turned(tmp_path / f"film{suffix}", matrix)
    how = FFV1 if output == "out.mkv" else H264
    plan = finish(source, tmp_path / output, how)
    assert matrix_of(tmp_path / output) == matrix
    assert plan.notes == ()


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_the_film_is_set_upright_as_players_do(name: str) -> None:
    a, b, c, d = ORIENTATIONS[name]
    rotation, mirrored = orientation(nine(a, b, c, d))
    info = video_info(rotation=rotation, mirrored=mirrored)
    stored = np.arange(12).reshape(3, 4)
    shown = {}
    for (y, x), value in np.ndenumerate(stored):
        shown[b * x + d * y, a * x + c * y] = value
    rows, columns = (sorted({place[k] for place in shown}) for k in (0, 1))
    expected = np.array([[shown[y, x] for x in columns] for y in rows])
    np.testing.assert_array_equal(info.upright(stored), expected)
    np.testing.assert_array_equal(info.stored(info.upright(stored)), stored)


def test_probe_tells_rotation_and_mirroring(tmp_path: Path) -> None:
    info = probe(turned(tmp_path / "film.mp4", nine(0, 1, 1, 0)))
    assert (info.turns, info.mirrored) == (3, True)
    info = probe(turned(tmp_path / "film.mp4", nine(0, -1, 1, 0, shift=48 * ONE)))
    assert (info.rotation, info.mirrored) == (90, False)
    info = probe(media.write_film(tmp_path / "plain.mp4", 2))
    assert (info.rotation, info.mirrored, info.display_matrix) == (0, False, None)
    info = probe(turned(tmp_path / "film.mp4", nine(0, 0, 0, 0)))  # no picture would be left of it
    assert (info.rotation, info.mirrored, info.display_matrix) == (0, False, None)


def test_a_rotation_is_found_beside_data_that_pyav_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(picture: Any) -> Any:
        raise ValueError("99 is not a valid Type")

    for name in ("by 90 degrees", "by 180 degrees", "by 270 degrees"):
        film = turned(tmp_path / "film.mp4", nine(*ORIENTATIONS[name]))
        monkeypatch.undo()
        assert matrix_of(film) == nine(*ORIENTATIONS[name])
        monkeypatch.setattr("c2e_video.video.decode.metadata.SideDataContainer", unknown)
        assert matrix_of(film) == nine(*ORIENTATIONS[name])
    assert matrix_of(media.write_film(tmp_path / "plain.mp4", 2)) is None


def test_what_a_container_cannot_say_is_named(tmp_path: Path) -> None:
    """Matroska knows rotation and mirroring, not scales."""
    source = turned(tmp_path / "film.mp4", nine(2, 0, 0, 1))
    info = probe(source)
    assert plan_mux(source, tmp_path / "out.mp4", info, H264).notes == ()
    (note,) = plan_mux(source, tmp_path / "out.mkv", info, FFV1).notes
    assert note.startswith(
        "mkv does not keep how players transform the picture: display matrix (13"
    )
