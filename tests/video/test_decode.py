"""probe and decode: the film's own luma and time, from anywhere, whatever is damaged."""

from __future__ import annotations

import gc
import os
import random
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.sidedata.sidedata import SideDataContainer

from c2e_video.errors import MediaError
from c2e_video.video import decode as decoding
from c2e_video.video.decode import DecodeReport, decoder
from c2e_video.video.decode.decoder import decode, probe
from c2e_video.video.decode.demuxer import Demuxer
from c2e_video.video.decode.luma import luma_of
from c2e_video.video.decode.seeking import pictures_from
from c2e_video.video.decode.timestamps import timed
from c2e_video.video.frames import Frame, VideoInfo
from tests.factories import six_containers, video_info
from tests.media import (
    Plane,
    luma,
    luma_frames,
    packets,
    picture,
    plane_array,
    video_pts,
    write_film,
)


def frames_of(path: Path, **options: Any) -> list[Frame]:
    return list(decode(path, probe(path), **options))


def same(some: Sequence[Frame], others: Sequence[Frame]) -> bool:
    return (
        [frame.pts for frame in some] == [frame.pts for frame in others]
        and [frame.duration for frame in some] == [frame.duration for frame in others]
        and all(np.array_equal(a.luma, b.luma) for a, b in zip(some, others, strict=True))
    )


# -- what a film holds -----------------------------------------------------------------------------


def test_probe_tells_what_was_written(tmp_path: Path) -> None:
    film = write_film(
        tmp_path / "film.mov",
        size=(66, 50),
        rate=Fraction(24000, 1001),
        sar=Fraction(4, 3),
        rotation=90,
        audio="aac",
    )
    info = probe(film)
    assert (info.width, info.height, info.pixel_format, info.bit_depth) == (66, 50, "yuv420p", 8)
    assert info.frame_rate == Fraction(24000, 1001)
    assert info.sample_aspect_ratio == Fraction(4, 3)
    assert info.rotation == 90
    assert info.frame_count == 12
    assert info.duration_seconds == pytest.approx(12 * 1001 / 24000, abs=1e-3)
    assert info.path == film
    assert not info.interlaced


def test_probe_takes_a_path_as_text(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv", frames=2)
    assert probe(str(film)) == probe(film)


@pytest.mark.parametrize(
    ("size", "color", "matrix"),
    [
        ((64, 48), {}, "bt601"),
        ((1024, 16), {}, "bt601"),
        ((1026, 16), {}, "bt709"),
        ((16, 576), {}, "bt601"),
        ((16, 578), {}, "bt709"),
        ((64, 48), {"colorspace": 1}, "bt709"),
        ((1026, 16), {"colorspace": 5}, "bt601"),
        ((1026, 16), {"colorspace": 6}, "bt601"),
        ((64, 48), {"colorspace": 9}, "bt2020"),
        ((64, 48), {"color_primaries": 9}, "bt2020"),
    ],
)
def test_matrix_is_the_tag_or_guessed_by_size(
    tmp_path: Path, size: tuple[int, int], color: dict[str, int], matrix: str
) -> None:
    assert probe(write_film(tmp_path / "f.mp4", 1, size, color=color)).matrix == matrix


def test_tags_are_h273_code_points(tmp_path: Path) -> None:
    tagged = write_film(tmp_path / "a.mp4", 1, color={"color_trc": 16, "color_primaries": 9})
    plain = write_film(tmp_path / "b.mp4", 1)
    assert (probe(tagged).transfer, probe(tagged).primaries) == (16, 9)
    assert (probe(plain).transfer, probe(plain).primaries) == (2, 2)


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "tag", "full"),
    [
        ("f.mp4", "libx264", "yuv420p", None, False),
        ("f.mp4", "libx264", "yuv420p", 1, False),
        ("f.mp4", "libx264", "yuv420p", 2, True),
        ("f.avi", "mjpeg", "yuvj420p", None, True),
        ("f.mkv", "ffv1", "gray", None, True),
        ("f.mkv", "ffv1", "gray", 1, False),
        ("f.mkv", "libx264", "gray", None, False),
        ("f.mkv", "ffv1", "bgr0", None, True),
    ],
)
def test_range_is_the_tag_or_what_the_format_means(
    tmp_path: Path, name: str, codec: str, pixel_format: str, tag: int | None, full: bool
) -> None:
    color = {} if tag is None else {"color_range": tag}
    film = write_film(tmp_path / name, 1, codec=codec, pixel_format=pixel_format, color=color)
    assert probe(film).full_range is full


