"""What a stream is, what a film and its streams say of themselves, and what another file lacks of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from av.container import InputContainer, OutputContainer
from av.stream import Discard, Disposition, Stream


def is_cover(stream: Stream) -> bool:
    """Whether a stream is a still picture, such as cover art."""
    return bool(stream.disposition & Disposition.attached_pic)


def is_container_internal(stream: Stream) -> bool:
    """Whether a stream is its container's own: chapter titles, a timecode track, DVD navigation.

    What the first two say goes over as chapters and metadata.
    """
    return stream.type == "data" and (
        (stream.name == "bin_data" and stream.discard == Discard.all)
        or (stream.name is None and "timecode" in stream.metadata)
        or stream.name == "dvd_nav_packet"
    )


def is_timed(stream: Stream) -> bool:
    """Whether a stream is a track of its own: neither attached nor furniture."""
    return (
        stream.type != "attachment" and not is_cover(stream) and not is_container_internal(stream)
    )


def kind_of(stream: Stream) -> str:
    """The kind a user drops it by."""
    kinds = {"audio": "audio", "subtitle": "subtitles", "attachment": "attachments"}
    return "attachments" if is_cover(stream) else kinds.get(stream.type, "data")


def codec_of(stream: Stream) -> str:
    """The name of a stream's codec, or its own; "unknown" where FFmpeg knows none."""
    context = stream.codec_context
    return (context.codec.canonical_name if context else getattr(stream, "name", "")) or "unknown"


def describe(stream: Stream) -> str:
    """A stream in words, such as "subtitle stream 3 (ass, eng)"."""
    kind = "cover art" if is_cover(stream) else stream.type
    language = stream.metadata.get("language", "und")
    more = "" if language == "und" else f", {language}"
    return f"{kind} stream {stream.index} ({codec_of(stream)}{more})"


# Fields that a file has of itself, not of its film: every muxer writes its own.
_OF_THE_FILE = (
    "major_brand",
    "minor_version",
    "compatible_brands",
    "encoder",
    "vendor_id",
    "duration",
)
# What is noted of a track's packets, and is not true of the painted ones.
_OF_THE_PACKETS = ("bps", "number_of_", "_statistics_")


def film_fields(metadata: Mapping[str, str]) -> dict[str, str]:
    """The fields of a film that go over into another file."""
    return {key: value for key, value in metadata.items() if key.lower() not in _OF_THE_FILE}


def track_fields(metadata: Mapping[str, str]) -> dict[str, str]:
    """The fields of a track that go over. QuickTime's title is read as its name."""
    return {"title" if k == "name" else k: v for k, v in film_fields(metadata).items()}


def picture_fields(metadata: Mapping[str, str]) -> dict[str, str]:
    """The fields of a track that stay true when it is painted."""
    fields = track_fields(metadata)
    return {k: v for k, v in fields.items() if not k.lower().startswith(_OF_THE_PACKETS)}


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
    """The code by which a mov file knows a language."""
    return _QUICKTIME_LANGUAGES.get(language, language)


def losses(
    film: InputContainer,
    result: InputContainer | OutputContainer,
    pairs: Iterable[tuple[Stream, Stream]],
    name: str,
) -> list[str]:
    """One line for each thing the film says of itself that ``result``, in container ``name``, lacks.

    ``pairs`` are streams of the two that belong together.
    """
    lines = [
        f"{name} does not keep the film's {field} {value!r}"
        for field, value in _missing(film_fields(film.metadata), result.metadata)
    ]
    for old, new in pairs:
        before, after = picture_fields(old.metadata), track_fields(new.metadata)
        lines += [
            f"{name} does not keep the {field} {value!r} of {describe(old)}"
            for field, value in _missing(before, after)
        ]
        marks = [mark for mark in Disposition if mark & old.disposition & ~new.disposition]
        lines += [
            f"{name} does not keep that {describe(old)} is marked {mark.name}" for mark in marks
        ]
    return lines


def _missing(before: Mapping[str, str], after: Mapping[str, str]) -> list[tuple[str, str]]:
    kept = {key.lower(): value for key, value in after.items()}
    return [
        (key, value)
        for key, value in before.items()
        if (key, value) != ("language", "und") and not _same(value, kept.get(key.lower()))
    ]


def _same(before: str, after: str | None) -> bool:
    """Equal, or one language by its other code, or one moment with more or fewer decimals."""
    return after is not None and (
        after in (before, quicktime_language(before))
        or (before[10:11] == "T" and before[:19] == after[:19])
    )
