"""Which picture files can be references: all that Pillow decodes by itself or by an installed plug-in."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path

from PIL import Image

# Not decoded: what runs a program (PostScript), needs Windows (WMF), or is no picture to Pillow.
_REFUSED = frozenset({"EPS", "WMF", "MPEG", "BUFR", "GRIB", "HDF5", "FITS"})
# What Pillow opens with a package beside it: the package to install, the module, its function to call.
_PLUGINS = {
    "HEIC": ("pillow-heif", "pillow_heif", "register_heif_opener"),
    "JPEG XL": ("pillow-jxl-plugin", "pillow_jxl", ""),
}
_PLUGIN_SUFFIXES = {
    **dict.fromkeys((".heic", ".heics", ".heif", ".heifs", ".hif"), "HEIC"),
    ".jxl": "JPEG XL",
}
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_JXL_STARTS = (b"\xff\x0a", b"\0\0\0\x0cJXL ")


def formats() -> tuple[str, ...]:
    """Pillow's names of the formats that are read; a plug-in's from its first use on."""
    Image.init()
    return tuple(sorted(set(Image.OPEN) - _REFUSED))


def suffixes() -> tuple[str, ...]:
    """The suffixes of those formats, in lower case with the dot."""
    readable = formats()
    registered = Image.registered_extensions().items()
    return tuple(sorted(suffix for suffix, form in registered if form in readable))


def is_readable(path: Path) -> bool:
    """Whether a file's suffix is that of a format that is read, by an installed plug-in perhaps."""
    return missing_plugin(path) is None and path.suffix.lower() in suffixes()


def missing_plugin(path: Path) -> str | None:
    """The package that a picture needs and that is not installed; None if it needs none.

    It is found by the file's first bytes, or by its suffix where it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(12)
    except OSError:
        start = b""
    kind = _PLUGIN_SUFFIXES.get(path.suffix.lower())
    if start[4:8] == b"ftyp" and start[8:] in _HEIF_BRANDS:
        kind = "HEIC"
    elif start.startswith(_JXL_STARTS):
        kind = "JPEG XL"
    if kind is None or _load(*_PLUGINS[kind][1:]):
        return None
    return _PLUGINS[kind][0]


@cache
def _load(module: str, function: str) -> bool:
    """Whether a plug-in is there; Pillow knows its formats then."""
    try:
        plugin = import_module(module)
    except ImportError:
        return False
    if function:
        getattr(plugin, function)()
    return True