def test_cover_art_is_no_film(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv", 2, attachments=[("cover.png", "image/png", png())])
    with av.open(str(film)) as container:
        assert len(container.streams.video) == 2  # FFmpeg shows the cover as a video track
    assert probe(film).width == 64
    assert len(frames_of(film)) == 2

    album = tmp_path / "album.mkv"
    with av.open(str(album), "w") as container:
        sound: Any = container.add_stream("flac", rate=48000, layout="mono")
        container.add_attachment("cover.png", "image/png", png())
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), "s16", "mono")
        silence.sample_rate = 48000
        container.mux(sound.encode(silence))
        container.mux(sound.encode())
    with pytest.raises(MediaError, match="holds no video, only audio, cover art"):
        probe(album)


def png() -> bytes:
    encoder: Any = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 16, 16, "gray"
    encoder.time_base = Fraction(1, 25)
    return bytes(encoder.encode(picture(luma(0, size=(16, 16)), "gray"))[0])


# -- luma ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["f.mp4", "f.mov", "f.ts", "f.mkv", "f.avi", "f.nut", "f.webm"])
def test_luma_and_time_of_every_container(tmp_path: Path, name: str) -> None:
    film = write_film(tmp_path / name, shots=[7, 6])
    report = DecodeReport()
    frames = frames_of(film, report=report)
    expected = [luma(i) for i in range(7)] + [luma(i, shot=1) for i in range(6)]
    assert [frame.pts for frame in frames] == video_pts(film)
    for frame, y in zip(frames, expected, strict=True):
        assert np.array_equal(frame.luma, y)
    assert report == DecodeReport(frames=13)
    assert report.problems() == []


@pytest.mark.parametrize(
    ("codec", "pixel_format", "depth"),
    [
        ("ffv1", "yuv420p", 8),
        ("ffv1", "yuv422p", 8),
        ("ffv1", "yuv444p", 8),
        ("ffv1", "yuv410p", 8),
        ("ffv1", "yuva420p", 8),
        ("ffv1", "yuv420p9le", 9),
        ("ffv1", "yuv422p10le", 10),
        ("ffv1", "yuv444p12le", 12),
        ("ffv1", "yuv420p14le", 14),
        ("ffv1", "yuv420p16le", 16),
        ("ffv1", "gray", 8),
        ("ffv1", "gray10le", 10),
        ("ffv1", "gray12le", 12),
        ("ffv1", "gray16le", 16),
        ("ffv1", "ya8", 8),
        ("ffv1", "bgr0", 8),
        ("ffv1", "gbrp10le", 10),
        ("ffv1", "gbrp12le", 12),
        ("ffv1", "rgb48le", 16),
        ("mjpeg", "yuvj420p", None),
        ("rawvideo", "yuv420p10be", 10),
        ("rawvideo", "gray12be", 12),
        ("rawvideo", "nv12", 8),
        ("rawvideo", "yuyv422", 8),
        ("rawvideo", "uyvy422", 8),
        ("rawvideo", "rgb24", 8),
        ("rawvideo", "gbrp", 8),
        ("rawvideo", "rgb48be", 16),
        ("rawvideo", "pal8", 8),
        ("v210", "yuv422p10le", 10),
        ("png", "rgb48be", 16),
        ("png", "gray16be", 16),
    ],
)
def test_luma_of_every_pixel_format(
    tmp_path: Path, codec: str, pixel_format: str, depth: int | None
) -> None:
    """Bit for bit; for RGB because the pictures are gray, R = G = B."""
    suffix = {"rawvideo": "nut", "v210": "mov", "png": "mov", "mjpeg": "avi"}.get(codec, "mkv")
    film = write_film(tmp_path / f"f.{suffix}", 3, (50, 38), codec=codec, pixel_format=pixel_format)
    info, frames = probe(film), frames_of(film)
    assert len(frames) == 3
    if depth is None:
        expected: list[Plane] = luma_frames(film)
    else:
        expected = [luma(i, size=(50, 38), bit_depth=depth) for i in range(3)]
        assert info.bit_depth == depth
    for frame, y in zip(frames, expected, strict=True):
        assert frame.luma.dtype == (np.uint8 if info.bit_depth == 8 else np.uint16)
        assert np.array_equal(frame.luma, y)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (63, 47), (17, 1)])
def test_odd_and_tiny_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    film = write_film(tmp_path / "f.mkv", 3, size, codec="ffv1")
    info = probe(film)
    assert (info.width, info.height) == size
    for index, frame in enumerate(frames_of(film)):
        assert np.array_equal(frame.luma, luma(index, size=size))


