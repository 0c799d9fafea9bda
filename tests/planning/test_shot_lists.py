"""Lists of shots that others made are read, and ours can be read by others."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from c2e_video.errors import C2EError
from c2e_video.planning.shot_lists import (
    check_shot_list,
    read_shot_list,
    with_the_rest,
    write_shot_list,
)
from c2e_video.video.frames import Shot, VideoInfo
from tests.factories import video_info

FILM = Fraction(24000, 1001)
RATES = [Fraction(24), FILM, Fraction(25), Fraction(30000, 1001), Fraction(60)]


def film(
    rate: Fraction | None = Fraction(25), time_base: Fraction = Fraction(1, 1000)
) -> VideoInfo:
    return video_info(path=Path("film.mp4"), time_base=time_base, frame_rate=rate)


def saved(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def borders(shots: Iterable[Shot]) -> list[tuple[int, int, int]]:
    return [(shot.start, shot.stop, shot.dissolve) for shot in shots]


# Written and read again


@pytest.mark.parametrize("rate", RATES, ids=float)
@pytest.mark.parametrize("suffix", [".csv", ".edl", ".otio"])
def test_round_trip(tmp_path: Path, suffix: str, rate: Fraction) -> None:
    """Two hours of shots, some of a single frame, from a first frame that is not at zero."""
    if suffix == ".otio":
        pytest.importorskip("opentimelineio")
    info = film(rate, Fraction(1, 90000))
    half = Fraction(1, 2) / (rate * info.time_base)
    chance = random.Random(0)
    cuts = [0, 1, 2, *sorted(chance.sample(range(100, round(7200 * rate)), 60))]
    pts = [126000 + round(cut / rate / info.time_base) for cut in cuts]
    shots = [
        Shot.after(round(chance.choice([0, 2.7, 48]) * half) if i > 4 else 0, i, start, stop)
        for i, (start, stop) in enumerate(pairwise(pts))
    ]
    path = tmp_path / f"list{suffix}"
    write_shot_list(shots, path, info)
    again = read_shot_list(path, info, pts[-1], start=pts[0])
    assert [shot.index for shot in again] == list(range(len(shots)))
    for written, read in zip(shots, again, strict=True):
        assert abs(written.start - read.start) < half
        assert abs(written.stop - read.stop) < half
        assert abs(written.dissolve - read.dissolve) < half


def test_a_hole_at_the_films_end_becomes_a_shot() -> None:
    info = film(FILM)
    listed = (Shot(0, 0, 2000),)
    long = round(2 / info.time_base)
    assert with_the_rest(listed, info, 2000 + long) == (*listed, Shot(1, 2000, 2000 + long))
    assert with_the_rest(listed, info, 2000 + long // 8) == listed
    assert with_the_rest(listed, info, 1000) == listed


def test_a_dissolve_in_an_edl_is_two_lines_of_one_event(tmp_path: Path) -> None:
    shots = (Shot(0, 0, 4000), Shot.after(960, 1, 4000, 3605040))
    write_shot_list(shots, tmp_path / "a.edl", film())
    assert (tmp_path / "a.edl").read_text().splitlines() == [
        "TITLE: film",
        "FCM: NON-DROP FRAME",
        "",
        "001  AX       V     C        00:00:00:00 00:00:04:00 00:00:00:00 00:00:04:00",
        "* FROM CLIP NAME: film.mp4",
        "002  AX       V     C        00:00:04:00 00:00:04:00 00:00:04:00 00:00:04:00",
        "002  AX       V     D    024 00:00:04:00 01:00:05:01 00:00:04:00 01:00:05:01",
        "* FROM CLIP NAME: film.mp4",
        "* TO CLIP NAME: film.mp4",
    ]


def test_varying_frame_rate(tmp_path: Path) -> None:
    """Times stay in a table; where frames are counted, a shot that has none is left out."""
    shots = (Shot(0, 0, 1003), Shot(1, 1003, 1013), Shot(2, 1013, 2003))
    for name in ("a.csv", "a.edl"):
        write_shot_list(shots, tmp_path / name, film())
    assert read_shot_list(tmp_path / "a.csv", film()) == shots
    assert borders(read_shot_list(tmp_path / "a.edl", film())) == [(0, 1000, 0), (1000, 2000, 0)]


def test_a_film_without_frame_rate(tmp_path: Path) -> None:
    with pytest.raises(C2EError, match=r"no frame rate; use a \.csv table"):
        write_shot_list([Shot(0, 0, 1000)], tmp_path / "a.edl", film(None))
    write_shot_list([Shot(0, 0, 1000)], tmp_path / "a.csv", film(None))
    assert read_shot_list(tmp_path / "a.csv", film(None)) == (Shot(0, 0, 1000),)


def test_other_kinds_of_files(tmp_path: Path) -> None:
    with pytest.raises(C2EError, match=r"accepted: \.csv, \.edl, \.otio"):
        read_shot_list(saved(tmp_path, "a.xml", ""), film())
    with pytest.raises(C2EError, match=r"accepted: \.csv, \.edl, \.otio"):
        write_shot_list([Shot(0, 0, 1)], tmp_path / "a.xml", film())
    with pytest.raises(C2EError, match="cannot be read: No such file"):
        read_shot_list(tmp_path / "none.edl", film())
    with pytest.raises(C2EError, match="cannot be written: No such file"):
        write_shot_list([Shot(0, 0, 1000)], tmp_path / "none" / "a.edl", film())


# PySceneDetect

SCENES = """\
Scene Number,Start Frame,Start Timecode,Start Time (seconds),End Frame,End Timecode,\
End Time (seconds),Length (frames),Length (timecode),Length (seconds)
1,1,00:00:00.000,0.000,48,00:00:02.002,2.002,48,00:00:02.002,2.002
2,49,00:00:02.002,2.002,120,00:00:05.005,5.005,72,00:00:03.003,3.003
"""


def scenes(*times: tuple[float, float]) -> str:
    head = "Scene Number,Start Time (seconds),End Time (seconds)\n"
    return head + "".join(f"{i},{start},{stop}\n" for i, (start, stop) in enumerate(times, 1))


def columns(*kept: str) -> str:
    """Only some columns of the list."""
    rows = [line.split(",") for line in SCENES.splitlines()]
    places = [i for i, name in enumerate(rows[0]) if name in ("Scene Number", *kept)]
    return "".join(",".join(row[i] for i in places) + "\n" for row in rows)


@pytest.mark.parametrize(
    "text",
    [
        SCENES,
        "Timecode List:,00:00:02.002\n" + SCENES,
        "00:00:02.002,00:00:03.002,00:00:04.002\n\n" + SCENES,
        "\ufeff" + SCENES.replace("\n", "\r\n"),
        SCENES.replace(",", ";").replace(".", ","),
        SCENES.replace(",", "\t"),
        columns("Start Timecode", "End Timecode"),
        columns("Start Frame", "End Frame"),
    ],
)
def test_pyscenedetect(tmp_path: Path, text: str) -> None:
    path = saved(tmp_path, "film-Scenes.csv", text)
    assert read_shot_list(path, film(FILM), 5005) == (Shot(0, 0, 2002), Shot(1, 2002, 5005))


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (SCENES.replace("5.005", "soon"), "3: column 'end time (seconds)'", "got 'soon'; accepted"),
        (SCENES.replace("5.005", "1"), "3: column 'end time (seconds)'", "not after its start"),
        (SCENES.splitlines()[0], "1: ", "has no rows"),
        (columns("Start Frame"), "1: column 'start time (seconds)'", "is missing"),
        (SCENES.replace("\n2,49", "\n2,49,1,1,1,1"), "3: ", "has 14 fields"),
        (SCENES.replace("2.002,2.002,48", "2.002,2.5,48"), "3: ", "begins at 00:00:02.002, within"),
        (scenes((0, 0.01), (0, 2)), "3: ", "begins at 00:00:00.000, within the shot before"),
    ],
)
def test_mistakes_in_pyscenedetects_list(
    tmp_path: Path, text: str, place: str, message: str
) -> None:
    path = saved(tmp_path, "a.csv", text)
    with pytest.raises(C2EError) as error:
        read_shot_list(path, film(FILM))
    assert str(error.value).startswith(f"{path}:{place}")
    assert message in str(error.value)


# Holes


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([(0, 2), (2, 9)], [(0, 2), (2, 9)]),
        ([(2, 9), (0, 2)], [(0, 2), (2, 9)]),
        ([(1, 2), (4, 6)], [(0, 1), (1, 2), (2, 4), (4, 6), (6, 9)]),  # holes are shots
        ([(0.4, 2), (2.3, 8.7)], [(0, 2.3), (2.3, 9)]),  # short ones are none
        ([(0, 2.01), (2, 12)], [(0, 2), (2, 9)]),  # rounding, and a list that ends later
    ],
)
def test_shots_cover_the_film(
    tmp_path: Path, times: list[tuple[float, float]], expected: list[tuple[float, float]]
) -> None:
    path = saved(tmp_path, "a.csv", scenes(*times))
    shots = read_shot_list(path, film(), 10400, start=1400)
    assert [((s.start - 1400) / 1000, (s.stop - 1400) / 1000) for s in shots] == expected
    assert [shot.index for shot in shots] == list(range(len(shots)))


def test_a_list_of_another_film(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.csv", scenes((0, 2), (10, 12)))
    with pytest.raises(
        C2EError, match=r"a.csv:3: its shots run from \S+ to 00:00:12.000, and the film"
    ):
        read_shot_list(path, film(), 9000)


def test_the_own_table_is_a_list_of_shots(tmp_path: Path) -> None:
    """On the film's own clock, with references or without."""
    text = "shot,start,end,transition,reference,at\n7,1.4,3,,a.png,\n9,3,4,dissolve 0.4,,\n"
    shots = read_shot_list(saved(tmp_path, "a.csv", text), film(), 5000, start=1400)
    assert borders(shots) == [(1400, 3000, 0), (3000, 4000, 400), (4000, 5000, 0)]


