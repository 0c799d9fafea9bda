"""The command line: one clear line for every mistake, exit code 1, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
import zlib
from pathlib import Path

import click
import cv2
import numpy as np
import pytest
import torch

from c2e_video import cli
from c2e_video.cli.train import sizes_of, weights_of
from c2e_video.errors import C2EError
from c2e_video.inference import colorizer
from c2e_video.model import save_weights
from c2e_video.video.encode import Encoder
from tests.factories import color_noise, random_model, write_picture
from tests.media import video_pts, write_film


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a film, a keyframe and weights, made the current one."""
    monkeypatch.chdir(tmp_path)
    write_film(tmp_path / "film.mp4", 8, audio="aac")
    cv2.imwrite("key.png", color_noise(0))
    save_weights(random_model(), tmp_path / "w.safetensors")
    return tmp_path


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["c2e-video", *arguments])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return stop.value.code


TINY = ("--weights", "w.safetensors", "--size", "32", "--device", "cpu", "--preset", "ultrafast")


def test_a_film_is_painted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "film.mp4", "--ref", "key.png", *TINY) == 0
    assert len(video_pts(folder / "film.color.mp4")) == 8
    assert "film.color.mp4: 8 frames, 1 shot, 1 reference" in capsys.readouterr().out


def test_several_films_are_colorized_and_one_that_fails_does_not_stop_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_film(folder / "second.mkv", 8)
    (folder / "broken.mp4").write_bytes(b"no film")
    films = ("film.mp4", "broken.mp4", "second.mkv")
    assert call(monkeypatch, *films, "--ref", "key.png", *TINY) == 1
    said = capsys.readouterr()
    assert [line.split(":")[0] for line in said.out.splitlines() if ".color." in line] == [
        "film.color.mp4",
        "second.color.mkv",
    ]
    assert "c2e-video: broken.mp4: " in said.err
    assert said.err.splitlines()[-1] == "c2e-video: 1 of 3 films failed: broken.mp4"
    assert call(monkeypatch, "film.mp4", "second.mkv", "--ref", "key.png", *TINY, "-y") == 0


def test_what_one_film_alone_can_have_is_refused_for_several(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_film(folder / "second.mp4", 8)
    for arguments, message in (
        (
            ("film.mp4", "second.mp4", "--ref", "map.csv"),
            "has the shots of one film, and there are 2",
        ),
        (("film.mp4", "-", "--ref", "key.png", "-o", "."), "standard input is one film"),
        (("film.mp4", "film.mp4", "--ref", "key.png"), "which is the place of 'film.mp4'"),
        (
            ("film.mp4", "second.mp4", "--ref", "key.png", "-o", "x.mp4"),
            "make a folder of that name",
        ),
    ):
        assert call(monkeypatch, *arguments, *TINY) == 1
        assert message in capsys.readouterr().err


def test_quiet_shows_errors_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "film.mp4", "--ref", "key.png", *TINY, "-q") == 0
    assert capsys.readouterr() == ("", "")
    assert call(monkeypatch, "film.mp4", "--ref", "key.png", *TINY, "-q") == 1
    assert "exists; -y overwrites it" in capsys.readouterr().err


