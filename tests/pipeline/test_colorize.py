"""The whole way: a gray film and a picture in, a colour film out, and everything else as it was."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from c2e_video.errors import C2EError, JobMismatch, MediaError
from c2e_video.inference import colorizer
from c2e_video.inference.video_colorizer import VideoColorizer
from c2e_video.pipeline import output, planned_film, render_plan
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from c2e_video.references.reference_map import ReferenceMap
from c2e_video.utils import devices
from c2e_video.utils.choices import Quality
from c2e_video.video.decode.decoder import probe
from c2e_video.video.encode import Encoder, EncodeSettings, settings_for
from tests.factories import write_picture
from tests.media import luma_frames, packets, video_pts, write_film

# Shots of 16 frames at 25 a second: long enough to count as shots.
SHOTS = (16, 16, 16)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_film(tmp_path / "film.mp4", shots=SHOTS, audio="aac", chapters=[(0, 1, "one")])


@pytest.fixture
def keyframe(tmp_path: Path) -> Path:
    return write_picture(tmp_path / "keyframe.png", 0)


def pictures(path: Path) -> Any:
    """Every frame as its planes lie in it, ``[N, rows, W]``."""
    with av.open(str(path)) as film:
        return np.stack([frame.to_ndarray() for frame in film.decode(video=0)])


def chroma(path: Path) -> Any:
    """Cb and Cr of every frame of 48 rows."""
    return pictures(path)[:, 48:]


def dying(number: int) -> Any:
    """An encoder's ``write`` that a Ctrl-C ends at the frame of that number."""
    write, count = Encoder.write, itertools.count(1)

    def dies(self: Encoder, batch: Any) -> None:
        if next(count) == number:
            raise KeyboardInterrupt
        write(self, batch)

    return dies


def test_a_film_gets_colour_and_keeps_the_rest(film: Path, keyframe: Path, quick: Options) -> None:
    result = colorize_video(film, references=keyframe, options=quick)
    assert result.output == film.with_name("film.color.mp4")
    assert result.frames == 48
    assert video_pts(result.output) == video_pts(film)
    assert [p[:4] for p in packets(result.output, "audio")] == [
        p[:4] for p in packets(film, "audio")
    ]
    assert chroma(result.output).std() > 2
    with av.open(str(result.output)) as painted:
        assert [c["metadata"]["title"] for c in painted.chapters()] == ["one"]
        assert "colorized" in painted.metadata["comment"]
    assert sorted(p.name for p in film.parent.iterdir()) == [
        "film.color.mp4",
        "film.color.mp4.json",
        "film.mp4",
        "keyframe.png",
    ]


@pytest.mark.parametrize(
    ("pixel_format", "size"), [("yuv420p", (64, 48)), ("gray", (33, 17)), ("yuv420p10le", (64, 48))]
)
def test_ffv1_keeps_every_luma_sample(
    tmp_path: Path, keyframe: Path, quick: Options, pixel_format: str, size: tuple[int, int]
) -> None:
    film = write_film(tmp_path / "in.mkv", 20, size, pixel_format=pixel_format, codec="ffv1")
    result = colorize_video(
        film, references=keyframe, options=replace(quick, encode=EncodeSettings("ffv1"))
    )
    for before, after in zip(luma_frames(film), luma_frames(result.output), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("quality", "refinement"),
    [("draft", b"subme=2"), ("standard", b"subme=4"), ("best", b"subme=6")],
)
def test_a_film_is_encoded_by_the_preset_of_its_quality(
    film: Path, keyframe: Path, quick: Options, quality: Quality, refinement: bytes
) -> None:
    """x264 writes its settings into the film."""
    options = replace(quick, encode=EncodeSettings(), quality=quality)
    result = colorize_video(film, references=keyframe, options=options)
    assert refinement in result.output.read_bytes()


