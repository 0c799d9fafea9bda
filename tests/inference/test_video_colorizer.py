"""Looks in time: steady between two keyframes, through a dissolve, and hard at a cut."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from c2e_video.inference.colorizer import Colorizer
from c2e_video.inference.video_colorizer import VideoColorizer
from c2e_video.model import save_weights
from c2e_video.references.image import Reference
from c2e_video.references.reference_map import ReferenceMap
from c2e_video.video.decode.decoder import probe
from c2e_video.video.frames import Frame, FrameBatch, PictureFormat, Shot
from tests.factories import color_picture, random_model
from tests.media import write_film

FORMAT = PictureFormat("yuv420p16le", 16, (2, 2), "bt601", False)  # fine enough to see any step
FRAMES = 40


def reference(seed: int, at: int | None = None) -> Reference:
    return Reference(color_picture(seed), Path(f"{seed}.png"), at)


@pytest.fixture(scope="module")
def painter(tmp_path_factory: pytest.TempPathFactory) -> VideoColorizer:
    folder = tmp_path_factory.mktemp("painter")
    save_weights(random_model(), folder / "tiny.safetensors")
    colorizer = Colorizer(
        folder / "tiny.safetensors", device="cpu", precision="fp32", size=32, saturation=4.0
    )
    return VideoColorizer(colorizer, probe(write_film(folder / "film.mp4", 4)))


def chroma(painter: VideoColorizer, reference_map: ReferenceMap) -> Any:
    """Cb and Cr, in 8-bit steps, of one still picture over the whole map: ``[N, 2, H, W]``."""
    luma = color_picture(9)[:, :, 0]
    planes = []
    for shot in reference_map.shots:
        frames = tuple(Frame(luma, pts, 1) for pts in range(shot.start, shot.stop))
        for batch in painter.colorize([FrameBatch(frames, shot)], reference_map, FORMAT):
            planes.append(np.stack([batch.cb, batch.cr], axis=1).astype(np.float64) / 256)
    return np.concatenate(planes)


def steps(planes: Any) -> Any:
    """The mean change of chroma from each frame to the next."""
    return np.abs(np.diff(planes, axis=0)).mean((1, 2, 3))


def test_the_look_moves_steadily_from_keyframe_to_keyframe(painter: VideoColorizer) -> None:
    """No step stands out (``test_weights`` holds its size against grain)."""
    keyframes = (reference(1, 0), reference(2, FRAMES - 1))
    planes = chroma(painter, ReferenceMap((Shot(0, 0, FRAMES),), (keyframes,)))
    way = np.abs(planes[-1] - planes[0]).mean()
    assert way > 0.05
    assert steps(planes).max() < 4 * way / FRAMES
    assert steps(planes).sum() < 1.5 * way  # there, and not to and fro


def test_a_dissolve_goes_from_look_to_look_and_ends(painter: VideoColorizer) -> None:
    shots = (Shot(0, 0, 10), Shot(1, 10, 40, "dissolve", 20))
    planes = chroma(painter, ReferenceMap(shots, ((reference(1),), (reference(2),))))
    change = steps(planes)
    assert change[:9].max() == 0  # the first look stays until the dissolve
    assert change[9:30].min() > 0
    assert change[30:].max() == 0  # and the second after it
    assert change.max() < 0.3 * np.abs(planes[-1] - planes[0]).mean()


def test_a_cut_is_one_step(painter: VideoColorizer) -> None:
    shots = (Shot(0, 0, 5), Shot(1, 5, 10))
    change = steps(chroma(painter, ReferenceMap(shots, ((reference(1),), (reference(2),)))))
    assert change[4] > 0.05
    assert np.delete(change, 4).max() == 0


def test_each_picture_is_read_once_however_often_it_is_used(painter: VideoColorizer) -> None:
    before = painter.colorizer.embeddings_made
    shots = tuple(Shot(i, 5 * i, 5 * i + 5) for i in range(6))
    rows = tuple((reference(20 + i % 2),) for i in range(6))
    chroma(painter, ReferenceMap(shots, rows))
    assert painter.colorizer.embeddings_made == before + 2


def test_of_many_references_few_looks_are_kept(
    painter: VideoColorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory does not grow with a film's shots; one that comes again is read again."""
    monkeypatch.setattr("c2e_video.inference.video_colorizer.KEPT", 2)
    shots = tuple(Shot(i, 5 * i, 5 * i + 5) for i in range(5))
    reference_map = ReferenceMap(shots, tuple((reference(30 + i),) for i in range(5)))
    whole = chroma(painter, reference_map)
    assert len(painter._embeddings) == 2
    np.testing.assert_array_equal(chroma(painter, reference_map), whole)


def test_references_are_turned_as_the_films_frames_are_stored(painter: VideoColorizer) -> None:
    turned = VideoColorizer(painter.colorizer, replace(painter.info, rotation=90))
    upright = reference(1)
    stored = np.ascontiguousarray(np.rot90(upright.image, -1))
    assert turned.embedding(upright).digest == painter.colorizer.embed(stored).digest
    mirrored = VideoColorizer(painter.colorizer, replace(painter.info, rotation=90, mirrored=True))
    stored = np.ascontiguousarray(np.rot90(upright.image[:, ::-1], -1))
    assert mirrored.embedding(upright).digest == painter.colorizer.embed(stored).digest


def test_a_gray_shot_is_neutral_and_the_network_is_not_run_for_it(
    painter: VideoColorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dissolve into it fades the colours out, frame by frame."""
    shots = (Shot(0, 0, 10), Shot.after(8, 1, 10, 24), Shot(2, 24, 30))
    given = ReferenceMap(shots, ((reference(1),), (), (reference(2),)))
    asked = []
    embedding_at = painter.embedding_at
    monkeypatch.setattr(
        painter,
        "embedding_at",
        lambda pts, *rest: asked.append(pts) or embedding_at(pts, *rest),  # type: ignore[func-returns-value]
    )
    strength = np.abs(chroma(painter, given) - 128).mean((1, 2, 3))
    assert asked == [*range(18), *range(24, 30)]
    assert strength[18:24].max() == 0
    assert min(strength[:10].min(), strength[24:].min()) > 0.1
    assert (np.diff(strength[9:19]) < 0).all()


def test_saturation_is_a_shots_own(painter: VideoColorizer) -> None:
    shots = (Shot(0, 0, 4), Shot(1, 4, 8), Shot(2, 8, 12))
    weak = Colorizer(painter.colorizer.weights, device="cpu", precision="fp32", size=32)
    plain = VideoColorizer(weak, painter.info)
    given = ReferenceMap(shots, ((reference(1),),) * 3, (0.1, 0.2, 0.0))
    one, two, none = np.split(np.abs(chroma(plain, given) - 128), 3)
    assert two.mean() == pytest.approx(2 * one.mean(), rel=0.02)
    assert none.max() == 0