def test_options_before_the_film(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call(monkeypatch, "--ref", "key.png", *TINY, "-o", "x.mkv", "film.mp4") == 0
    assert (folder / "x.mkv").exists()


@pytest.mark.parametrize(
    "name", ["-o.mp4", "--help", 'it\'s "so"\n; ls $(id).mp4', "фильм 🎞 %d.mp4"]
)
def test_any_name_is_a_name(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (folder / "film.mp4").rename(folder / name)
    assert call(monkeypatch, "--ref", "key.png", *TINY, "-o", f"{name}.out.mp4", "--", name) == 0
    assert len(video_pts(folder / f"{name}.out.mp4")) == 8
    record = json.loads((folder / f"{name}.out.mp4.json").read_text())
    assert record["source"]["path"] == str(folder / name)
    assert len(list(folder.iterdir())) == 5


def test_a_film_from_standard_input(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open("film.mp4") as film:
        monkeypatch.setattr(sys, "stdin", film)
        assert call(monkeypatch, "-", "--ref", "key.png", *TINY, "-o", "out.mp4") == 0
    assert "standard input is kept in .out.mp4.stdin" in capsys.readouterr().err
    assert video_pts(folder / "out.mp4") == video_pts(folder / "film.mp4")
    assert not list(folder.glob(".*"))


def gray_picture(path: Path) -> None:
    cv2.imwrite(str(path), np.full((40, 40, 3), 90, np.uint8))


def tiny_picture(path: Path) -> None:
    cv2.imwrite(str(path), np.full((9, 9, 3), (20, 90, 200), np.uint8))


def enormous_picture(path: Path) -> None:
    """A PNG whose header claims 60000 x 60000 pixels."""
    content = cv2.imencode(".png", np.zeros((20, 20, 3), np.uint8))[1].tobytes()
    header = b"IHDR" + struct.pack(">II", 60000, 60000) + content[24:29]
    path.write_bytes(content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:])


# What is given, and what the line must say of it.
MISTAKES = {
    "no such film": (("none.mp4", "--ref", "key.png"), "no such film"),
    "a folder": ((".", "--ref", "key.png"), "is a folder"),
    "not a film": (("key.png.txt", "--ref", "key.png"), "not a film"),
    "no video": (("sound.mp4", "--ref", "key.png"), "no video"),
    "an empty file": (("empty.mp4", "--ref", "key.png"), "empty"),
    "no such reference": (("film.mp4", "--ref", "none.png"), "none.png"),
    "not a picture": (("film.mp4", "--ref", "key.png.txt"), "key.png.txt"),
    "a gray reference": (("film.mp4", "--ref", "gray.png"), "gray"),
    "a tiny reference": (("film.mp4", "--ref", "tiny.png"), "9x9"),
    "an enormous reference": (("film.mp4", "--ref", "enormous.png"), "60000"),
    "output is input": (("film.mp4", "--ref", "key.png", "-o", "film.mp4"), "itself"),
    "output exists": (("film.mp4", "--ref", "key.png", "-o", "there.mp4"), "-y overwrites"),
    "no such folder": (("film.mp4", "--ref", "key.png", "-o", "none/x.mp4"), "no folder"),
    "unknown container": (("film.mp4", "--ref", "key.png", "-o", "x.xyz"), "x.xyz"),
    "ffv1 into mp4": (("film.mp4", "--ref", "key.png", "--codec", "ffv1", "-o", "x.mp4"), ".mkv"),
    "standard output": (("film.mp4", "--ref", "key.png", "-o", "-"), "whole or not at all"),
    "standard input without a name": (("-", "--ref", "key.png"), "name it with -o"),
    "an address": (("https://a.b/c.mp4", "--ref", "key.png"), "'https://a.b/c.mp4' is an address"),
    "a device": (
        ("film.mp4", "--ref", "key.png", "-o", "/dev/null", "-y"),
        "is a device or a pipe",
    ),
    "fps of a film": (("film.mp4", "--ref", "key.png", "--fps", "18"), "film with its own times"),
    "profile and codec": (
        ("film.mp4", "--ref", "key.png", "--profile", "archive", "--codec", "h264"),
        "profile archive is ffv1 in .mkv, got codec h264; give one of the two",
    ),
    "profile and container": (
        ("film.mp4", "--ref", "key.png", "--profile", "web", "-o", "x.mkv"),
        "profile web is h264 in .mp4, got 'x.mkv'",
    ),
    "no weights": (("film.mp4", "--ref", "key.png", "--weights", "key.png"), "safetensors"),
    "end before start": (("film.mp4", "--ref", "key.png", "--start", "2", "--end", "1"), "before"),
    "crf": (("film.mp4", "--ref", "key.png", "--crf", "99"), "99"),
    "a broken map": (("film.mp4", "--ref", "broken.csv"), "broken.csv:"),
}


def others(arguments: tuple[str, ...]) -> list[str]:
    """The options of ``TINY`` that ``arguments`` do not give, or that fit what they give."""
    given = {*arguments, *(["--preset"] if "ffv1" in arguments else [])}
    pairs = [TINY[i : i + 2] for i in range(0, len(TINY), 2) if TINY[i] not in given]
    return [word for pair in pairs for word in pair]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    mistake: str,
) -> None:
    (folder / "key.png.txt").write_text("no film, no picture")
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "there.mp4").write_bytes(b"mine")
    (folder / "broken.csv").write_text("shot,start\n1,0\n")
    for name, make in (
        ("gray", gray_picture),
        ("tiny", tiny_picture),
        ("enormous", enormous_picture),
    ):
        make(folder / f"{name}.png")
    if mistake == "no video":
        sound_only(folder)
    before = sorted(p.name for p in folder.iterdir())
    arguments, wanted = MISTAKES[mistake]
    code = call(monkeypatch, *arguments, *others(arguments))
    text = capsys.readouterr().err
    assert code == 1, text
    last = text.strip().splitlines()[-1]
    assert last.startswith("c2e-video: ")
    assert wanted in last
    assert "Traceback" not in text
    assert sorted(p.name for p in folder.iterdir()) == before


