"""The metadata of a film: the fields that are kept, and those that the output lacks.

A field is a name and a text, of the film or of a stream. A timecode and the name of a reel are the
film's wherever they stand: in the film's own fields, in those of its picture, or in a timecode track.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from av.container import InputContainer, OutputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from .streams import describe, is_container_internal, is_cover

# Fields about a file and the program that wrote it. They are not true of another file.
FILE_FIELDS = (
    *("major_brand", "minor_version", "compatible_brands", "vendor_id"),  # QuickTime
    *("encoder", "software", "duration", "source_id", "variant_bitrate"),
    *(
        "operational_pattern_ul",
        "uid",
        "generation_uid",
        "modification_date",
        "company_name",
    ),  # MXF
    *("product_name", "product_uid", "product_version", "product_version_num"),
    *("toolkit_version", "toolkit_version_num", "application_platform"),
    *("material_package_umid", "file_package_umid"),
    *("wmfsdkversion", "wmfsdkneeded", "isvbr", "deviceconformancetemplate"),  # ASF
    *("asfleakybucketpairs", "vbr peak", "buffer average", "wm/encodingtime"),
    *("wm/toolname", "wm/toolversion", "mediafoundationversion", "sforiginalfps"),
    *("metadatacreator", "metadatadate", "hasvideo", "hasaudio", "hasmetadata"),  # FLV
    *("haskeyframes", "hascuepoints", "canseektoend", "filesize", "datasize", "videosize"),
    *("audiosize", "lasttimestamp", "lastkeyframetimestamp", "lastkeyframelocation"),
    *("totalframes", "totaldatarate", "gapless_playback", "itunsmpb"),
)
# Beginnings of names of fields about the packets of a track. They are not true of other packets.
PACKET_FIELDS = ("bps", "number_of_", "_statistics_")
# Fields of a track that say how its file was made. They are copied, and no loss where they cannot be.
_OF_THE_TRACKS_FILE = ("creation_time", "handler_name")
# Fields of the whole film, whatever stream has them.
_TAPE_FIELDS = ("timecode", "reel_name")


def _plain(name: str) -> str:
    """A field's name without its case and the language that Matroska adds: ``BPS-eng`` is "bps"."""
    return re.sub(r"-[a-z]{3}$", "", name.lower())


def _own(metadata: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in metadata.items() if _plain(k) not in FILE_FIELDS}


def _without(fields: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    return {k: v for k, v in fields.items() if _plain(k) not in names}


def tape_fields(film: InputContainer | OutputContainer) -> dict[str, str]:
    """The timecode and the name of the reel, by their names in lower case."""
    pictures = (s for s in film.streams if isinstance(s, VideoStream) and not is_cover(s))
    internal = (s for s in film.streams if is_container_internal(s))
    places = [*(s.metadata for s in chain(pictures, internal)), film.metadata]
    found: dict[str, str] = {}
    for metadata in places:
        for name, value in metadata.items():
            if name.lower() in _TAPE_FIELDS:
                found.setdefault(name.lower(), value)
    return found


def film_fields(film: InputContainer, quicktime: bool) -> dict[str, str]:
    """The film's own fields that the output gets.

    Args:
        film: The source.
        quicktime: Whether the output is mp4 or mov, where a timecode belongs to the picture.
    """
    fields = _own(film.metadata)
    return _without(fields, _TAPE_FIELDS) if quicktime else fields


def track_fields(metadata: Mapping[str, str], quicktime: bool) -> dict[str, str]:
    """The fields of a track that its copy gets. FFmpeg reads QuickTime's title of a track as "name"."""
    fields = {"title" if k == "name" else k: v for k, v in _own(metadata).items()}
    return _without(fields, _TAPE_FIELDS) if quicktime else fields


def picture_fields(film: InputContainer, picture: int, quicktime: bool) -> dict[str, str]:
    """The fields that the colorized picture gets.

    mp4 and mov make a timecode track of the picture's timecode and reel, so those of the whole film are
    among them. Matroska has no timecode track; what only that had is among them.

    Args:
        film: The source.
        picture: Index of its picture stream.
        quicktime: Whether the output is mp4 or mov.
    """
    fields = _lasting(track_fields(film.streams[picture].metadata, quicktime))
    there = {} if quicktime else {name.lower() for name in chain(fields, film.metadata)}
    return fields | {k: v for k, v in tape_fields(film).items() if k not in there}


def _lasting(fields: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in fields.items() if not k.lower().startswith(PACKET_FIELDS)}


# ISO 639-2 has two codes for some languages. QuickTime knows only one of each, as FFmpeg writes it.
_QUICKTIME_LANGUAGES = {
    "sqi": "alb",
    "hye": "arm",
    "eus": "baq",
    "mya": "bur",
    "zho": "chi",
    "nld": "dut",
    "kat": "geo",
    "deu": "ger",
    "ell": "gre",
    "isl": "ice",
    "mkd": "mac",
    "msa": "may",
    "fas": "per",
    "bod": "tib",
    "cym": "wel",
    "cze": "ces",
    "fre": "fra",
    "rum": "ron",
    "slo": "slk",
}


def quicktime_language(language: str) -> str:
    """The code of a language in mov files."""
    return _QUICKTIME_LANGUAGES.get(language, language)


def losses(
    film: InputContainer,
    result: InputContainer | OutputContainer,
    pairs: Iterable[tuple[Stream, Stream]],
    name: str,
) -> list[str]:
    """One line for each thing the film says of itself that ``result``, in container ``name``, lacks.

    Not missed are what a track says of its file, and that it is the default one where it is the only one.

    Args:
        film: The source.
        result: The output, or a piece of it.
        pairs: Streams of the two that belong together.
        name: Of the container, for the lines.
    """
    pairs = list(pairs)
    kinds = Counter(new.type for _, new in pairs)
    own = _without(_own(film.metadata), _TAPE_FIELDS)
    lines = [
        f"{name} does not keep the film's {field} {value!r}"
        for field, value in chain(
            _missing(own, result.metadata), _missing(tape_fields(film), tape_fields(result))
        )
    ]
    for old, new in pairs:
        before = _lasting(track_fields(old.metadata, quicktime=True))
        after = track_fields(new.metadata, quicktime=True)
        lines += [
            f"{name} does not keep the {field} {value!r} of {describe(old)}"
            for field, value in _missing(_without(before, _OF_THE_TRACKS_FILE), after)
        ]
        missed = old.disposition & ~new.disposition
        if kinds[new.type] == 1:
            missed &= ~Disposition.default
        marks = [mark for mark in Disposition if mark & missed]
        lines += [
            f"{name} does not keep that {describe(old)} is marked {mark.name}" for mark in marks
        ]
    return lines


def _missing(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    kept = {key.lower(): value for key, value in after.items()}
    for key, value in before.items():
        if (key, value) != ("language", "und") and not _same(value, kept.get(key.lower())):
            yield key, value


def _same(before: str, after: str | None) -> bool:
    """Equal, or one language by its other code, or one moment with more or fewer decimals."""
    return after is not None and (
        after in (before, quicktime_language(before))
        or (_MOMENT.match(before) is not None and _seconds(before) == _seconds(after))
    )


_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")


def _seconds(moment: str) -> str:
    return moment[:19].replace("T", " ")
