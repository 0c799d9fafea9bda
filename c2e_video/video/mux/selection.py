"""Which of a film's streams are left out: kinds, or single tracks by their number."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from av.stream import Stream

from ...errors import MediaError
from ...utils.choices import DROPPABLE
from .streams import kind_of


class Drop:
    """What is left out of the output.

    Args:
        words: Kinds (audio, subtitles, attachments with cover art, data with other picture tracks,
            chapters), or single streams such as ``audio:2``, by the number that messages give them,
            which is their index in the file.

    Raises:
        MediaError: A word is neither.
    """

    def __init__(self, words: Collection[str]) -> None:
        for word in words:
            kind, colon, number = word.partition(":")
            single = number.isdecimal() and kind != "chapters"
            if kind not in DROPPABLE or (colon and not single):
                raise MediaError(
                    f"drop takes {', '.join(DROPPABLE)}, or one stream by its number such as audio:2; "
                    f"got {word!r}"
                )
        self.kinds = {word for word in words if ":" not in word}
        self.single = {(w.split(":")[0], int(w.split(":")[1])) for w in words if ":" in w}

    def __contains__(self, stream: Stream) -> bool:
        return kind_of(stream) in self.kinds or (kind_of(stream), stream.index) in self.single

    @property
    def chapters(self) -> bool:
        """Whether chapters are left out."""
        return "chapters" in self.kinds

    def check(self, streams: Iterable[Stream], name: str) -> None:
        """Raise :class:`MediaError` if a single stream is not among those of the film ``name``."""
        there = {(kind_of(stream), stream.index) for stream in streams}
        for kind, number in sorted(self.single - there):
            own = [f"{kind}:{index}" for other, index in sorted(there) if other == kind]
            raise MediaError(
                f"{name} has no {kind}:{number}; it has {', '.join(own) or f'no {kind}'}"
            )


def drop_words(streams: Sequence[Stream], everything: Iterable[Stream]) -> list[str]:
    """The words that leave out some streams of a film: a kind where all of it goes, else numbers."""
    words = []
    for kind in sorted(set(map(kind_of, streams))):
        own = [stream.index for stream in streams if kind_of(stream) == kind]
        every = [stream.index for stream in everything if kind_of(stream) == kind]
        words += [kind] if own == every else [f"{kind}:{index}" for index in own]
    return words