def sound_only(folder: Path) -> None:
    import av

    with (
        av.open(str(folder / "film.mp4")) as film,
        av.open(str(folder / "sound.mp4"), "w") as output,
    ):
        source = film.streams.audio[0]
        stream = output.add_stream_from_template(source)
        for packet in film.demux(source):
            if packet.size:
                packet.stream = stream
                output.mux(packet)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_cuda_without_cuda(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("film.mp4", "--ref", "key.png", "--weights", "w.safetensors", "--device", "cuda")
    assert call(monkeypatch, *words) == 1
    assert "no device 'cuda' on this machine; there is: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--ref", "x"), "Missing argument 'FILM...'"),
        (("film.mp4", "--codec", "mp3"), "Invalid value for '--codec': 'mp3' is not one of 'h264'"),
        (("film.mp4", "--start", "soon"), "Invalid value for '--start': a time is HH:MM:SS.mmm"),
        (("film.mp4", "--end", "1:70"), "Invalid value for '--end': minutes and seconds"),
        (("film.mp4", "--fps", "0"), "Invalid value for '--fps': frames a second are 1 to 240"),
        (
            ("film.mp4", "--size", "3"),
            "Invalid value for '--size': 3 is not in the range 16<=x<=4096",
        ),
        (("film.mp4", "--batch", "0"), "Invalid value for '--batch': 0 is not in the range"),
        (("film.mp4", "--saturation", "5"), "Invalid value for '--saturation'"),
        (("film.mp4", "--weights", "none"), "File 'none' does not exist"),
        (("plan", "film.mp4", "--shots", "none"), "File 'none' does not exist"),
        (("colorise", "film.mp4"), "no command and no film 'colorise'; did you mean colorize?"),
        (("evalute",), "no command and no film 'evalute'; did you mean evaluate?"),
        (("film.mp4", "--saturaton", "1"), "No such option"),
    ],
)
def test_a_misused_command_says_how_it_is_used(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    assert call(monkeypatch, *arguments) == 2
    text = capsys.readouterr().err
    assert text.startswith("Usage: ")
    assert message in " ".join(text.split())


def test_a_film_whose_name_resembles_a_command_is_a_film(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "film.mp4").rename(folder / "plane")
    assert call(monkeypatch, "plane", "--ref", "key.png", *TINY) == 0
    assert call(monkeypatch, "trian.mp4", "--ref", "key.png") == 1
    assert "no such film" in capsys.readouterr().err


def test_every_option_of_every_command_has_help() -> None:
    for name, command in cli.cli.commands.items():
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{name} {option.name}"


def test_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    assert call(monkeypatch, "--version") == 0


def test_sizes_and_favours() -> None:
    assert sizes_of("96,128@2500") == ((0, 96), (2500, 128))
    assert weights_of(("a=3", "b=0.5")) == (("a", 3.0), ("b", 0.5))
    with pytest.raises(C2EError, match="got 'big'"):
        sizes_of("big")
    with pytest.raises(C2EError, match="--folder-weight"):
        weights_of(("a",))


def test_train_runs_from_the_command_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "photos").mkdir()
    for i in range(3):
        write_picture(Path(f"photos/{i}.png"), i, 72, 96)
    words = ("--photos", "photos", "--out", "run", "--width", "8", "--steps", "2", "--batch", "2")
    assert call(monkeypatch, "train", *words, "--sizes", "32", "--perceptual", "0") == 0
    assert (folder / "run" / "weights.safetensors").exists()
    assert call(monkeypatch, "train", *words, "--sizes", "big") == 1


