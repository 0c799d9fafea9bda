"""What a user gives as references: pictures, folders, colour films, a table, or a map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from PIL.Image import Image

from ..errors import BadReference, C2EError
from ..utils.arrays import Picture
from ..utils.xlsx_table import XLSX
from ..video.decode.decoder import probe
from ..video.frames import VideoInfo
from .image import Reference, pictures_in, reference_in_memory
from .named_reference import load_named
from .picture_formats import is_readable
from .reference_map import ReferenceMap
from .reference_table import ReferenceTable
from .table_file import read_table

ReferenceLike = str | Path | Picture | Image | Reference
ACCEPTED = "a path, an RGB array uint8 [H, W, 3], a Pillow image or a Reference"
TABLES = (".csv", XLSX)

Note = Callable[[str], object]


@dataclass(frozen=True, eq=False)
class GivenReferences:
    """What a user gave, sorted by kind.

    Args:
        pictures: References that are loaded.
        folders: The picture files of each folder; they are not loaded.
        films: Colour films.
        table: A table that was read.
        reference_map: A map that a caller made.
    """

    pictures: tuple[Reference, ...] = ()
    folders: tuple[tuple[Path, tuple[Path, ...]], ...] = ()
    films: tuple[Path, ...] = ()
    table: ReferenceTable | None = None
    reference_map: ReferenceMap | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was given."""
        has_candidates = self.pictures or self.folders or self.films
        return not has_candidates and self.table is None and self.reference_map is None


def sort_references(
    references: ReferenceLike | Sequence[ReferenceLike] | ReferenceMap,
    info: VideoInfo,
    note: Note = lambda line: None,
) -> GivenReferences:
    """Sort what a user gave by kind; pictures that are named are loaded.

    Args:
        references: A map, or one or several of these: a picture (path, array, Pillow image or
            Reference), a folder of pictures, a colour film, a table (.csv, .xlsx).
        info: The film that is to be colorized.
        note: Is told what is left out of folders.

    Raises:
        BadReference: A picture cannot be used, or something is none of these.
        C2EError: There are two tables.
    """
    if isinstance(references, ReferenceMap):
        return GivenReferences(reference_map=references)
    single = isinstance(references, (str, PathLike, np.ndarray, Image, Reference))
    pictures: list[Reference] = []
    folders: list[tuple[Path, tuple[Path, ...]]] = []
    films: list[Path] = []
    table: ReferenceTable | None = None
    for number, item in enumerate([references] if single else _as_list(references), 1):
        path = Path(item) if isinstance(item, (str, PathLike)) else None
        if path is None:
            pictures.append(_loaded(item, number))
        elif path.suffix.lower() in TABLES:
            if table is not None:
                raise C2EError(
                    f"two tables of references: {str(table.path)!r} and {str(path)!r}; give one, and "
                    "pictures for its open shots"
                )
            table = read_table(path, info)
        elif path.is_dir():
            folders.append((path, tuple(pictures_in(path, note))))
        elif path.is_file() and not is_readable(path) and _is_film(path):
            films.append(path)
        else:
            pictures.append(load_named(path))
    return GivenReferences(tuple(pictures), tuple(folders), tuple(films), table)


def _as_list(references: Any) -> list[Any]:
    try:
        return list(references)
    except TypeError:
        raise BadReference(
            f"references are {ACCEPTED}, a list of those, or a ReferenceMap; got {references!r}"
        ) from None


def _loaded(item: Any, number: int) -> Reference:
    """The reference that an item of a list stands for which is no path."""
    if isinstance(item, Reference):
        return item
    if isinstance(item, (np.ndarray, Image)):
        return reference_in_memory(item, f"picture {number}")
    raise BadReference(f"reference {number} is {item!r}; accepted: {ACCEPTED}")


def _is_film(path: Path) -> bool:
    try:
        probe(path)
    except C2EError:
        return False
    return True