# CMX3600


def event(record_in: str, record_out: str, kind: str = "C", track: str = "V") -> str:
    return f"001  TAPE12   {track}  {kind}  03:00:00:00 03:00:01:00 {record_in} {record_out}\n"


EDL = f"""\
TITLE: REEL 1
FCM: NON-DROP FRAME

{event("01:00:00:00", "01:00:04:00")}
* FROM CLIP NAME: caf\u00e9
{event("01:00:00:00", "01:00:09:00", track="AA")}
M2   TAPE12   024.0                03:00:00:00
{event("01:00:04:00", "01:00:04:00")}
{event("01:00:04:00", "01:00:06:00", "D    012", "AA/V")}
{event("01:00:06:00", "01:00:08:06", "W001 006", "B")}
"""


def test_edl(tmp_path: Path) -> None:
    """The record start is taken off, sound passed over, a wipe is a dissolve."""
    shots = read_shot_list(saved(tmp_path, "a.EDL", EDL), film(Fraction(24)))
    assert borders(shots) == [(0, 4000, 0), (4000, 6000, 500), (6000, 8250, 250)]


def test_edl_with_names_of_clips_in_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.edl"
    path.write_bytes(EDL.replace("\n", "\r\n").encode("latin-1"))
    assert len(read_shot_list(path, film(Fraction(24)))) == 3