def test_measuring_asks_for_scikit_image_before_it_paints(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "skimage.color", None)
    monkeypatch.setattr(colorizer, "Colorizer", lambda *_, **__: pytest.fail("it painted"))
    assert call(monkeypatch, "evaluate", "film.mp4") == 1
    assert "c2e-video[eval]" in capsys.readouterr().err


def test_other_weights_are_measured_beside(
    folder: Path,
    tiny_weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("skimage", reason="evaluation needs scikit-image, the extra 'eval'")
    clip = folder / "clip"
    clip.mkdir()
    for number in range(2):
        cv2.imwrite(str(clip / f"{number}.png"), np.full((40, 56, 3), 90 * number, np.uint8))
    figures = folder / "figures.json"
    asked = ("evaluate", str(clip), "--weights", str(tiny_weights), "--size", "32")
    beside = ("--compare", str(tiny_weights))
    assert call(monkeypatch, *asked, *beside, "--json", str(figures)) == 0
    assert " tiny " in capsys.readouterr().out
    scores = json.loads(figures.read_text())["mean"]
    assert scores["tiny"] == scores["prediction"]
    assert call(monkeypatch, *asked, *beside * 2) == 1
    assert "two rows would be named 'tiny'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("evaluate", "film.mp4", "--json", "none/f.json"), "no folder 'none'"),
        (("evaluate", "film.mp4", "--sheet", "none/s.png"), "cannot be written as a picture"),
        (("evaluate", "film.mp4", "--sheet", "sheet.what"), "cannot be written as a picture"),
    ],
)
def test_a_place_that_cannot_be_written_is_told_before_the_work(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.setattr(colorizer, "Colorizer", lambda *_, **__: pytest.fail("it worked"))
    assert call(monkeypatch, *command) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "chosen", [("--reference", "3"), ("--reference-interval", "0"), ("--max-frames", "9")]
)
def test_pairs_name_their_own_pictures(
    folder: Path,
    chosen: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (folder / "pairs.csv").touch()
    assert call(monkeypatch, "evaluate", "--pairs", "pairs.csv", *chosen) == 1
    assert "--pairs names its own pictures" in capsys.readouterr().err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stop_is_a_line_and_leaves_no_output(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: int,
    code: int,
) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a background job ignores
    monkeypatch.setattr(os, "_exit", sys.exit)
    monkeypatch.setattr(Encoder, "write", lambda *_: os.kill(os.getpid(), number))
    assert call(monkeypatch, "film.mp4", "--ref", "key.png", *TINY) == code
    assert capsys.readouterr().err == "c2e-video: stopped\n"
    assert not (folder / "film.color.mp4").exists()
