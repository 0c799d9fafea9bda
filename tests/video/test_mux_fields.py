"""The metadata of a film: what goes over, and which losses are worth a note."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from c2e_video.video.decode.decoder import probe
from c2e_video.video.mux import plan_mux
from c2e_video.video.mux.fields import tape_fields
from tests import media
from tests.video.muxing import FFV1, H264, finish

OUTPUTS = ("out.mov", "out.mp4", "out.mkv")


def notes(source: Path, output: str) -> list[str]:
    how = FFV1 if output.endswith(".mkv") else H264
    plan = plan_mux(source, source.with_name(output), probe(source), how)
    return [note for note in plan.notes if "does not keep" in note]


def tagged(path: Path, film: Mapping[str, str], picture: Mapping[str, str], **options: Any) -> Path:
    """A film with fields of its own and of its picture track."""
    plain = media.write_film(path.with_name(f"plain{path.suffix}"), 5, **options)
    with av.open(str(plain)) as source, av.open(str(path), "w") as copy:
        copy.metadata.update(film)
        stream = copy.add_stream_from_template(source.streams.video[0], opaque=True)
        stream.metadata.update(picture)
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                copy.mux(packet)
    return path


def tape(path: Path) -> dict[str, str]:
    with av.open(str(path)) as film:
        return tape_fields(film)


TAPE = {"TIMECODE": "01:00:00:00", "REEL_NAME": "A001"}
QUICKTIME = {name.lower(): value for name, value in TAPE.items()}


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize(
    ("name", "film", "picture"),
    [
        ("film.mkv", TAPE, {}),
        ("film.mkv", {}, TAPE),
        ("film.mov", {}, QUICKTIME),
        ("film.mkv", {"TIMECODE": "01:00:00:00"}, {"REEL_NAME": "A001"}),
    ],
    ids=["of the film", "of the picture", "in a timecode track", "one of each"],
)
def test_timecode_and_reel_become_what_the_output_has_for_them(
    tmp_path: Path, name: str, film: Any, picture: Any, output: str
) -> None:
    source = tagged(tmp_path / name, film, picture)
    assert tape(source) == QUICKTIME
    finish(source, tmp_path / output, FFV1 if output == "out.mkv" else H264)
    missing = {"reel_name"} if output == "out.mp4" else set()
    assert tape(tmp_path / output) == {k: v for k, v in QUICKTIME.items() if k not in missing}
    if output != "out.mkv":
        with av.open(str(tmp_path / output)) as made:
            assert [s.metadata["timecode"] for s in made.streams if s.type == "data"] == [
                "01:00:00:00"
            ]
    assert notes(source, output) == [
        f"mp4 does not keep the film's {name} 'A001'" for name in missing
    ]


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize(
    ("timecode", "rate"), [("01:00:00;02", 30), ("10:00:00;00", Fraction(30000, 1001))]
)
def test_drop_frames_are_kept(
    tmp_path: Path, output: str, timecode: str, rate: Fraction | int
) -> None:
    source = tagged(tmp_path / "film.mkv", {"TIMECODE": timecode}, {}, rate=rate)
    finish(source, tmp_path / output, FFV1 if output == "out.mkv" else H264)
    assert tape(tmp_path / output) == {"timecode": timecode}
    assert notes(source, output) == []


@pytest.mark.parametrize("timecode", ["01:00:00;02", "1 hour"])
def test_a_timecode_that_the_container_refuses_is_lost_and_said(
    tmp_path: Path, timecode: str
) -> None:
    """Drop frames at 25 frames a second; words: the film is not refused for it."""
    source = tagged(tmp_path / "film.mkv", {"TIMECODE": timecode}, {})
    finish(source, tmp_path / "out.mov")
    assert notes(source, "out.mov") == [f"mov does not keep the film's timecode {timecode!r}"]
    assert tape(tmp_path / "out.mov") == {}


# -- notes of loss ---------------------------------------------------------------------------------


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.mxf", {"codec": "mpeg2video", "metadata": {"timecode": "01:00:00:00"}}),
        ("film.avi", {"audio": "libmp3lame", "metadata": {"software": "x", "title": "T"}}),
        ("film.flv", {"codec": "libx264", "audio": "aac", "metadata": {"metadatacreator": "x"}}),
        ("film.mov", {"audio": "aac", "metadata": {"creation_time": "2020-01-02T03:04:05Z"}}),
        ("film.mp4", {"audio": "aac", "metadata": {"creation_time": "2020-01-02T03:04:05.6Z"}}),
        ("film.mkv", {"audio": "aac", "metadata": {"creation_time": "2020-01-02T03:04:05Z"}}),
        ("film.webm", {"audio": "opus", "metadata": {"title": "T"}}),
        ("film.ts", {"audio": "mp2"}),
        ("film.mpg", {"audio": "mp2"}),
        ("film.nut", {"audio": "mp2", "metadata": {"title": "T"}}),
    ],
)
def test_what_a_file_says_of_itself_is_not_missed(
    tmp_path: Path, name: str, options: dict[str, Any], output: str
) -> None:
    if (name, output) == ("film.webm", "out.mov"):
        options = options | {"audio": None}
    assert notes(media.write_film(tmp_path / name, 5, **options), output) == []


def test_the_writing_programs_fields_are_not_missed_in_any_language(tmp_path: Path) -> None:
    fields = {
        "BPS-eng": "100",
        "NUMBER_OF_FRAMES-eng": "5",
        "_STATISTICS_TAGS-eng": "BPS",
        "DURATION-eng": "00:00:01",
        "SOURCE_ID-eng": "001011",
        "ENCODER": "x",
    }
    source = tagged(tmp_path / "film.mkv", {"WMFSDKVersion": "12", "encoder": "x"}, fields)
    assert notes(source, "out.mp4") == []


def test_what_is_the_films_is_missed(tmp_path: Path) -> None:
    source = tagged(tmp_path / "film.mkv", {"STOCK": "orthochromatic"}, {"LAB": "Joinville"})
    assert notes(source, "out.mp4") == [
        "mp4 does not keep the film's STOCK 'orthochromatic'",
        "mp4 does not keep the LAB 'Joinville' of video stream 0 (h264)",
    ]
    assert notes(source, "out.mkv") == []