@pytest.mark.parametrize(
    ("colorspace", "weights"), [(5, (0.299, 0.114)), (1, (0.2126, 0.0722)), (9, (0.2627, 0.0593))]
)
@pytest.mark.parametrize(
    ("pixel_format", "depth"), [("gbrp", 8), ("gbrp10le", 10), ("gbrp16le", 16)]
)
def test_rgb_is_weighted_to_the_nearest_step(
    tmp_path: Path, colorspace: int, weights: tuple[float, float], pixel_format: str, depth: int
) -> None:
    random_samples = np.random.default_rng(0)
    colored = av.VideoFrame(32, 24, pixel_format)
    planes: Sequence[Any] = colored.planes
    green, blue, red = (plane_array(plane, depth) for plane in planes)
    for plane in (green, blue, red):
        plane[:] = random_samples.integers(0, 1 << depth, plane.shape)
    colored.pts = 0
    info = made_info(32, 24, pixel_format, depth, {5: "bt601", 1: "bt709", 9: "bt2020"}[colorspace])
    y = luma_of(colored, info, DecodeReport())
    kr, kb = weights
    exact = kr * red.astype(float) + (1 - kr - kb) * green.astype(float) + kb * blue.astype(float)
    assert np.abs(y - exact).max() < 0.5 + 2**depth * 2e-5


def made_info(width: int, height: int, form: str, depth: int, matrix: Any = "bt709") -> VideoInfo:
    return video_info(
        *(width, height, depth),
        path=Path("made"),
        pixel_format=form,
        matrix=matrix,
        full_range=form.startswith("gbr"),
        frame_rate=Fraction(25),
    )


def test_luma_is_a_view_that_cannot_be_written(tmp_path: Path) -> None:
    frame = frames_of(write_film(tmp_path / "f.mkv", 1, (50, 38), codec="ffv1"))[0]
    assert frame.luma.strides[0] > 50  # the decoder's rows are padded: no copy was made
    with pytest.raises(ValueError, match="read-only"):
        frame.luma[0, 0] = 0


def test_a_frame_outlives_its_film(tmp_path: Path) -> None:
    kept = frames_of(write_film(tmp_path / "f.mp4", 40, b_frames=2))
    assert all(np.array_equal(frame.luma, luma(i)) for i, frame in enumerate(kept))


# -- time ------------------------------------------------------------------------------------------

HOLES = [5, 6, 9, 10, 11, 30, 31, 33, 40, 41, 42, 55]


@pytest.mark.parametrize("name", ["f.mp4", "f.mkv", "f.nut", "f.mov"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_variable_rate_with_holes(tmp_path: Path, name: str, b_frames: int) -> None:
    film = write_film(
        tmp_path / name, pts=HOLES, time_base=Fraction(1, 50), b_frames=b_frames, codec="libx264"
    )
    info, report = probe(film), DecodeReport()
    frames = frames_of(film, report=report)
    assert [frame.pts for frame in frames] == video_pts(film)
    shift = frames[0].pts * info.time_base - Fraction(HOLES[0], 50)  # nut moves the whole film
    for frame, time in zip(frames, HOLES, strict=True):
        assert abs(frame.pts * info.time_base - shift - Fraction(time, 50)) <= Fraction(1, 1000)
    for frame, after in pairwise(frames):
        assert 0 < frame.duration <= after.pts - frame.pts
    assert frames[-1].duration > 0
    assert report.repaired_timestamps == 0


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), 25, Fraction(30000, 1001), 18])
def test_durations_fill_a_steady_film(tmp_path: Path, rate: Fraction | int) -> None:
    film = write_film(tmp_path / "f.mp4", rate=rate, b_frames=2)
    info, frames = probe(film), frames_of(film)
    for frame, after in pairwise(frames):
        assert frame.pts + frame.duration == after.pts
    end = (frames[-1].pts + frames[-1].duration - frames[0].pts) * info.time_base
    assert abs(end - Fraction(12) / rate) < Fraction(1, 1000)


def pictures(*times: int | None, duration: int = 0) -> list[av.VideoFrame]:
    made = []
    for time in times:
        frame = av.VideoFrame(2, 2, "gray")
        frame.pts, frame.duration = time, duration
        made.append(frame)
    return made


def times(*raw: int | None, duration: int = 0) -> list[int]:
    return [
        pts for _, pts, _ in timed(pictures(*raw, duration=duration), made_info(2, 2, "gray", 8))
    ]


def test_good_times_are_kept() -> None:
    assert times(3, 4, 9, 20) == [3, 4, 9, 20]
    assert times(-2, -1, 0) == [-2, -1, 0]
    assert times(7) == [7]
    assert times() == []


