"""The public API is this list, no more and no less."""

from __future__ import annotations

import subprocess
import sys

import pytest

import c2e_video

PUBLIC = [
    "BadReference",
    "BadWeights",
    "C2EError",
    "Colorizer",
    "JobMismatch",
    "MediaError",
    "Options",
    "ReferenceMap",
    "Shot",
    "VideoInfo",
    "__version__",
    "colorize_video",
    "find_shots",
    "probe",
]


def test_the_list() -> None:
    assert c2e_video.__all__ == PUBLIC
    assert dir(c2e_video) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_name_is_there_and_documented(name: str) -> None:
    thing = getattr(c2e_video, name)
    if name != "__version__":
        assert thing.__doc__
        assert thing.__name__ == name


def test_errors_are_one_tree() -> None:
    for name in ("BadReference", "BadWeights", "JobMismatch", "MediaError"):
        assert issubclass(getattr(c2e_video, name), c2e_video.C2EError)


def test_unknown_names() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = c2e_video.nothing


def test_importing_the_package_loads_no_torch() -> None:
    code = "import sys, c2e_video; assert not {'torch', 'cv2', 'av'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
