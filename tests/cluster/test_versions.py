"""Workers are compared with the head."""

from __future__ import annotations

import pytest

from c2e_video.cluster.versions import differences, versions
from c2e_video.cluster.worker import _checked
from c2e_video.errors import BadWeights
from c2e_video.version import __version__


def test_the_versions_name_the_code_and_the_libraries() -> None:
    found = versions()
    assert found["c2e-video"].startswith(f"{__version__} (code ")
    assert {"torch", "av", "numpy"} < set(found)


def test_only_what_differs_is_named() -> None:
    here = {"torch": "2.6", "av": "18.1", "numpy": "2.0"}
    assert differences(here, here) == ""
    assert differences(here, {**here, "torch": "2.7"}) == "torch 2.7 there, 2.6 here"
    assert (
        differences(here, {"torch": "2.6", "av": "18.1"}) == "numpy not installed there, 2.0 here"
    )


def test_other_weights_are_refused_with_both_named() -> None:
    expected = "3fa1" + 60 * "0"
    with pytest.raises(BadWeights, match=r"\(2bb80d537b1da3e3\) than the run \(3fa1000000000000\)"):
        _checked(b"secret", expected)