def test_a_draft_is_not_taken_up_at_another_quality(
    film: Path, keyframe: Path, quick: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though size and interval are the same: parts of two presets cannot be joined."""
    draft = replace(quick, encode=EncodeSettings(), quality="draft", anchor_interval=8)
    monkeypatch.setattr(Encoder, "write", dying(20))
    with pytest.raises(KeyboardInterrupt):
        colorize_video(film, references=keyframe, options=draft)
    with pytest.raises(JobMismatch, match="veryfast"):
        colorize_video(film, references=keyframe, options=replace(draft, quality="standard"))


def test_variable_frame_rate_with_a_hole(tmp_path: Path, keyframe: Path, quick: Options) -> None:
    pts = [100, 140, 141, 190, 700, 733, 800, 850, 900, 901, 950, 1000]
    film = write_film(tmp_path / "vfr.mp4", 12, pts=pts, time_base=Fraction(1, 1000), audio="aac")
    result = colorize_video(film, references=keyframe, options=quick)
    assert video_pts(result.output) == video_pts(film)


def test_a_name_too_long_for_its_record_is_told_before_any_work(
    film: Path, keyframe: Path, quick: Options
) -> None:
    name = "x" * (output.MAX_NAME_BYTES - 4) + ".mp4"
    with pytest.raises(C2EError, match=f"1 bytes too long .* up to {output.MAX_NAME_BYTES} bytes"):
        colorize_video(film, film.with_name(f"x{name}"), references=keyframe, options=quick)
    assert colorize_video(film, film.with_name(name), references=keyframe, options=quick).frames


def test_a_stretch_begins_with_its_first_frame(film: Path, keyframe: Path, quick: Options) -> None:
    """Its time is told to the millisecond, and frames lie between."""
    base = probe(film).time_base
    pts = [at or 0 for at in video_pts(film)]
    for first in (1, 7, 20):
        start = Fraction(round(1000 * pts[first] * base), 1000)
        result = colorize_video(
            film, references=keyframe, options=replace(quick, start=start), overwrite=True
        )
        assert video_pts(result.output)[0] == 0
        assert result.frames == 48 - first


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_what_spans_the_start_of_a_stretch_begins_with_it(
    tmp_path: Path, keyframe: Path, quick: Options, suffix: str
) -> None:
    """Chapters, subtitles and sound, where the first frame comes a little after what was asked for."""
    film = write_film(
        tmp_path / "film.mkv",
        24,
        rate=10,
        audio="aac",
        chapters=[(0, 1, "one"), (1, 2.4, "two")],
        subtitles=[(0.2, 0.9, "early"), (1.2, 1.5, "late")],
    )
    result = colorize_video(
        film,
        tmp_path / f"out{suffix}",
        references=keyframe,
        options=replace(quick, start=Fraction(405, 1000)),
    )
    assert video_pts(result.output)[0] == 0
    with av.open(str(result.output)) as made:
        starts = [float(c["start"] * (c["time_base"] or 1)) for c in made.chapters()]
        texts = [
            float((p.pts or 0) * p.time_base)
            for p in made.demux(subtitles=0)
            if len(bytes(p)) > 2 and p.time_base is not None
        ]
    assert starts == pytest.approx([0, 0.5], abs=2e-3)
    assert texts == pytest.approx([0, 0.7], abs=2e-3)
    assert min(packet.pts or 0 for packet in packets(result.output, "audio")) >= 0


def test_segments_join_without_a_seam(
    tmp_path: Path, keyframe: Path, quick: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = write_film(tmp_path / "in.mkv", shots=SHOTS, codec="ffv1")
    ffv1 = replace(quick, encode=EncodeSettings("ffv1"))
    whole = colorize_video(film, tmp_path / "whole.mkv", references=keyframe, options=ffv1)
    monkeypatch.setattr(planned_film, "SEGMENT_SECONDS", 0.4)
    pieces = colorize_video(film, tmp_path / "pieces.mkv", references=keyframe, options=ffv1)
    assert video_pts(whole.output) == video_pts(pieces.output)
    np.testing.assert_array_equal(chroma(whole.output), chroma(pieces.output))


def test_a_run_taken_up_within_a_shot_is_steadied_as_the_whole(
    tmp_path: Path, keyframe: Path, quick: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The frames around a segment count for it, though they are another's."""
    film = write_film(tmp_path / "in.mkv", 40, (128, 96), codec="ffv1")
    options = replace(quick, encode=EncodeSettings("ffv1"), size=64, batch=3)
    whole = colorize_video(film, tmp_path / "whole.mkv", references=keyframe, options=options)
    assert len(whole.references.shots) == 1
    monkeypatch.setattr(planned_film, "SEGMENT_SECONDS", 0.4)
    output, write = tmp_path / "pieces.mkv", Encoder.write
    monkeypatch.setattr(Encoder, "write", dying(25))
    with pytest.raises(KeyboardInterrupt):
        colorize_video(film, output, references=keyframe, options=options)
    assert list(output.with_name("pieces.mkv.c2e").glob("part-*.json"))
    monkeypatch.setattr(Encoder, "write", write)
    colorize_video(film, output, references=keyframe, options=options)
    assert video_pts(output) == video_pts(whole.output)
    np.testing.assert_array_equal(pictures(output), pictures(whole.output))


def test_the_color_encoder_reads_each_distinct_reference_once(
    film: Path, tmp_path: Path, quick: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, same, other = (
        write_picture(tmp_path / f"{i}.png", seed) for i, seed in enumerate((1, 1, 2))
    )
    rows = [
        f"{i + 1},{a},{b},cut,{p.name},"
        for i, (a, b, p) in enumerate(
            [("0", "0.64", one), ("0.64", "1.28", other), ("1.28", "1.92", same)]
        )
    ]
    csv = tmp_path / "map.csv"
    csv.write_text("\n".join(["shot,start,end,transition,reference,at", *rows]))
    made: list[str] = []
    embed = colorizer.Colorizer.embed

    def counted(self: Any, image: Any) -> Any:
        embedding = embed(self, image)
        made.append(embedding.digest)
        return embedding

    monkeypatch.setattr(colorizer.Colorizer, "embed", counted)
    result = colorize_video(film, references=csv, options=replace(quick, batch=3))
    assert len(made) == len(set(made)) == 2
    planes = chroma(result.output).reshape(48, -1).astype(float)
    hues = [planes[a : a + 16].mean(0) for a in (0, 16, 32)]
    assert len(result.references.shots) == 3
    assert np.abs(hues[0] - hues[1]).mean() > 1


def test_an_interrupted_run_is_taken_up(
    film: Path, keyframe: Path, quick: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planned_film, "SEGMENT_SECONDS", 0.4)
    whole = colorize_video(film, film.with_name("whole.mp4"), references=keyframe, options=quick)
    write = Encoder.write
    monkeypatch.setattr(Encoder, "write", dying(24))
    with pytest.raises(KeyboardInterrupt):
        colorize_video(film, references=keyframe, options=quick)
    output = film.with_name("film.color.mp4")
    assert not output.exists()
    parts = sorted(p.name for p in output.with_name("film.color.mp4.c2e").glob("part-*.mp4"))
    assert parts
    assert not any("partial" in name for name in parts)
    monkeypatch.setattr(Encoder, "write", write)
    with pytest.raises(JobMismatch, match="options"):
        colorize_video(film, references=keyframe, options=replace(quick, saturation=1.0))
    monkeypatch.setattr(devices, "bf16_is_faster", lambda: False)
    # What "auto" came to may be asked for by its name: fp32 here.
    colorize_video(film, references=keyframe, options=replace(quick, precision="auto"))
    assert video_pts(output) == video_pts(whole.output)
    np.testing.assert_array_equal(chroma(output), chroma(whole.output))
    assert not output.with_name("film.color.mp4.c2e").exists()


@pytest.mark.parametrize("stage", ["decode", "colorize", "encode", "mux"])
def test_a_failing_stage_raises_its_own_error_and_leaves_nothing(
    film: Path, keyframe: Path, quick: Options, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError(f"{stage} broke")

    home, name = {
        "decode": (render_plan, "decode"),
        "colorize": (VideoColorizer, "colorize"),
        "encode": (Encoder, "write"),
        "mux": (planned_film, "mux"),
    }[stage]
    monkeypatch.setattr(home, name, broken)
    with pytest.raises(RuntimeError, match=f"{stage} broke"):
        colorize_video(film, references=keyframe, options=quick)
    assert not film.with_name("film.color.mp4").exists()
    assert not list(film.parent.glob(".*"))
    assert not [t for t in threading.enumerate() if t.name == "c2e-worker"]


def test_a_lost_frame_is_never_silent(
    film: Path, keyframe: Path, quick: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = vars(render_plan)["decode"]

    def lossy(*args: Any, **kwargs: Any) -> Any:
        yield from (f for i, f in enumerate(decode(*args, **kwargs)) if i != 7)

    monkeypatch.setattr(render_plan, "decode", lossy)
    with pytest.raises(MediaError, match=r"gave 47 frames .* where it gave 48"):
        colorize_video(film, references=keyframe, options=quick)


def test_start_and_end_paint_a_stretch(film: Path, keyframe: Path, quick: Options) -> None:
    result = colorize_video(
        film, references=keyframe, options=replace(quick, start=Fraction(1, 2), end=Fraction(1))
    )
    assert result.frames == 12
    assert len(video_pts(result.output)) == 12
    with pytest.raises(C2EError, match=r"begins at 0\.000 s"):
        colorize_video(
            film, references=keyframe, options=replace(quick, start=Fraction(99)), overwrite=True
        )


def test_a_truncated_film_is_painted_as_far_as_it_goes(
    tmp_path: Path, keyframe: Path, quick: Options
) -> None:
    whole = write_film(tmp_path / "whole.mkv", shots=SHOTS, codec="libx264")
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    result = colorize_video(cut, references=keyframe, options=quick)
    assert 0 < result.frames < 48
    assert any("cut off" in note for note in result.notes)


def test_output_names(tmp_path: Path) -> None:
    def name(source: str, codec: Any = None, profile: Any = None) -> str:
        return output.default_output(tmp_path / source, settings_for(profile, codec)).name

    assert name("a.mp4") == name("a.avi") == name("a.MP4") == "a.color.mp4"
    assert name("a.mkv") == name("a.avi", "ffv1") == "a.color.mkv"
    assert name("a.mp4", "prores") == name("a.mov") == "a.color.mov"
    assert name("a.mkv", profile="web") == "a.color.mp4"


def test_outputs_that_cannot_be(film: Path, keyframe: Path, quick: Options, tmp_path: Path) -> None:
    def fails(output: Path, message: str) -> None:
        with pytest.raises(C2EError, match=message):
            colorize_video(film, output, references=keyframe, options=quick)

    fails(film, "is the film itself")
    fails(tmp_path / "none" / "out.mp4", "no folder")
    fails(tmp_path, "is a folder")
    (tmp_path / "record.mp4.json").write_text("mine")
    fails(tmp_path / "record.mp4", "record.mp4.json' exists; overwrite=True overwrites")
    (tmp_path / "there.mp4").write_bytes(b"mine")
    fails(tmp_path / "there.mp4", "exists; overwrite=True overwrites")
    assert (tmp_path / "there.mp4").read_bytes() == b"mine"
    colorize_video(film, tmp_path / "there.mp4", references=keyframe, options=quick, overwrite=True)
    assert len(video_pts(tmp_path / "there.mp4")) == 48


def test_keyframes_find_their_shots(tmp_path: Path, quick: Options) -> None:
    """Frames of the film with colour on them, shuffled and nameless, each serve their own shot."""
    film = write_film(tmp_path / "film.mp4", shots=SHOTS, size=(160, 96))
    names = {8: "c.png", 24: "a.png", 40: "b.png"}
    for index, luma in enumerate(luma_frames(film)):
        if index in names:
            gray = np.clip((luma.astype(float) - 16) * 255 / 219, 0, 255)
            tint = np.roll([0.8, 1.0, 1.15], index)
            cv2.imwrite(str(tmp_path / names[index]), np.clip(gray[..., None] * tint, 0, 255))
    result = colorize_video(
        film, references=[tmp_path / n for n in ("a.png", "b.png", "c.png")], options=quick
    )
    reference_map: ReferenceMap = result.references
    assert [row[0].path.name for row in reference_map.references] == ["c.png", "a.png", "b.png"]
