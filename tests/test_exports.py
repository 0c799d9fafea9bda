"""The public API: what the stub names, all that its callers need, and no heavy import before it is used."""

from __future__ import annotations

import dataclasses
import inspect
import re
import subprocess
import sys
import typing
from collections.abc import Iterator
from typing import Any

import pytest

import c2e_video
from c2e_video import errors

PUBLIC: list[str] = sorted(vars(c2e_video)["__all__"])
THINGS = {name: getattr(c2e_video, name) for name in PUBLIC}


def test_what_the_documentation_promises_is_there() -> None:
    promised = {
        *("colorize_video", "Colorizer", "find_shots", "decode", "probe", "Shot", "Frame"),
        *("Reference", "ReferenceMap", "VideoInfo", "Options", "EncodeSettings", "Result"),
        *(
            "Progress",
            "DecodeReport",
            "Crop",
            "C2EError",
            "MediaError",
            "BadReference",
            "BadWeights",
        ),
        *("JobMismatch", "__version__"),
    }
    assert set(PUBLIC) == promised
    assert sorted(dir(c2e_video)) == PUBLIC


@pytest.mark.parametrize("name", [name for name in PUBLIC if name != "__version__"])
def test_every_name_is_documented(name: str) -> None:
    assert THINGS[name].__doc__
    assert THINGS[name].__name__ == name


def test_every_error_is_public_and_in_one_tree() -> None:
    own = [thing for thing in vars(errors).values() if inspect.isclass(thing)]
    assert {thing.__name__ for thing in own} <= set(PUBLIC)
    assert all(issubclass(thing, errors.C2EError) for thing in own)


def classes_in(hint: Any) -> Iterator[type]:
    """The classes of this package in a type hint."""
    for part in typing.get_args(hint):
        yield from classes_in(part)
    if inspect.isclass(hint) and hint.__module__.startswith("c2e_video"):
        yield hint


@pytest.mark.parametrize("name", PUBLIC)
def test_callers_need_no_name_that_is_not_public(name: str) -> None:
    """The types of a public function's arguments and result, and of a public dataclass's fields."""
    thing = THINGS[name]
    if not (inspect.isfunction(thing) or dataclasses.is_dataclass(thing)):
        return
    for hint in typing.get_type_hints(thing).values():
        for needed in classes_in(hint):
            assert THINGS.get(needed.__name__) is needed, f"{name} needs {needed}"


def public_functions() -> Iterator[tuple[str, Any]]:
    """The public functions, and the public methods of the public classes."""
    for name, thing in THINGS.items():
        if inspect.isfunction(thing):
            yield name, thing
        for method in vars(thing) if inspect.isclass(thing) else ():
            function = inspect.getattr_static(thing, method)
            function = getattr(function, "__func__", function)
            if inspect.isfunction(function) and not method.startswith("_"):
                yield f"{name}.{method}", function


@pytest.mark.parametrize(("name", "function"), list(public_functions()))
def test_every_argument_of_the_public_api_is_described(name: str, function: Any) -> None:
    described = set(re.findall(r"^\s+\*{0,2}(\w+):", inspect.getdoc(function) or "", re.M))
    assert set(inspect.signature(function).parameters) - {"self", "cls"} <= described, name


def test_unknown_names() -> None:
    name = "nothing"
    with pytest.raises(AttributeError, match="attribute nothing"):
        getattr(c2e_video, name)


def test_importing_the_package_loads_no_heavy_library() -> None:
    code = (
        "import sys, c2e_video; c2e_video.__version__;"
        "assert not {'torch', 'cv2', 'av', 'numpy', 'PIL'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
