"""Hostile input: a film, a map or a picture with any bytes in it ends in a whole film or in one line."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from c2e_video.errors import C2EError
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from c2e_video.references.reference_map import ReferenceMap
from tests.factories import six_containers
from tests.media import picture_digests
from tests.runner import Runner
from tests.video.test_encode import info

MUTANTS = 102  # of each seed
BOUND = 400 << 20  # bytes a mutant may take more than its film
FIXTURES = [HealthCheck.function_scoped_fixture]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, near the beginning, where structure is, or anywhere; now and then cut off."""
    changed = bytearray(data)
    reach = chance.choice((300, 2000, len(data)))
    for _ in range(chance.choice((1, 3, 10, 50))):
        at = chance.randrange(min(reach, len(data)))
        changed[at] = chance.choice((0, 255, chance.randrange(256), changed[at] ^ 1))
    if chance.random() < 0.2:
        del changed[chance.randrange(1, len(changed)) :]
    return bytes(changed)


def test_a_few_mutants_in_this_process(tmp_path: Path, reference: Path, quick: Options) -> None:
    chance = random.Random(1)
    for film in six_containers(tmp_path):
        for number in range(2):
            mutant = tmp_path / f"mutant{number}{film.suffix}"
            mutant.write_bytes(mutated(film.read_bytes(), chance))
            output = tmp_path / f"out-{mutant.name}.mkv"
            line = ""
            try:
                result = colorize_video(mutant, output, references=reference, options=quick)
            except C2EError as error:
                line = str(error)
            assert line.isprintable()
            assert output.exists() is not bool(line)
            if not line:
                assert len(picture_digests(output)) == result.frames


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    server = Runner()
    yield server
    server.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_mutants_of_six_containers(
    runner: Runner, tmp_path: Path, reference: Path, tiny_weights: Path, seed: int
) -> None:
    """No hang, no traceback, memory bounded, and nothing under the output's name but a whole film."""
    place, chance = tmp_path / "place", random.Random(seed)
    place.mkdir()
    words = ["--weights", str(tiny_weights), "--ref", str(reference), "--size", "16", "--device"]
    words += ["cpu", "--precision", "fp32", "--preset", "ultrafast", "--drop", "attachments"]
    ends = {0: 0, 1: 0}
    sources = six_containers(tmp_path)
    peaks = [max(_end_of(runner, film, place, words)[1] for film in sources)]
    for number in range(MUTANTS):
        source = sources[number % len(sources)]
        mutant = tmp_path / f"mutant{source.suffix}"
        mutant.write_bytes(mutated(source.read_bytes(), chance))
        code, peak = _end_of(runner, mutant, place, words)
        ends[code] += 1
        assert peak < peaks[0] + BOUND, number
        peaks.append(peak)
    print(f"{ends[0]} mutants gave a film, {ends[1]} a line, at most {max(peaks) >> 20} MiB")
    assert min(ends.values()) > 10


def _end_of(runner: Runner, film: Path, place: Path, words: Sequence[str]) -> tuple[int, int]:
    """The exit code and the peak of memory of a run that must leave a whole film or nothing."""
    output = place / ("out.mkv" if film.suffix in (".mkv", ".webm") else "out.mp4")
    ended = runner.run(place, str(film), *words, "-o", output.name, seconds=120)
    assert ended.code in (0, 1), (ended, shutil.copy(film, film.with_name(f"bad{film.suffix}")))
    assert "Traceback" not in ended.text, ended.text
    left = sorted(path.name for path in place.iterdir())
    if ended.code:
        assert ended.text.splitlines()[-1].startswith("c2e-video: "), ended.text
        assert not [name for name in left if not name.endswith(".c2e")], left
    else:
        assert left == [output.name, f"{output.name}.json"]
        assert f" {len(picture_digests(output))} frames" in ended.text
    for path in place.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return ended.code, ended.peak_bytes


MAP = b"""shot,start,end,transition,reference,at
1,00:00:00.000,00:00:01.000,cut,reference.png,00:00:00.500
2,00:00:01.000,00:00:02.000,dissolve 00:00:00.200,reference.png,
"""


@settings(max_examples=150, deadline=None, suppress_health_check=FIXTURES)
@given(st.data())
def test_any_map_is_a_map_or_one_line(tmp_path: Path, reference: Path, data: st.DataObject) -> None:
    text = bytearray(MAP)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text)))
        many = data.draw(st.integers(0, 5))
        text[at : at + many] = data.draw(st.binary(max_size=8) | st.sampled_from(MAP.split(b",")))
    table = tmp_path / "map.csv"
    table.write_bytes(text)
    line = "map.csv"
    try:
        assert ReferenceMap.from_csv(table, info()).shots
    except C2EError as error:
        line = str(error)
    assert line.isprintable()
    assert "map.csv" in line or "reference" in line
