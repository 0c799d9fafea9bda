"""The library's words become the command line's: ``overwrite=True`` is ``-y`` there.

Messages of the library name parameters as Python code does: ``name=value``, with ``…`` for a value that is
to be chosen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

_PARAMETER = re.compile(
    r"(?<!\w)'[^']*'(?!\w)"  # what stands in quotes is a name of a file, and stays
    r"|\b(?P<name>[a-z_]+)=(?P<value>True|…|\{[^}]*\}|\"[^\"]*\"|\w+)"
)


def with_flags(text: str, commands: click.Group) -> str:
    """Write the parameters in a message as the options of the commands.

    Args:
        text: A message of the library, such as ``'x.mp4' exists; overwrite=True overwrites it``.
        commands: The commands whose options are known. Other parameters stay as they are.

    Returns:
        The message, such as ``'x.mp4' exists; -y overwrites it``.
    """
    flags = dict(_flags(commands))

    def option(match: re.Match[str]) -> str:
        flag = flags.get(match["name"] or "")
        if flag is None:
            return match[0]
        return " ".join(" ".join((flag, value)).strip() for value in _values(match["value"]))

    return _PARAMETER.sub(option, text)


def _values(text: str) -> list[str]:
    """What is written after the option; once for each element of a set."""
    if text in ("True", "…"):
        return [""]
    return [value.strip(' "') for value in text.strip("{}").split(",")]


def _flags(commands: click.Group) -> Iterator[tuple[str, str]]:
    for command in commands.commands.values():
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.name:
                yield parameter.name, parameter.opts[0]
