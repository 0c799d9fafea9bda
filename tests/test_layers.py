"""The house stays in order: imports go downward only, nobody imports the package root."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "c2e_video"

# Each floor may import those below it, and within itself where the order says so.
FLOORS = [
    ["errors", "version", "progress"],
    [
        "timecode",
        "text_files",
        "locks",
        "csv_table",
        "frames",
        "prefetch",
        "color",
        "model",
        "upsample",
        "motion",
        "steadying",
        "devices",
        "pieces",
        "thumbnails",
    ],
    [
        "levels",
        "decode",
        "likeness",
        "cuts",
        "dissolves",
        "shots",
        "containers",
        "encode",
        "mux",
        "embedding",
        "colorizer",
    ],
    ["reference_pictures", "reference_csv", "references", "shot_lists", "keyframes"],
    ["bars", "painter"],
    ["options", "job", "plan", "record"],
    ["spool", "sheet", "pipeline"],
    ["train", "evaluate", "bench", "terminal"],
    ["cli"],
    ["__main__"],
]
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def room(path: Path) -> str:
    """The top-level module or folder a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Rooms of the package that a file imports, at its top or inside its functions."""
    depth = len(path.relative_to(PACKAGE).parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found |= {name.split(".")[0] for name in names if name}
        if isinstance(node, ast.Import):
            assert not any(alias.name.split(".")[0] == "c2e_video" for alias in node.names), path
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_downward(path: Path) -> None:
    here = room(path)
    assert here in FLOOR, f"{here} has no floor yet"
    for name in imported(path) - {here}:
        assert name in FLOOR, f"{path.name} imports {name}, which has no floor"
        assert FLOOR[name] <= FLOOR[here], f"{here} imports {name} from a floor above"


def test_no_circles() -> None:
    graph: dict[str, set[str]] = {}
    for path in modules():
        graph.setdefault(room(path), set()).update(imported(path) - {room(path)})

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        for child in graph.get(name, ()):
            visit(child, (*trail, name))

    for name in graph:
        visit(name, ())


def test_help_does_not_load_torch() -> None:
    code = (
        "import sys; from c2e_video import cli; cli.cli(['--help'], standalone_mode=False);"
        "heavy = {'torch', 'cv2', 'av'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
