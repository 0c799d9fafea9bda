"""Results as a text table, as JSON, and as a contact sheet of pictures."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from ..errors import C2EError
from ..utils.arrays import Picture
from ..utils.files import write_text
from .scores import ClipResult, Results, Scores


class Column(NamedTuple):
    """A column of a table: its title, the field of :class:`Scores`, and how the number is written."""

    title: str
    field: str  # of Scores
    digits: int
    signed: bool = False


NEARNESS = (
    Column("PSNR", "psnr", 2),
    Column("PSNR ab", "psnr_ab", 2),
    Column("PSNR wrapped", "psnr_wrapped", 2),
    Column("SSIM", "ssim", 4),
    Column("CIEDE2000", "ciede2000", 2),
    Column("LPIPS", "lpips", 4),
    Column("palette", "palette", 3),
)
FILM = (
    Column("colour", "colorfulness", 2),
    Column("truth", "colorfulness_truth", 2),
    Column("diff", "colorfulness_difference", 2, signed=True),
    Column("CDC", "cdc", 5),
    Column("truth", "cdc_truth", 5),
    Column("diff", "cdc_difference", 5, signed=True),
    Column("warp", "warp", 3),
    Column("truth", "warp_truth", 3),
    Column("diff", "warp_difference", 3, signed=True),
)
NOTES = """\
PSNR: dB over R'G'B', peak 255; PSNR ab: over a*, b*, peak 255; higher is nearer, 100 is exact.
PSNR wrapped: the same in uint8 arithmetic, modulo 256, only for comparison with tables made that way.
SSIM: higher is better. CIEDE2000 (mean), LPIPS (AlexNet 0.1): lower is better.
palette: intersection of the ab histograms with the reference's, 1: the same colours in the same shares.
colour: colorfulness, Hasler-Süsstrunk 2003. CDC: Jensen-Shannon divergence, frames 1, 2, 4 apart, in nats.
Both are better the nearer they are to the truth's.
warp: chroma warp error, ab units along the true motion; lower is steadier, and pale colours have less."""

_CLIP_WIDTH, _ROW_WIDTH = 24, 12
_LISTED = 40  # more clips than that (pairs come by the hundred) are reported by their mean
LABEL_HEIGHT, GAP = 20, 4  # pixels, on the sheet
_SHEET_ROWS = 60


def table(results: Results) -> str:
    """Two plain-text tables, at most 120 columns wide: nearness to the truth, and the film itself.

    A line for each row (baselines and methods) of each clip and of the two means; for more than 40 clips the
    means only.
    """
    return "\n\n".join((_grid(results, NEARNESS), _grid(results, FILM), NOTES))


def _grid(results: Results, columns: Sequence[Column]) -> str:
    lines = [["clip", "row", *(column.title for column in columns)]]
    listed = results.clips if len(results.clips) <= _LISTED else []
    for clip in listed:
        lines += _cells(clip.name, clip.scores, columns)
    clips, frames = len(results.clips), sum(clip.frames for clip in results.clips)
    lines += _cells(f"mean of {clips} clips", results.mean(), columns)
    lines += _cells(f"mean of {frames} frames", results.mean("frames"), columns)
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(_aligned(line, widths) for line in lines)


def _cells(name: str, scores: dict[str, Scores], columns: Sequence[Column]) -> list[list[str]]:
    names = [_cut(name, _CLIP_WIDTH)] + [""] * (len(scores) - 1)
    return [
        [first, _cut(row, _ROW_WIDTH), *(_figure(one, column) for column in columns)]
        for first, (row, one) in zip(names, scores.items(), strict=True)
    ]


def _aligned(line: list[str], widths: list[int]) -> str:
    """Two names on the left, figures on the right."""
    cells = list(zip(line, widths, strict=True))
    names = [cell.ljust(width) for cell, width in cells[:2]]
    return "  ".join(names + [cell.rjust(width) for cell, width in cells[2:]])


def _figure(scores: Scores, column: Column) -> str:
    value = float(getattr(scores, column.field))
    if math.isnan(value):
        return "-"
    return f"{value:{'+' if column.signed else ''}.{column.digits}f}"


def _cut(name: str, width: int) -> str:
    return name if len(name) <= width else name[: width - 2] + ".."


def to_json(results: Results) -> str:
    """``{"conditions", "mean", "mean_of_frames", "clips": [{"name", …, "scores"}]}``.

    Means and scores are ``{row: figures}``; the figures carry :class:`Scores`' names and the
    three differences; null stands for a figure that does not exist.
    """
    clips = [
        {
            "name": clip.name,
            "frames": clip.frames,
            "width": clip.width,
            "height": clip.height,
            "scores": _by_row(clip.scores),
        }
        for clip in results.clips
    ]
    content = {
        "conditions": results.conditions,
        "mean": _by_row(results.mean()),
        "mean_of_frames": _by_row(results.mean("frames")),
        "clips": clips,
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _by_row(scores: dict[str, Scores]) -> dict[str, dict[str, float | None]]:
    return {row: _figures(one) for row, one in scores.items()}


def _figures(scores: Scores) -> dict[str, float | None]:
    figures = asdict(scores) | {
        column.field: getattr(scores, column.field) for column in FILM if column.signed
    }
    return {name: None if math.isnan(value) else value for name, value in figures.items()}


def write_json(results: Results, path: Path) -> None:
    """Write :func:`to_json`. Raises ``C2EError`` where ``path`` cannot be written."""
    write_text(path, to_json(results))


def sheet(results: Results) -> Picture:
    """A row a clip, R'G'B' uint8 ``[H, W, 3]``: (reference |) truth | gray | prediction, labelled.

    The first 60 clips at most.
    """
    rows = [_strip(clip) for clip in results.clips[:_SHEET_ROWS]]
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]
    return np.concatenate(padded)


def _strip(clip: ClipResult) -> Picture:
    height = max(len(picture) for picture in clip.pictures.values())
    cells = [
        _labelled(picture, _caption(clip, column, i == 0), height)
        for i, (column, picture) in enumerate(clip.pictures.items())
    ]
    return np.concatenate(cells, axis=1)


def _caption(clip: ClipResult, column: str, first: bool) -> str:
    return f"{clip.name} #{clip.sample}: {column}" if first else column


def _labelled(picture: Picture, text: str, height: int) -> Picture:
    """The picture under its label, on black, ``height`` high below the label."""
    below = height - len(picture)
    cell = np.pad(picture, ((LABEL_HEIGHT, below), (0, GAP), (0, 0)))
    # OpenCV's font has ASCII only; other letters become question marks.
    plain = text.encode("ascii", "replace").decode()
    place = (4, LABEL_HEIGHT - 6)
    cv2.putText(cell, plain, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return cell


def write_sheet(results: Results, path: Path) -> None:
    """Write :func:`sheet` as PNG or JPEG, by the name's ending. Raises ``C2EError``."""
    check_sheet(path)
    if not cv2.imwrite(str(path), cv2.cvtColor(sheet(results), cv2.COLOR_RGB2BGR)):
        raise C2EError(f"{path}: cannot be written; is its disk full?")


def check_sheet(path: Path) -> None:
    """Raise a ``C2EError`` if no picture can be written to ``path``."""
    if not os.access(path.parent, os.W_OK) or not cv2.haveImageWriter(str(path)):
        raise C2EError(f"{path}: cannot be written as a picture; name a .png in a writable folder")
