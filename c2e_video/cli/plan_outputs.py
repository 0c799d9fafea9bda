"""Where ``c2e-video plan`` writes, and whether a table that is there is updated or written over."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import C2EError
from ..utils.files import free_name

if TYPE_CHECKING:
    from ..planning.plan import Plan
    from ..references.given import GivenReferences
    from ..video.frames import VideoInfo

LISTS = (".csv", ".edl", ".otio")


@dataclass(frozen=True, eq=False)
class PlanOutputs:
    """What is written.

    Args:
        given: The references; with the table that is updated, if one is.
        path: The list of shots.
        updates: Whether the list is the table that was given: it is written only where it changes.
        backs_up: Whether a table that is there is kept under another name.
    """

    given: GivenReferences
    path: Path
    updates: bool = False
    backs_up: bool = False

    @classmethod
    def choose(
        cls,
        film: Path,
        info: VideoInfo,
        given: GivenReferences,
        output: Path | None,
        sheet: Path | None,
        overwrite: bool,
        has_shots: bool,
    ) -> PlanOutputs:
        """Decide where the list goes, and check that it and the sheet can be written.

        Args:
            film: The film.
            info: What its picture track holds.
            given: What a user gave as references.
            output: The list that a user named; None for the table that was given, or FILM.csv.
            sheet: The contact sheet, if one is asked for.
            overwrite: Whether a list that is there is written over instead of updated.
            has_shots: Whether another list of shots is taken, which a table would contradict.

        Raises:
            C2EError: Something there would be lost, or cannot be written.
        """
        from ..pipeline.output import check_output
        from ..planning.contact_sheet import is_sheet
        from ..planning.shot_lists import check_shot_list
        from ..references.table_file import read_table
        from ..video.decode import base_path

        name = base_path(film)
        own = given.table.path if given.table is not None else None
        path = output or (own if own is not None and own.suffix.lower() == ".csv" else None)
        path = path or name.with_name(f"{name.name}.csv")
        if path.suffix.lower() not in LISTS:
            raise C2EError(f"shots are written to {', '.join(LISTS)}, got {str(path)!r}")
        check_shot_list(path, info)
        if sheet is not None:
            if sheet == path:
                raise C2EError(
                    f"the list and the sheet would both be {str(sheet)!r}; give two names"
                )
            check_output(film, sheet, overwrite or is_sheet(sheet))
        is_table = path.suffix.lower() == ".csv" and path.is_file()
        if is_table and own is not None and own.exists() and path.samefile(own):
            return cls(given, path, updates=True)
        if is_table and not overwrite and not has_shots and own is None:
            table = read_table(path, info)
            return cls(replace(given, table=table), path, updates=True)
        check_output(film, path, overwrite)
        return cls(given, path, backs_up=is_table)

    def write_list(self, planned: Plan) -> list[str]:
        """Write the list, and tell what was written."""
        if self.updates and not planned.changed:
            return [f"{self.path} is as it was: nothing in it is open that could be filled"]
        lines = []
        if self.backs_up:
            kept = free_name(self.path)
            try:
                shutil.copy2(self.path, kept)
            except OSError as error:
                raise C2EError(f"{str(kept)!r} cannot be written: {error.strerror}") from None
            lines.append(f"the table before is kept: {kept}")
        planned.write(self.path)
        return [*lines, f"written: {self.path}"]
