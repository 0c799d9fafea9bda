"""The CSV of a run's losses, a row a step."""

from __future__ import annotations

import csv
from pathlib import Path


def append_losses(path: Path, row: dict[str, float]) -> None:
    """Append ``row`` to the table at ``path``, which begins with the names of its columns."""
    with open(path, "a+", newline="") as file:
        file.seek(0)
        # A run begun by an older version goes on with the columns it has.
        columns = next(csv.reader(file), None)
        writer = csv.DictWriter(file, columns or row, extrasaction="ignore")
        if columns is None:
            writer.writeheader()
        writer.writerow({name: f"{value:.6g}" for name, value in row.items()})
