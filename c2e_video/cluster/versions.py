"""The versions that a segment's bits depend on, compared between the head and its workers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import cv2

from ..version import __version__

_LIBRARIES = ("torch", "av", "numpy")


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """The version of this package, with a digest of its code, and those of the libraries it computes with."""
    own = {"c2e-video": f"{__version__} (code {_code_digest()[:12]})"}
    # "2.6.0+cpu" computes as "2.6.0+cu124" does, where the device is the same.
    libraries = {name: version(name).partition("+")[0] for name in _LIBRARIES}
    return {**own, **libraries, "opencv": cv2.__version__}


def differences(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """What differs, in words: "torch 2.6 there, 2.7 here"; empty where nothing does."""
    names = [name for name in {**here, **there} if here.get(name) != there.get(name)]
    return ", ".join(
        f"{name} {there.get(name, 'not installed')} there, {here.get(name, 'not installed')} here"
        for name in names
    )


def _code_digest() -> str:
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