def test_edl_at_23_976_counts_24(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.edl", event("01:00:00:00", "02:00:00:00"))
    assert read_shot_list(path, film(FILM)) == (Shot(0, 0, 3603600),)


@pytest.mark.parametrize(
    ("timecode", "frame"),
    [("00:00:59;29", 1799), ("00:01:00;02", 1800), ("00:10:00;00", 17982), ("01:00:00;00", 107892)],
)
def test_drop_frame(tmp_path: Path, timecode: str, frame: int) -> None:
    info = film(Fraction(30000, 1001), Fraction(1001, 30000))
    by_sign = event("00:00:00;00", timecode)
    by_head = "FCM: DROP FRAME\n" + by_sign.replace(";", ":")
    for text in (by_sign, by_head):
        assert read_shot_list(saved(tmp_path, "a.edl", text), info) == (Shot(0, 0, frame),)


def test_non_drop_frame_at_29_97(tmp_path: Path) -> None:
    text = "FCM: NON-DROP FRAME\n" + event("00:00:00:00", "00:01:00:00")
    info = film(Fraction(30000, 1001), Fraction(1001, 30000))
    assert read_shot_list(saved(tmp_path, "a.edl", text), info) == (Shot(0, 0, 1800),)


def test_edl_of_pyscenedetect_has_clock_time(tmp_path: Path) -> None:
    """Frame 86560 is at 3610.273 s: 01:00:10 and 0.273 s, which is 6 frames and a part of one."""
    text = "* CREATED WITH PYSCENEDETECT 0.7.2\n" + event("00:00:00:00", "01:00:10:06")
    info = film(FILM, 1 / FILM)
    assert read_shot_list(saved(tmp_path, "a.edl", text), info) == (Shot(0, 0, 86560),)


GOOD = event("00:00:00:00", "00:00:01:00")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "no event with a picture; accepted: lines such as 001 AX V C"),
        (event("00:00:00:00", "00:00:01:00", track="A2"), 1, "no event with a picture"),
        (GOOD + "\n002  AX  V  C  00:00:00:00\n", 3, "is no cut, dissolve (D 024) or wipe"),
        (GOOD + event("00:00:01:00", "00:00:02:00", "K B"), 2, "is no cut, dissolve"),
        (GOOD + event("00:00:01:00", "00:00:02:00", "D"), 2, "is no cut, dissolve"),
        (GOOD + event("00:00:01:00", "2.5"), 2, "got the timecode '2.5'; accepted: such as"),
        (GOOD + event("00:00:01:00", "00:61:02:00"), 2, "below 60, got '00:61:02:00'"),
        (GOOD + event("00:00:01:00", "00:00:02:25"), 2, "below 25, as the film has 25 a second"),
        (GOOD + event("00:00:01;00", "00:00:02;00"), 2, "the film has 25 frames a second"),
        (GOOD + event("00:00:02:00", "00:00:01:00"), 2, "ends (record out) before it begins"),
        (GOOD + event("00:00:00:10", "00:00:02:00"), 2, "begins at 00:00:00.400, within the shot"),
    ],
)
def test_mistakes_in_an_edl(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = saved(tmp_path, "a.edl", text)
    with pytest.raises(C2EError) as error:
        read_shot_list(path, film())
    assert str(error.value).startswith(f"{path}:{line}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("name", "text"), [("a.edl", EDL), ("a.csv", SCENES)])
def test_mutated_lists_never_give_a_traceback(tmp_path: Path, name: str, text: str) -> None:
    chance = random.Random(0)
    for _ in range(100):
        content = bytearray(text.encode())
        for _ in range(chance.randint(1, 6)):
            content[chance.randrange(len(content))] = chance.choice(b'0123456789:;,."\n CDV\xff\0')
        path = tmp_path / name
        path.write_bytes(bytes(content))
        try:
            shots = read_shot_list(path, film(Fraction(24)), 9000)
        except C2EError as error:
            lines = str(error).splitlines()
        else:
            lines = [""]
            assert all(before.stop == after.start for before, after in pairwise(shots))
            assert (shots[0].start, shots[-1].stop) == (0, 9000)
        assert len(lines) == 1


# OpenTimelineIO


class Timeline:
    """Writes timelines with the library itself."""

    def __init__(self) -> None:
        self.otio: Any = pytest.importorskip("opentimelineio")

    def time(self, frames: float, rate: float = 24) -> Any:
        return self.otio.opentime.RationalTime(frames, rate)

    def span(self, frames: float, rate: float = 24) -> Any:
        return self.otio.opentime.TimeRange(self.time(100, rate), self.time(frames, rate))

    def clip(self, frames: float, rate: float = 24) -> Any:
        return self.otio.schema.Clip("clip", source_range=self.span(frames, rate))

    def gap(self, frames: float) -> Any:
        return self.otio.schema.Gap(source_range=self.span(frames))

    def dissolve(self, before: float, after: float) -> Any:
        return self.otio.schema.Transition("", "", self.time(before), self.time(after))

    def text(self, *items: Any) -> str:
        """Of a timeline whose second track of pictures, after one of sound, has the items."""
        schema = self.otio.schema
        sound = schema.Track("A1", [self.clip(999)], kind="Audio")
        tracks = [sound, schema.Track("V0", kind="Video"), schema.Track("V1", items, kind="Video")]
        return self.json(schema.Timeline("reel", tracks=tracks))

    def json(self, thing: Any) -> str:
        return str(self.otio.adapters.write_to_string(thing, "otio_json"))


@pytest.fixture
def timeline() -> Timeline:
    return Timeline()


def test_otio(tmp_path: Path, timeline: Timeline) -> None:
    """A dissolve begins before the cut, a gap is a hole, another rate is another measure of time."""
    make = timeline
    text = make.text(
        make.clip(48), make.dissolve(6, 12), make.clip(25, 25), make.gap(24), make.clip(24)
    )
    shots = read_shot_list(saved(tmp_path, "a.otio", text), film(Fraction(24)))
    assert borders(shots) == [(0, 1750, 0), (1750, 3000, 750), (3000, 4000, 0), (4000, 5000, 0)]


def test_otio_at_24_is_frames_of_23_976(tmp_path: Path, timeline: Timeline) -> None:
    path = saved(tmp_path, "a.otio", timeline.text(timeline.clip(24000)))
    assert read_shot_list(path, film(FILM)) == (Shot(0, 0, 1001000),)


def test_mistakes_in_a_timeline(tmp_path: Path, timeline: Timeline) -> None:
    bare = timeline.otio.schema.Clip("no times")
    for text, message in [
        ("{\n\n,", ":3: is no OpenTimelineIO (Expecting property name"),
        ("[]", ": is no timeline but AnyVector; accepted: a Timeline"),
        (timeline.json(bare), ": is no timeline but Clip; accepted: a Timeline"),
        (timeline.text(), ": the timeline has no track with pictures"),
        (timeline.text(bare), ": the track 'V1' has no times"),
        (timeline.text(timeline.clip(24, 0)), ": the track 'V1' has no times"),
        ('{\n"OTIO_SCHEMA":\n"Timeline.1"}', ":3: is no OpenTimelineIO"),
    ]:
        path = saved(tmp_path, "a.otio", text)
        with pytest.raises(C2EError) as error:
            read_shot_list(path, film())
        assert str(error.value).startswith(f"{path}{message}")
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "rate", "message"),
    [
        ("a.edl", None, "no frame rate"),
        ("a.otio", None, "no frame rate"),
        ("a.otio", 24, r"\[otio\]"),
    ],
)
def test_a_list_that_cannot_be_written_is_told_before_the_film_is_looked_at(
    name: str, rate: int | None, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentimelineio", None)
    info = film(None if rate is None else Fraction(rate))
    with pytest.raises(C2EError, match=message):
        check_shot_list(Path(name), info)
    check_shot_list(Path("a.csv"), info)


def test_otio_without_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentimelineio", None)
    with pytest.raises(C2EError, match=r"pip install 'c2e-video\[otio\]'"):
        read_shot_list(saved(tmp_path, "a.otio", "{}"), film())
    with pytest.raises(C2EError, match=r"pip install 'c2e-video\[otio\]'"):
        write_shot_list([Shot(0, 0, 1000)], tmp_path / "b.otio", film())