def test_missing_times_follow_the_frame_before() -> None:
    assert times(None, None, None) == [0, 1, 2]
    assert times(None, None, duration=512) == [0, 512]
    assert times(10, None, None, 40, duration=10) == [10, 20, 30, 40]
    assert times(None, 100, duration=10) == [90, 100]


def test_times_that_go_back_or_stand_still_are_moved() -> None:
    assert times(0, 10, 10, 30, duration=10) == [0, 10, 20, 30]
    assert times(0, 10, 10, 12, 20, duration=10) == [0, 10, 11, 12, 20]
    assert times(0, 10, 20, 0, 10, 20, duration=10) == [0, 10, 20, 30, 40, 50]


def test_a_stray_time_does_not_push_the_rest() -> None:
    assert times(0, 10, 10**9, 30, 40, duration=10) == [0, 10, 20, 30, 40]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_after_a_seek_a_stray_time_is_not_taken_for_the_first(tmp_path: Path, suffix: str) -> None:
    """One packet's time leaps ahead; from any frame on the film's are those of the whole."""
    source, film = write_film(tmp_path / f"in{suffix}", 60, gop=30), tmp_path / f"film{suffix}"
    with av.open(str(source)) as whole, av.open(str(film), "w") as copy:
        stream = copy.add_stream_from_template(whole.streams.video[0], opaque=True)
        for number, packet in enumerate(whole.demux(video=0)):
            if packet.size and packet.pts is not None and packet.time_base is not None:
                packet.pts += round(5 / packet.time_base) if number == 16 else 0
                packet.stream = stream
                copy.mux(packet)
    frames = frames_of(film)
    for first in (14, 15, 16, 17, 18):
        assert same(frames_of(film, start=frames[first].pts), frames[first:])


def test_durations() -> None:
    info = made_info(2, 2, "gray", 8)

    def durations(frames: list[av.VideoFrame]) -> list[int]:
        return [duration for _, _, duration in timed(frames, info)]

    assert durations(pictures(0, 3, 10)) == [3, 7, 1]  # the gap; at the end one of 25 a second
    assert durations(pictures(0, 3, 10, duration=5)) == [3, 5, 5]  # its own, but not past the next


def test_a_raw_stream_without_times(tmp_path: Path) -> None:
    stream = tmp_path / "film.h264"
    stream.write_bytes(b"".join(p.data for p in packets(annex_b(tmp_path), "video")))
    info, report = probe(stream), DecodeReport()
    frames = frames_of(stream, report=report)
    assert report.repaired_timestamps == len(frames) == 30
    seconds = [float(frame.pts * info.time_base) for frame in frames]
    assert seconds == pytest.approx([i / 25 for i in range(30)])
    assert "without a usable time: 30" in report.problems()[0]
    assert same(frames_of(stream, start=frames[17].pts), frames[17:])


def test_captions_inside_the_pictures_are_told(tmp_path: Path) -> None:
    """As American television has them (ATSC A/53, part 4): they have no packets that could be copied."""
    caption = b"\xb5\x00\x31GA94\x03\x41\xff\xfc\x94\x2c\xff"
    note = b"\x00\x00\x01\x06\x04" + bytes([len(caption)]) + caption + b"\x80"
    stream = tmp_path / "film.h264"
    with open(stream, "wb") as file:
        for packet in packets(annex_b(tmp_path), "video"):
            slices = re.search(rb"\x00\x00\x01[\x01\x21\x41\x61\x65]", packet.data)
            assert slices
            file.write(packet.data[: slices.start()] + note + packet.data[slices.start() :])
    report = DecodeReport()
    assert len(frames_of(stream, report=report)) == 30
    assert "closed captions inside them: 30" in report.problems()[-1]


def test_a_picture_goes_as_soon_as_its_frame_is_given(tmp_path: Path) -> None:
    """Pictures in cycles would wait for the collector, a hundred at a time: gigabytes of large ones."""
    film = write_film(tmp_path / "film.mp4", 30)
    gc.collect()
    gc.disable()
    try:
        frames_of(film)
        alive = [thing for thing in gc.get_objects() if type(thing) is SideDataContainer]
    finally:
        gc.enable()
    assert len(alive) < 5


def annex_b(folder: Path) -> Path:
    return write_film(folder / "annexb.ts", 30, b_frames=2, gop=8)


# -- from the middle -------------------------------------------------------------------------------

SEEKS: dict[str, dict[str, Any]] = {
    "closed.mp4": {"b_frames": 2},
    "open.mkv": {"b_frames": 3, "options": {"x264-params": "open-gop=1"}},
    "open.ts": {"b_frames": 3, "options": {"x264-params": "open-gop=1"}},
    "dvd.mpg": {"b_frames": 2},
    "mpeg2.ts": {"b_frames": 2, "codec": "mpeg2video"},
    "xvid.avi": {"b_frames": 2, "codec": "mpeg4"},
    "hevc.mp4": {
        "codec": "libx265",
        "b_frames": 3,
        "options": {"x265-params": "open-gop=1:log-level=none", "preset": "ultrafast"},
    },
    "vp9.webm": {"options": {"deadline": "realtime", "cpu-used": "8"}},
    "ffv1.nut": {},
    "holes.mkv": {"pts": [3 * i + i % 2 + 40 * (i > 30) for i in range(60)], "b_frames": 2},
    "refresh.mkv": {"options": {"x264-params": "intra-refresh=1"}},
}


@pytest.mark.parametrize("name", SEEKS)
def test_from_anywhere_the_frames_are_those_of_the_whole_film(tmp_path: Path, name: str) -> None:
    film = write_film(tmp_path / name, 60, gop=9, **SEEKS[name])
    whole = frames_of(film)
    assert len(whole) == 60
    for first in (0, 1, 8, 9, 10, 17, 31, 44, 59):
        last = min(first + 5, 59)
        part = frames_of(film, start=whole[first].pts, stop=whole[last].pts)
        assert same(part, whole[first:last]), first


@pytest.mark.parametrize("name", ["closed.mp4", "open.mkv", "open.ts", "mpeg2.ts", "vp9.webm"])
def test_a_seek_does_not_decode_the_film_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    film = write_film(tmp_path / name, 300, (32, 16), gop=9, **SEEKS[name])
    whole, decoded = frames_of(film), []
    real = Demuxer._decode

    def counting(self: Demuxer, packet: Any) -> Any:
        decoded.append(packet)
        return real(self, packet)

    monkeypatch.setattr(Demuxer, "_decode", counting)
    part = frames_of(film, start=whole[280].pts, stop=whole[284].pts)
    assert same(part, whole[280:284])
    assert len(decoded) < 200  # of 300, as a second try may begin five seconds earlier


def test_start_and_stop_are_half_open_and_need_be_no_frames_time(tmp_path: Path) -> None:
    film = write_film(tmp_path / "f.mkv", pts=HOLES, time_base=Fraction(1, 50))
    whole = frames_of(film)
    assert same(frames_of(film, start=-(10**6)), whole)
    assert same(frames_of(film, start=whole[5].pts - 3, stop=whole[8].pts + 1), whole[5:9])
    assert same(frames_of(film, start=whole[5].pts, stop=whole[5].pts + 1), whole[5:6])
    assert frames_of(film, start=whole[5].pts, stop=whole[5].pts) == []
    assert frames_of(film, start=whole[-1].pts + 1) == []
    assert frames_of(film, start=1 << 70) == []


def test_recordings_joined_end_to_end(tmp_path: Path) -> None:
    """Time begins anew in the middle: a seek alone would find the wrong half."""
    film = tmp_path / "joined.ts"
    halves = [write_film(tmp_path / f"{i}.ts", shots=[0] * i + [30], gop=9) for i in range(2)]
    film.write_bytes(b"".join(half.read_bytes() for half in halves))
    report = DecodeReport()
    whole = frames_of(film, report=report)
    assert len(whole) == 60
    assert report.problems() == []
    assert all(a.pts < b.pts for a, b in pairwise(whole))
    assert np.array_equal(whole[45].luma, luma(15, shot=1))
    for first in (5, 20, 35, 50):
        assert same(frames_of(film, start=whole[first].pts), whole[first:])


def test_chosen_frames_are_found_in_one_pass_where_no_seek_is_sure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan looks at a frame of hundreds of shots; each from the beginning would take a day."""
    film = write_film(tmp_path / "film.mkv", 30, gop=9)
    joined = tmp_path / "joined.ts"
    part = write_film(tmp_path / "part.ts", 30, gop=9).read_bytes()
    joined.write_bytes(part * 2)
    passes = []
    from_there = pictures_from

    def counted(path: Path, *rest: Any) -> Any:
        passes.append(path)
        return from_there(path, *rest)

    monkeypatch.setattr(decoder, "pictures_from", counted)
    for path, most in ((film, 3), (joined, 1)):
        whole = frames_of(path)
        chosen = [whole[k] for k in (4, 11, 29)]
        passes.clear()
        got = list(decoding.frames_at(path, probe(path), [frame.pts for frame in chosen]))
        assert same(got, chosen)
        assert len(passes) == most
    assert list(decoding.frames_at(film, probe(film), [])) == []


# -- damage ----------------------------------------------------------------------------------------


def one_thread(path: Path) -> list[tuple[int | None, bytes]]:
    """What plain PyAV gets out of a film with one decoder thread, errors passed over."""
    got = []
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        stream.codec_context.thread_count = 1
        for packet in [*(p for p in film.demux(stream) if p.size), None]:
            try:
                got += [(f.pts, bytes(f.planes[0])) for f in stream.decode(packet)]
            except av.error.InvalidDataError:
                continue
    return got


def test_a_damaged_packet_costs_itself_and_no_more(tmp_path: Path) -> None:
    film = write_film(tmp_path / "f.mkv", 30, b_frames=2, gop=10)
    data = bytearray(film.read_bytes())
    for number in (8, 15):  # packets in file order; neither is a key frame
        payload = packets(film, "video")[number].data
        data[(at := data.index(payload)) : at + len(payload)] = bytes(len(payload))
    whole = video_pts(film)
    film.write_bytes(data)
    reports = [DecodeReport() for _ in range(3)]
    runs = [frames_of(film, report=report) for report in reports]
    assert reports[0].corrupt_packets == 2
    assert reports[0].frames == len(runs[0]) == 28
    assert not reports[0].truncated
    assert any("too damaged to decode: 2" in line for line in reports[0].problems())
    assert [frame.pts for frame in runs[0]] == [pts for pts, _ in one_thread(film)]
    assert {frame.pts for frame in runs[0]} < set(whole)
    assert all(report == reports[0] for report in reports)
    assert all(same(run, runs[0]) for run in runs)


@pytest.mark.parametrize("name", ["f.mkv", "f.ts", "f.mp4", "f.avi", "f.nut", "f.webm"])
@pytest.mark.parametrize("share", [0.5, 0.73])
def test_a_film_cut_off_is_decoded_as_far_as_it_goes(
    tmp_path: Path, name: str, share: float
) -> None:
    options = {"f.mp4": {"movflags": "faststart"}}.get(name)
    film = write_film(tmp_path / name, 75, b_frames=2, container_options=options)
    whole = video_pts(film)
    data = film.read_bytes()
    film.write_bytes(data[: int(len(data) * share) + 7])
    report = DecodeReport()
    frames = frames_of(film, report=report)
    assert 20 < len(frames) < 70
    assert [frame.pts for frame in frames] == [pts for pts, _ in one_thread(film)]
    assert {frame.pts for frame in frames} <= set(whole)
    assert report.truncated
    assert "cut off" in report.problems()[-1]


def test_an_unfinished_mp4_says_so(tmp_path: Path) -> None:
    film = write_film(tmp_path / "f.mp4", 75)
    film.write_bytes(film.read_bytes()[:2000])
    with pytest.raises(MediaError, match="cut off"):
        probe(film)


@pytest.mark.parametrize("audio", [None, "aac"])
@pytest.mark.parametrize("name", ["f.mkv", "f.ts", "f.mp4", "f.mov"])
def test_a_whole_film_is_not_called_cut_off(tmp_path: Path, name: str, audio: str | None) -> None:
    film = write_film(tmp_path / name, 40, audio=audio, chapters=[(0, 1, "one"), (1, 1.5, "two")])
    report = DecodeReport()
    frames_of(film, report=report)
    assert report.problems() == []


def test_only_the_end_can_be_missing(tmp_path: Path) -> None:
    film = write_film(tmp_path / "f.ts", 60)
    film.write_bytes(film.read_bytes()[:-77])
    report, info = DecodeReport(), probe(film)
    early = list(decode(film, info, stop=20 * 3600, report=report))
    assert early
    assert not report.truncated


def test_a_change_of_size_is_scaled_to_the_film(tmp_path: Path) -> None:
    film = tmp_path / "f.ts"
    first = write_film(tmp_path / "1.ts", 10, (64, 48))
    later = write_film(tmp_path / "2.ts", 10, (32, 24), pts=range(10, 20))
    film.write_bytes(first.read_bytes() + later.read_bytes())
    report = DecodeReport()
    frames = frames_of(film, report=report)
    assert report.rescaled == 10
    assert [frame.luma.shape for frame in frames] == [(48, 64)] * 20
    assert np.array_equal(frames[9].luma, luma(9))
    small = luma(0, size=(32, 24)).astype(float)
    assert abs(frames[10].luma.mean() - small.mean()) < 2
    assert "another size, depth or range: 10" in report.problems()[0]


def test_a_change_of_depth_or_range_keeps_black_and_white() -> None:
    frame = picture(np.array([[64, 940], [502, 64]], np.uint16), "gray10le")
    frame.color_range = 1
    info = made_info(2, 2, "yuv420p", 8)
    report = DecodeReport()
    assert luma_of(frame, info, report).tolist() == [[16, 235], [126, 16]]
    frame = picture(np.array([[0, 255], [128, 0]], np.uint8), "gray")
    frame.color_range = 2
    assert luma_of(frame, info, report).tolist() == [[16, 235], [126, 16]]
    assert report.rescaled == 2


# -- interlaced ------------------------------------------------------------------------------------


def interlaced(path: Path, **options: Any) -> Path:
    """Two moments in each frame, a line each."""
    woven = []
    for index in range(30):
        y = luma(2 * index).copy()
        y[1::2] = luma(2 * index + 1)[1::2]
        woven.append(picture(y))
    return write_film(path, pictures=woven, options={"x264-params": "interlaced=1"}, **options)


def combing(frame: Frame) -> float:
    """How much neighbouring lines differ from how every second line does."""
    y = frame.luma.astype(float)
    return float(np.abs(y[1:-1] - (y[:-2] + y[2:]) / 2).mean())


@pytest.mark.parametrize("mode", ["on", "auto"])
def test_deinterlacing_keeps_count_and_time(tmp_path: Path, mode: Any) -> None:
    film = interlaced(tmp_path / "f.mkv", gop=9, b_frames=2)
    assert probe(film).interlaced
    before, after = frames_of(film), frames_of(film, deinterlace=mode)
    assert [f.pts for f in before] == [f.pts for f in after] == video_pts(film)
    assert [f.duration for f in before] == [f.duration for f in after]
    assert sum(map(combing, after)) < 0.7 * sum(map(combing, before))
    for first in (0, 1, 9, 14, 29):
        assert same(frames_of(film, deinterlace=mode, start=after[first].pts), after[first:])


def test_progressive_film_is_left_alone_by_auto_only(tmp_path: Path) -> None:
    film = write_film(tmp_path / "f.mkv")
    off, auto, on = (frames_of(film, deinterlace=mode) for mode in ("off", "auto", "on"))
    assert same(off, auto)
    assert not same(off, on)
    assert len(on) == len(off)


def test_unflagged_frames_pass_untouched_at_any_depth(tmp_path: Path) -> None:
    """A film that says it is interlaced, of frames that do not."""
    for form, depth in (("yuv420p10le", 10), ("gray10le", 10), ("gray", 8), ("yuv422p12le", 12)):
        film = write_film(
            tmp_path / f"{form}.mkv",
            4,
            codec="ffv1",
            pixel_format=form,
            options={"field_order": "tt"},
        )
        assert probe(film).interlaced
        for index, frame in enumerate(frames_of(film, deinterlace="auto")):
            assert np.array_equal(frame.luma, luma(index, bit_depth=depth)), form


def test_an_unknown_way_to_deinterlace_is_refused(tmp_path: Path) -> None:
    film = write_film(tmp_path / "f.mkv", 1)
    with pytest.raises(ValueError, match="auto"):
        decode(film, probe(film), deinterlace="yes")  # type: ignore[arg-type]


# -- mistakes and malice ---------------------------------------------------------------------------


def folder(path: Path) -> None:
    path.mkdir()


def empty(path: Path) -> None:
    path.touch()


def letter(path: Path) -> None:
    path.write_text("Dear Sir or Madam,\n" * 100)


def noise(path: Path) -> None:
    path.write_bytes(random.Random(0).randbytes(5000))


def song(path: Path) -> None:
    with av.open(str(path), "w", format="matroska") as output:
        stream: Any = output.add_stream("flac", rate=48000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), "s16", "mono")
        sound.sample_rate = 48000
        output.mux(stream.encode(sound))
        output.mux(stream.encode())


def header(path: Path) -> None:
    film = write_film(path.with_suffix(".mkv"), 3)
    first = film.read_bytes().index(packets(film, "video")[0].data)
    path.write_bytes(film.read_bytes()[: first - 4])


def rubble(path: Path) -> None:
    film = write_film(path.with_suffix(".mkv"), 20)
    data = bytearray(film.read_bytes())
    for packet in packets(film, "video"):
        at = data.index(packet.data)
        data[at : at + len(packet.data)] = bytes(len(packet.data))
    path.write_bytes(data)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def playlist(path: Path) -> None:
    path.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda path: None, "no such film"),
        (folder, "is a folder"),
        (empty, "is empty"),
        (letter, "not a film"),
        (noise, "not a film"),
        (song, "holds no video, only audio"),
        (header, "holds no picture"),
        (rubble, r"none of the first 20 packets of its video \(h264\)"),
        (pipe, "is a device or a pipe"),
        (playlist, "film"),
    ],
)
@pytest.mark.parametrize("name", ["film", "fi\nlm\x1b[2J"])
def test_what_is_no_film_is_told_in_one_line(
    tmp_path: Path, make: Callable[[Path], None], line: str, name: str
) -> None:
    path = tmp_path / f"{name}.mkv"
    make(path)
    with pytest.raises(MediaError, match=line) as caught:
        probe(path)
    assert str(caught.value).isprintable()
    assert "film" in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("text", ["a\0b", "x" * 5000, "", "\udcff.mkv", "film.mkv/inside"])
def test_impossible_names_are_no_films(tmp_path: Path, text: str) -> None:
    write_film(tmp_path / "film.mkv", 1)
    with pytest.raises(MediaError) as caught:
        probe(f"{tmp_path}/{text}")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "name",
    ["-i.mkv", "a:b.mkv", "http:x.mkv", "pipe:0", 'it\'s "so".mkv', "new\nline.mkv", "фильм 🎞.mkv"],
)
def test_names_mean_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    write_film(tmp_path / "plain.mkv", 3).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert len(frames_of(Path(name))) == 3


def test_metadata_that_is_not_text(tmp_path: Path) -> None:
    film = write_film(tmp_path / "f.mkv", 2, metadata={"title": "caf\u00e9 at night"})
    film.write_bytes(film.read_bytes().replace("caf\u00e9".encode(), b"caf\xff\xfe"))
    assert len(frames_of(film)) == 2


def test_giant_pictures_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("c2e_video.video.decode.demuxer.MAX_SAMPLES", 64 * 48)
    assert len(frames_of(write_film(tmp_path / "a.mkv", 2, (64, 48)))) == 2
    with pytest.raises(MediaError, match="pictures of 64x50, more than 3,072 samples"):
        probe(write_film(tmp_path / "b.mkv", 2, (64, 50)))
    grown = tmp_path / "c.ts"  # a damaged header in the middle
    films = [write_film(tmp_path / f"{h}.ts", 10, (64, h), pts=range(h, h + 10)) for h in (48, 80)]
    grown.write_bytes(b"".join(film.read_bytes() for film in films))
    report = DecodeReport()
    assert len(frames_of(grown, report=report)) == 10
    assert report.corrupt_packets == 10


def mutants(count: int, seed: int, films: Sequence[Path]) -> None:
    chance, lines = random.Random(seed), []
    for number in range(count):
        film = films[number % len(films)]
        data = bytearray(film.read_bytes())
        reach = chance.choice((300, 2000, len(data)))
        for _ in range(chance.choice((1, 3, 10, 50))):
            at = chance.randrange(min(reach, len(data)))
            data[at] = chance.choice((0, 255, chance.randrange(256), data[at] ^ 1))
        if chance.random() < 0.2:
            del data[chance.randrange(1, len(data)) :]
        mutant = film.with_name(f"mutant{film.suffix}")
        mutant.write_bytes(data)
        mode: Any = chance.choice(("off", "auto", "on"))
        start = chance.choice((None, 100, 5000))
        try:
            info, last = probe(mutant), None
            for frame in decode(mutant, info, deinterlace=mode, start=start):
                assert frame.luma.shape == (info.height, info.width)
                assert frame.duration > 0
                assert last is None or frame.pts > last
                last = frame.pts
        except MediaError as error:
            lines.append(str(error))
    assert all(line.isprintable() for line in lines)


def test_mutated_films_end_in_frames_or_one_line(tmp_path: Path) -> None:
    mutants(60, 1, six_containers(tmp_path))


@pytest.mark.slow
def test_many_mutated_films_end_in_frames_or_one_line(tmp_path: Path) -> None:
    mutants(600, 2, six_containers(tmp_path))


def test_leaving_early_closes_the_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film, closed = write_film(tmp_path / "f.mkv", 60), []
    info = probe(film)
    leave = Demuxer.__exit__

    def leaving(self: Demuxer, *error: object) -> None:
        leave(self, *error)
        closed.append(self)

    monkeypatch.setattr(Demuxer, "__exit__", leaving)
    frames = decode(film, info)
    next(frames)
    assert not closed
    frames.close()
    assert closed
